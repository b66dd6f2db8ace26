"""Store events through another process, where SQLite lets this one not write.

SQLite counts its locks in memory. In a child that was forked while a thread of its parent was in a
transaction, that transaction never ends.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from eventtracking_core import RejectedError, RetryableError
from eventtracking_core.diagnostics import report
from eventtracking_sqlite._rows import Row

__all__ = ["store_elsewhere"]

STARTS_IN: Final = 10.0
"""Seconds."""

_PROGRAM: Final = "from eventtracking_sqlite._storing import main; main()"


def store_elsewhere(path: Path, rows: Mapping[int, Row], timeout: float) -> dict[int, Exception]:
    """Store rows in the database at a path; return the errors of those that it rejects.

    Raises:
        RetryableError: none was stored.
    """
    report(
        logging.ERROR,
        ("forked", os.getpid()),
        "sqlite: this process was forked in the middle of a transaction: it stores events through"
        " another process, which is slow",
    )
    try:
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", _PROGRAM],
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(map(os.fsdecode, filter(None, sys.path)))},
            input=json.dumps([str(path), timeout, list(rows.items())]),
            capture_output=True,
            text=True,
            timeout=timeout + STARTS_IN,
            check=True,
        )
        refusal, rejected = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise RetryableError("the process that stores the events failed") from error
    if refusal is not None:
        raise RetryableError(refusal)
    return {int(index): RejectedError(message) for index, message in rejected.items()}
