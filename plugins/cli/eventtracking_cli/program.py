"""The program `eventtracking`: its commands, those that plugins add, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Final, NamedTuple

import click

from eventtracking_cli.groups import Group
from eventtracking_core import ConfigurationError, EventTrackingError

__all__ = ["program", "run"]


class _Verb(NamedTuple):
    """The place of a command, and its line in the help, which imports none."""

    path: str
    summary: str


_VERBS: Final = {
    "check": _Verb("check:check", "Check a configuration, and list every problem."),
    "completion": _Verb("completion:completion", "Print a script that completes commands."),
    "deadletters": _Verb(
        "deadletters:deadletters", "Look at undelivered events, or send them again."
    ),
    "demo": _Verb("demo:demo", "Emit and route the events of a small course."),
    "emit": _Verb("emit:emit", "Emit one event, and print its id."),
    "events": _Verb("events:events", "Look at stored events, count and export them."),
    "ingest": _Verb("ingest:ingest", "Route the events of log files."),
    "migrate": _Verb("migrate:migrate", "Print the TOML for the settings of event-tracking."),
    "plugin": _Verb("plugin:plugin", "Write a plugin."),
    "plugins": _Verb("plugins_:plugins", "List the installed plugins."),
    "replay": _Verb("replay:replay", "Send stored events once more."),
    "schema": _Verb(
        "schema:schema", "Print the schema of a configuration, or of a backend's tables."
    ),
    "spool": _Verb("spool:spool", "Inspect the files in which events wait for delivery."),
    "stats": _Verb("stats:stats", "Count waiting events and dead letters."),
    "tree": _Verb("tree:tree", "Draw the routing tree of a configuration."),
}

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""


class _Program(Group):
    """Imports a command when it is run; a plugin's, only when no command of our own is meant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in _VERBS:
            module, _, attribute = _VERBS[cmd_name].path.partition(":")
            verb: click.Command = getattr(import_module(f"eventtracking_cli.{module}"), attribute)
            return verb
        from eventtracking_cli.commands import load  # noqa: PLC0415  reads metadata

        return load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        from eventtracking_cli.commands import distribution, installed_commands  # noqa: PLC0415

        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in _VERBS.items()])
        rows = [
            (name, f"of {', '.join(map(distribution, claims))}")
            for name, claims in installed_commands().items()
            if name not in _VERBS
        ]
        if rows:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)

    def names(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  as its base
        """Return the names of all commands."""
        from eventtracking_cli.commands import installed_commands  # noqa: PLC0415

        return [*_VERBS, *installed_commands()]


@click.command(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="eventtracking-cli", prog_name="eventtracking")
@click.option(
    "--tracker",
    metavar="NAME",
    default="default",
    show_default=True,
    help="The tracker that the configuration belongs to; each tracker has its own spools.",
)
def program(tracker: str) -> None:
    """Check, run and inspect event tracking."""


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
    except ConfigurationError as error:  # a list of problems, as check prints it
        click.echo(error, err=True)
        sys.exit(1)
    except EventTrackingError as error:
        _fail(str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        _fail(f"{error.filename}: {reason}" if error.filename else reason)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(1)
