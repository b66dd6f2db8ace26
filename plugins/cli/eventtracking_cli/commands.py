"""Commands that plugins add: their names from metadata, their modules when they are run."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click

from eventtracking_cli.text import plain
from eventtracking_core import EventTrackingError

__all__ = ["GROUP", "CommandError", "distribution", "installed_commands", "load", "load_command"]

GROUP: Final = "eventtracking.commands"
"""The group of entry points: the name is the command's, the object a click command."""


class CommandError(EventTrackingError):
    """A command of a plugin cannot be used; the message says whose it is, and why."""


def installed_commands() -> dict[str, list[EntryPoint]]:
    """Return the commands of installed distributions by name; nothing is imported."""
    commands: dict[str, list[EntryPoint]] = {}
    for entry_point in sorted(entry_points(group=GROUP), key=_order):
        commands.setdefault(entry_point.name, []).append(entry_point)
    return commands


def load(name: str) -> click.Command | None:
    """Return the command of a name, None where no distribution has one.

    Raises:
        CommandError: several distributions have it, or it cannot be imported.
    """
    claims = installed_commands().get(name, [])
    if len(claims) > 1:
        both = " and ".join(plain(distribution(claim)) for claim in claims)
        raise CommandError(f"command {plain(name)!r} is claimed by {both}; uninstall one of them")
    return load_command(claims[0]) if claims else None


def load_command(entry_point: EntryPoint) -> click.Command:
    """Import a command.

    Raises:
        CommandError: it cannot be imported, or is none.
    """
    whose = f"command {plain(entry_point.name)!r} of {plain(distribution(entry_point))}"
    try:
        command = entry_point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        reason = plain(f"{type(error).__name__}: {error}")
        raise CommandError(f"{whose} cannot be imported: {reason}") from error
    if not isinstance(command, click.Command):
        raise CommandError(f"{whose} is no click command")
    return command


def distribution(entry_point: EntryPoint) -> str:
    """Return the name of the distribution that an entry point comes from."""
    return entry_point.dist.name if entry_point.dist else ""


def _order(entry_point: EntryPoint) -> tuple[str, str]:
    return entry_point.name, distribution(entry_point)
