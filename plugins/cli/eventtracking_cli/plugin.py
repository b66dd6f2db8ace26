"""Begin a plugin: a distribution that can be built, installed and tested as it is."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click

from eventtracking_cli.groups import Group
from eventtracking_cli.inspection import inspect_built_in
from eventtracking_cli.scaffold import KINDS, Plan
from eventtracking_core.plugins import installed

__all__ = ["plugin"]

MAX_NAME: Final = 40
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@click.group(cls=Group)
def plugin() -> None:
    """Write a plugin."""


@plugin.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="backend",
    show_default=True,
    help="What it adds.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="Where to create it.  [default: ./eventtracking-NAME]",
)
def new(name: str, kind: str, directory: Path | None) -> None:
    """Create a plugin: a distribution with passing tests.

    NAME is the type that configurations will name; dashes in it become underscores. The
    distribution has a module, tests that inherit the conformance suite, a README, and a
    workflow for continuous integration.
    """
    name = name.replace("-", "_")  # as on a package index; a type is a name of Python
    _check(name)
    plan = Plan(name, kind)
    target = directory or Path(plan.distribution)
    if target.exists() or target.is_symlink():
        raise click.ClickException(
            f"{target} is there already; name another place with --directory, or take it away"
        )
    written = plan.write(target)
    click.echo(f"Written to {target}:\n")
    for path in written:
        click.echo(f"  {path}")
    click.echo("\nTry next:\n")
    for command in (
        f"cd {target}",
        "python -m pip install --editable '.[test]'",
        "python -m pytest",
    ):
        click.echo(f"  {command}")


def _check(name: str) -> None:
    """Refuse a name that cannot be one, or that is taken where this runs.

    Raises:
        BadParameter: it says why, and what to do.
    """
    hint = "'NAME'"
    if name.startswith("eventtracking_"):
        short = name.removeprefix("eventtracking_")
        raise click.BadParameter(f"leave out 'eventtracking-': {short!r}", param_hint=hint)
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise click.BadParameter(
            "begin with a letter, followed by lower-case letters and digits, "
            f"single underscores between words, {MAX_NAME} characters at most",
            param_hint=hint,
        )
    if any(name in types for types in inspect_built_in().registers.values()):
        raise click.BadParameter(f"{name!r} is a type of the core's own", param_hint=hint)
    owners = [entry_point.dist for entry_point in installed() if entry_point.name == name]
    if owners:
        owner = f" ({owners[0].name})" if owners[0] else ""
        raise click.BadParameter(f"a plugin {name!r} is installed{owner}", param_hint=hint)
    distribution = Plan(name, "backend").distribution
    try:
        version(distribution)
    except PackageNotFoundError:
        return
    raise click.BadParameter(f"a distribution {distribution} is installed", param_hint=hint)
