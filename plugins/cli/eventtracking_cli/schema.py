"""Print the JSON Schema of a configuration, or the tables that a backend needs."""

from __future__ import annotations

from pathlib import Path

import click

from eventtracking_cli import parameters
from eventtracking_cli.json_schema import json_schema
from eventtracking_cli.terminal import plain, print_json
from eventtracking_core.config import build, read
from eventtracking_core.errors import ConfigurationError
from eventtracking_core.plugins import plugins
from eventtracking_core.registry import DefinesTables, EventType, LoadsEventTypes
from eventtracking_core.sources import open_reader

__all__ = ["schema"]


@click.command()
@click.option(
    "--for",
    "kind",
    metavar="TYPE",
    help="Print the statements that create the tables of this type of backend, such as clickhouse.",
)
@click.option(
    "--from",
    "source",
    metavar="SOURCE",
    help="With --for: a store or a file whose event types get tables of their own.",
)
@parameters.config
def schema(kind: str | None, source: str | None, config: Path | None) -> None:
    """Print the schema of a configuration, or of a backend's tables.

    The JSON Schema is for draft 2020-12, and covers the installed plugins. A plugin that cannot be
    imported is left out and named on stderr.

    With --for, the tables have the names that the configuration gives them, or else the default
    names. With --from as well, each event type of a source has a table with typed columns. The
    statements are printed, and none is run.
    """
    if kind is not None:
        click.echo(_definitions(kind, config, _event_types(source)))
        return
    if source is not None:
        raise click.UsageError("--from needs --for")
    components, failed = plugins.available()
    for error in failed.values():
        click.echo(plain(error), err=True)
    print_json(json_schema(components))


def _event_types(source: str | None) -> list[EventType]:
    if source is None:
        return []
    with open_reader([source]) as reader:
        if not isinstance(reader, LoadsEventTypes):
            raise click.ClickException("the source has no records of event types")
        return list(reader.load_event_types())


def _definitions(kind: str, config: Path | None, event_types: list[EventType]) -> str:
    factory = plugins.find("backend", kind)
    if not isinstance(factory, type) or not issubclass(factory, DefinesTables):
        raise click.ClickException(f"a backend of type {kind} has no tables to be created")
    backends = [backend for backend in _configured(config) if isinstance(backend, factory)]
    texts = dict.fromkeys(backend.definitions(event_types) for backend in backends or [factory()])
    return "\n\n".join(texts)


def _configured(config: Path | None) -> list[object]:
    try:
        configuration = read(config)
    except ConfigurationError as error:
        if config is not None or error.source != "configuration":
            raise
        return []
    return [leaf.backend for leaf in build(configuration).root.leaves()]
