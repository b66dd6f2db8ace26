"""Say whether a configuration can be used, and everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click

from eventtracking_cli import parameters
from eventtracking_cli.terminal import count, plain, print_json
from eventtracking_core import ConfigurationError
from eventtracking_core.config import build, read
from eventtracking_core.tree import Tree

__all__ = ["check"]


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path))
@parameters.as_json
def check(config: Path | None, *, as_json: bool) -> None:
    """Check a configuration, and list every problem.

    Without CONFIG, what EVENTTRACKING_CONFIG_FILE or pyproject.toml says. Each problem comes with
    its path and what to do. Exits 1 where there is one. Components are made, nothing is opened.
    """
    try:
        configuration = read(config)
        built = build(configuration)
    except ConfigurationError as error:
        if not as_json:
            raise
        problems = [problem._asdict() for problem in error.problems]
        print_json({"source": error.source, "ok": False, "problems": problems})
        raise click.exceptions.Exit(1) from error
    if as_json:
        print_json({"source": configuration.source, "ok": True, "problems": []})
    else:
        click.echo(f"{plain(configuration.source)}: ok ({_summary(built)})")


def _summary(built: Tree) -> str:
    leaves = list(built.root.leaves())
    names = ", ".join(f"{plain(leaf.name)} ({plain(leaf.type_name)})" for leaf in leaves)
    backends = count(len(leaves), "backend")
    providers = count(len(built.providers), "context provider")
    return f"{providers}; {backends}: {names}" if names else f"{providers}; {backends}"
