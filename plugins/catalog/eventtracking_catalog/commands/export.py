"""Export the catalogue in the forms of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from eventtracking_catalog.commands import options
from eventtracking_catalog.exporting import DOCUMENTS, TREES
from eventtracking_catalog.sources import collect_catalogue
from eventtracking_core._text import no_events

__all__ = ["export"]


@click.command()
@click.argument("form", type=click.Choice(sorted([*DOCUMENTS, *TREES])))
@options.sources
@options.config
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file to write, or the directory of eventcatalog; else the standard output.",
)
def export(form: str, sources: tuple[str, ...], config: Path | None, output: Path | None) -> None:
    """Print event types in the formats of other tools.

    asyncapi is AsyncAPI 3.1 and jsonschema JSON Schema 2020-12, both as JSON; python is a
    module of typed events, typescript one of interfaces, markdown a page. eventcatalog writes
    files to the directory that -o names.
    """
    if form in TREES and output is None:
        raise click.UsageError(f"{form} writes files: name a directory with -o")
    catalogue = collect_catalogue(sources, config)
    if catalogue.rejected:
        click.echo(no_events(catalogue.rejected), err=True)
    if form in DOCUMENTS:
        text = _encodable(DOCUMENTS[form](catalogue))
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
        return
    written = TREES[form](catalogue)
    for name, text in written.items():
        path = Path(output or "", _encodable(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_encodable(text), encoding="utf-8")
    click.echo(f"{len(written):,} files")


def _encodable(text: str) -> str:
    """Return a text with its lone surrogates escaped."""
    return text.encode(errors="backslashreplace").decode()
