"""Build the catalogue as a site, serve it, and compare two."""

from __future__ import annotations

from json import dumps
from pathlib import Path

import click

from eventtracking_catalog.commands import options
from eventtracking_catalog.commands.progress import report_progress
from eventtracking_catalog.sources import Sources, collect_catalogue
from eventtracking_core._text import counted, escaped, no_events

__all__ = ["catalog"]


@click.group()
def catalog() -> None:
    """Build, serve and compare catalogues of event types.

    A catalogue is made from code (a module that registers event types), a store (its records,
    counts and latest events), a log, or several of them together.
    """


@catalog.command()
@options.sources
@options.config
@click.option(
    "-o", "--output", type=options.DIRECTORY, required=True, metavar="DIR", help="Where to write."
)
def build(sources: tuple[str, ...], config: Path | None, output: Path) -> None:
    """Write the catalogue as a site of plain files.

    It needs no server and no network: open DIR/index.html. In sample events, values of personal
    data are masked if a field is declared as such or its name suggests it.
    """
    from eventtracking_catalog.site import write  # noqa: PLC0415  jinja2 is for pages alone

    with report_progress() as report:
        catalogue = collect_catalogue(sources, config, report)
    if catalogue.rejected:
        click.echo(no_events(catalogue.rejected), err=True)
    number = write(catalogue, output)
    click.echo(f"{counted(len(catalogue.entries), 'event type')}, {counted(number, 'file')}")
    click.echo(output / "index.html")


@catalog.command()
@options.sources
@options.config
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any."
)
def serve(sources: tuple[str, ...], config: Path | None, port: int) -> None:
    """Serve the catalogue on this machine until Ctrl-C.

    Its counts are updated as the store or the log grows.
    """
    from eventtracking_catalog.serving import LOOPBACK, server  # noqa: PLC0415

    with Sources(sources, config) as opened, server(opened, port) as serving:
        click.echo(f"http://{LOOPBACK}:{serving.server_port}/")
        serving.serve_forever()


@catalog.command()
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(old: str, new: str, *, as_json: bool) -> None:
    """List what changed between two catalogues.

    Exits with 1 if a change breaks readers.

    OLD and NEW are sources as --from takes them: a module, a store, a log, or a catalogue that
    was built. A change breaks readers if a field that was always present may be missing, or may
    have a type or a value that it never had.
    """
    from eventtracking_catalog.comparing import compare  # noqa: PLC0415

    differences = compare(collect_catalogue([old]), collect_catalogue([new]))
    breaking = sum(change.breaking for changes in differences.values() for change in changes)
    if as_json:
        rows = [
            {"name": name, "path": each.path, "change": each.text, "breaking": each.breaking}
            for name, changes in differences.items()
            for each in changes
        ]
        click.echo(dumps(rows, indent=2))
        raise click.exceptions.Exit(1 if breaking else 0)
    for name, changes in differences.items():
        click.echo(escaped(name))
        for change in changes:
            mark = "breaking  " if change.breaking else "          "
            click.echo(f"  {mark}{escaped(f'{change.path} {change.text}'.strip())}")
    click.echo(counted(breaking, "breaking change"))
    if breaking:
        raise click.exceptions.Exit(1)
