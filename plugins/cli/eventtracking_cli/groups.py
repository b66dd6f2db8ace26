"""Groups of commands that suggest what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import click

__all__ = ["Group", "suggesting"]


class Group(click.Group):
    """A group that names the closest command when there is none of a name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant.

        Raises:
            UsageError: there is none; the message suggests one.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise suggesting(error, args[0], self.names(ctx)) from None

    def names(self, ctx: click.Context) -> Iterable[str]:
        """Return the names of its commands."""
        return self.list_commands(ctx)


def suggesting(error: click.UsageError, name: str, names: Iterable[str]) -> click.UsageError:
    """Return an error that suggests the closest of some names."""
    close = get_close_matches(name, list(names), n=1)
    if close and "Did you mean" not in error.message:
        return click.UsageError(f"{error.message} Did you mean {close[0]!r}?", error.ctx)
    return error
