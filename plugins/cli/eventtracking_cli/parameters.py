"""What several verbs take: a configuration, times, key=value pairs, the choice of JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import click

__all__ = ["INPUT", "as_json", "config", "pair", "time"]

INPUT: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RELATIVE: Final = re.compile(r"(\d{1,6})([smhd])")

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; else what EVENTTRACKING_CONFIG_FILE or pyproject.toml says.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def time(text: str) -> datetime:
    """Return the moment a text says: RFC 3339, a date, or how long ago.

    Raises:
        BadParameter: it says none.
    """
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative:
            ago = timedelta(**{_UNITS[relative[2]]: int(relative[1])})
            return datetime.now(UTC) - ago
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = "not a time: write 2026-09-12T12:55:00Z, 2026-09-12, or 10m, 2h, 3d (ago)"
        raise click.BadParameter(message) from error


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
