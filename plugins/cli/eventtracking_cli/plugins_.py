"""List the installed plugins: what each registers, and whether it imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from rich.table import Table

from eventtracking_cli import parameters
from eventtracking_cli.inspection import TIMEOUT, Inspected, inspect_all, inspect_built_in
from eventtracking_cli.terminal import console, plain, print_json

__all__ = ["plugins"]


@click.command()
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT,
    show_default=True,
    help="Seconds that each plugin may take to import.",
)
@parameters.as_json
def plugins(timeout: float, *, as_json: bool) -> None:
    """List the installed plugins.

    It shows what each plugin and the core register. Each plugin is imported in a process of its
    own, so one that hangs or exits is listed with its problem. Exits with 1 if a plugin cannot
    be used.
    """
    inspections = [inspect_built_in(), *inspect_all(timeout)]
    if as_json:
        print_json([inspected._asdict() for inspected in inspections])
    else:
        console().print(_table(inspections))
    if any(inspected.problem for inspected in inspections):
        raise click.exceptions.Exit(1)


def _table(inspections: list[Inspected]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("plugin", "distribution", "version", "registers"):
        table.add_column(heading, overflow="fold")
    for inspected in inspections:
        table.add_row(
            plain(inspected.name),
            plain(inspected.distribution),
            plain(inspected.version),
            plain(f"problem: {inspected.problem}")
            if inspected.problem
            else _registers(inspected.registers, inspected.commands),
        )
    return table


def _registers(registers: Mapping[str, list[str]], commands: Sequence[str]) -> str:
    named = {**registers, "command": commands}
    return "\n".join(
        f"{kind}{'s' if len(names) > 1 else ''}: {', '.join(map(plain, names))}"
        for kind, names in named.items()
        if names
    )
