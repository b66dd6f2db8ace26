"""The command line of event tracking, with the project's configuration."""

from __future__ import annotations

from argparse import REMAINDER, ArgumentParser
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

from django.core.management.base import BaseCommand, CommandError

__all__ = ["Command"]


class Command(BaseCommand):
    """Runs a verb of the program `eventtracking`, or delivers the outbox."""

    help = (
        "Check, run and look into event tracking, with the configuration of this project. "
        "`deliver` delivers the outbox; the other verbs are those of the program eventtracking."
    )
    requires_system_checks = ()  # `check` reports what they would

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take everything after the command's name as it stands."""
        parser.add_argument("arguments", nargs=REMAINDER, help="a verb and its options")

    def handle(self, *_: Any, arguments: Sequence[str], **__: Any) -> None:
        """Run the verb.

        Raises:
            CommandError: eventtracking-cli is not installed, or the outbox was not delivered.
            SystemExit: the verb failed.
        """
        if arguments[:1] == ["deliver"]:
            from eventtracking_django.loop import run  # noqa: PLC0415  has the models

            run(arguments[1:])
            return
        try:
            _program()(list(arguments) or ["--help"])
        except SystemExit as end:
            if end.code:
                raise


def _program() -> Callable[[Sequence[str]], None]:
    for entry_point in entry_points(group="console_scripts", name="eventtracking"):
        program: Callable[[Sequence[str]], None] = entry_point.load()
        return program
    raise CommandError("the command line is not installed: python -m pip install eventtracking-cli")
