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
        "`deliver` delivers the outbox; the other verbs are those of the program eventtracking, "
        "which are listed without a verb."
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

            run(arguments[1:], self.stdout.write)
            return
        try:
            _program()(list(arguments) or ["--help"])
        except SystemExit as end:
            if end.code:
                raise
        if not arguments:
            self.stdout.write("  deliver      Deliver the outbox.")
        if arguments[:2] == ["deadletters", "list"]:
            self._count_letters()

    def _count_letters(self) -> None:
        """Say how many dead letters the outboxes have: theirs are rows."""
        from eventtracking_django.deliverer import tables  # noqa: PLC0415  has the models
        from eventtracking_django.models import DeadLetter  # noqa: PLC0415

        for alias in sorted({table.alias for table in tables()}):
            count = DeadLetter.objects.using(alias).count()
            if count:
                self.stderr.write(
                    f"{count} dead letters of the outbox are in the database {alias}: "
                    "list and replay them in the admin"
                )


def _program() -> Callable[[Sequence[str]], None]:
    for entry_point in entry_points(group="console_scripts", name="eventtracking"):
        program: Callable[[Sequence[str]], None] = entry_point.load()
        return program
    raise CommandError("the command line is not installed: python -m pip install eventtracking-cli")
