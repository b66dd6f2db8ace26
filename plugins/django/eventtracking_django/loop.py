"""`manage.py eventtracking deliver`: delivers the outboxes until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.core.management.base import CommandError
from django.db import DatabaseError

from eventtracking_core.outbox import CommandFailedError
from eventtracking_core.outbox import run as run_command
from eventtracking_django.deliverer import tables

__all__ = ["run"]


def run(arguments: Sequence[str], say: Callable[[str], object]) -> None:
    """Deliver the outboxes until SIGTERM or Ctrl-C, or with `--once` until they are empty.

    Args:
        arguments: of the command line.
        say: writes a line to the terminal.

    Raises:
        CommandError: there is no outbox, or, with `--once`, not everything was delivered.
    """
    try:
        run_command(
            arguments,
            program="manage.py eventtracking deliver",
            type_name="django.outbox",
            tables=tables,
            failures=(DatabaseError,),
            say=say,
        )
    except CommandFailedError as error:
        raise CommandError(str(error)) from error
