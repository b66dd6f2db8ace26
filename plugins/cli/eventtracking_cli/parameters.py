"""Parameters of several commands: a configuration, times, key=value pairs, JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from eventtracking_core.reading import checked

__all__ = [
    "MAX_LIMIT",
    "as_json",
    "as_written",
    "condition",
    "config",
    "field",
    "pair",
    "text",
    "time",
]

MAX_LIMIT: Final = 2**31 - 1
"""What each store takes as the number of events or values to return."""


_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RELATIVE: Final = re.compile(r"(\d{1,6})([smhdw])")
_SHORT: Final = {"user": "context.user_id"}

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; default: EVENTTRACKING_CONFIG_FILE, or pyproject.toml.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def tracker_name() -> str:
    """Return the name of the tracker that the program was started for."""
    context = click.get_current_context(silent=True)
    name = None if context is None else context.find_root().params.get("tracker")
    return name if isinstance(name, str) else "default"


def text(value: str) -> str:
    """Return a text that is looked for, as it is.

    Raises:
        BadParameter: its bytes are not UTF-8, so no event has it.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter("not UTF-8 text") from error
    return value


def time(text: str) -> datetime:
    """Return the moment a text says: RFC 3339, a date, a day in words, or how long ago.

    Raises:
        BadParameter: it says none.
    """
    moment = _moment(text)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta.setdefault(__name__, {})[moment] = text
    return moment


def as_written(value: object) -> object:
    """Return the text from which `time` read a moment for the running command; else the value."""
    if not isinstance(value, datetime):
        return value
    return click.get_current_context().meta.get(__name__, {}).get(value, value)


def _moment(text: str) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    now = datetime.now(UTC)
    try:
        if relative:
            return now - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
        if text in ("now", "today", "yesterday"):
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return {"now": now, "today": today}.get(text, today - timedelta(days=1))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = (
            "not a time: write 2026-09-12T12:55:00Z, 2026-09-12, today, yesterday, "
            "or 10m, 2h, 3d, 1w (ago)"
        )
        raise click.BadParameter(message) from error


def field(text: str, option: str | None = None) -> str:
    """Return a dotted field of an event; `user` is short for `context.user_id`.

    Args:
        text: the field.
        option: the option that names it, if it is not the one that is being read.

    Raises:
        BadParameter: events have no such field.
    """
    try:
        return checked(_SHORT.get(text, text))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def condition(pair: str) -> tuple[str, str]:
    """Return the field and the value of `field=value`.

    Raises:
        BadParameter: it is no such pair.
    """
    name, separator, value = text(pair).partition("=")
    if not separator:
        raise click.BadParameter("expected FIELD=VALUE")
    return field(name), value


def pair(text: str) -> tuple[str, Any]:
    """Return the key and the value of `key=value`; a value that is JSON stands for what it says.

    Raises:
        BadParameter: it is no such pair.
    """
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise click.BadParameter("expected key=value")
    try:
        return key, json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return key, value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
