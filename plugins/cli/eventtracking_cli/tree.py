"""Draw the routing tree of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from eventtracking_cli import parameters
from eventtracking_cli.drawing import draw_tree, outline
from eventtracking_cli.terminal import console, plain, print_json
from eventtracking_core.config import build, read

__all__ = ["tree"]


@click.command()
@click.argument("file", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path))
@parameters.config
@parameters.as_json
def tree(file: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Draw the routing tree of a configuration.

    It shows routers, processors in their order, and backends with their types and delivery
    modes. `ingest` and `demo` draw the same tree with counters at the end. Without CONFIG, the
    configuration is the file that EVENTTRACKING_CONFIG_FILE names, or the table in
    pyproject.toml.
    """
    configuration = read(file or config)
    root = {"name": "", "type": "router", **build(configuration).root.stats(0)}
    providers = [_type(node) for node in configuration.tree.get("context") or ()]
    if as_json:
        print_json({"source": configuration.source, "context": providers, "tree": outline(root)})
        return
    if providers:
        click.echo(f"context: {', '.join(map(plain, providers))}")
    console().print(draw_tree(root, configuration.source, counters=False))


def _type(node: object) -> str:
    if isinstance(node, Mapping):
        node = node.get("type") or node.get("ENGINE")
    return str(node)
