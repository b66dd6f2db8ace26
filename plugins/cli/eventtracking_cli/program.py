"""The program `eventtracking`: its verbs, those that plugins add, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Final

import click

from eventtracking_core import EventTrackingError

__all__ = ["program", "run"]

_VERBS: Final = {
    "check": "eventtracking_cli.check:check",
    "deadletters": "eventtracking_cli.deadletters:deadletters",
    "demo": "eventtracking_cli.demo:demo",
    "emit": "eventtracking_cli.emit:emit",
    "events": "eventtracking_cli.events:events",
    "ingest": "eventtracking_cli.ingest:ingest",
    "plugin": "eventtracking_cli.plugin:plugin",
    "plugins": "eventtracking_cli.plugins_:plugins",
    "schema": "eventtracking_cli.schema:schema",
    "spool": "eventtracking_cli.spool:spool",
    "stats": "eventtracking_cli.stats:stats",
    "tree": "eventtracking_cli.tree:tree",
}

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""


class _Program(click.Group):
    """Imports a verb when it is asked for; a plugin, only for a command that it alone has."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in _VERBS:
            module, _, attribute = _VERBS[cmd_name].partition(":")
            verb: click.Command = getattr(import_module(module), attribute)
            return verb
        from eventtracking_cli.inspection import command  # noqa: PLC0415  starts processes

        return command(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_commands(ctx, formatter)
        from eventtracking_cli.inspection import inspect_all  # noqa: PLC0415  starts processes

        rows = [
            (name, summary)
            for inspected in inspect_all()
            for name, summary in inspected.commands.items()
            if name not in _VERBS
        ]
        if rows:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)


@click.command(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="eventtracking-cli", prog_name="eventtracking")
@click.option(
    "--tracker",
    metavar="NAME",
    default="default",
    show_default=True,
    help="The name of the tracker whose configuration it is: its spools have a place of their own.",
)
def program(tracker: str) -> None:
    """Check, run and look into event tracking."""


def run(args: Sequence[str] | None = None) -> None:
    """Run the program and exit: a user's mistake is a line on stderr, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may lack a character
    try:
        code = program.main(args, prog_name="eventtracking", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except EventTrackingError as error:
        _fail(str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        _fail(f"{error.filename}: {reason}" if error.filename else reason)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    click.echo(message, err=True)
    sys.exit(1)
