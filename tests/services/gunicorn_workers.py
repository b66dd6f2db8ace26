"""Wait for all workers of a gunicorn, so that a signal reaches each of them.

A signal to a worker that has just been forked is lost: gunicorn then waits for that worker until
its `--graceful-timeout` is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["have_booted", "note_boots"]

_CONFIGURATION = """
import os

def post_worker_init(worker):
    descriptor = os.open("booted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, b".")
    os.close(descriptor)
"""


def note_boots(directory: Path) -> None:
    """Let every worker of a gunicorn that is started in this directory note that it has booted."""
    (directory / "gunicorn.conf.py").write_text(_CONFIGURATION)


def have_booted(directory: Path, command: Sequence[str]) -> bool:
    """Return whether as many workers have booted as the command asks for with `-w`."""
    if "gunicorn" not in command:
        return True
    booted = directory / "booted"
    return booted.exists() and booted.stat().st_size >= int(command[command.index("-w") + 1])
