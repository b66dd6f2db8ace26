"""The program that stores events for a process in which SQLite does not write; see `_elsewhere`."""

from __future__ import annotations

import json
import sys

from eventtracking_core import RetryableError
from eventtracking_sqlite.backend import SqliteBackend

__all__ = ["main"]


def main() -> None:
    """Store the rows on stdin; print why none is stored, and the errors of those that are not."""
    path, timeout, rows = json.load(sys.stdin)
    stored = {index: tuple(row) for index, row in rows}
    refusal, failures = None, {}
    try:
        failures = SqliteBackend(path).store(stored, timeout)
    except RetryableError as error:
        refusal = str(error)
    json.dump([refusal, {index: str(error) for index, error in failures.items()}], sys.stdout)
