"""Wait for all workers of a gunicorn or a uWSGI, so that a signal reaches each of them.

A signal to a worker that has just been forked is lost. gunicorn then waits for that worker until
its `--graceful-timeout` is over, uWSGI for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["UWSGI_NOTES_BOOTS", "have_booted", "note_boots"]

_CONFIGURATION = """
import os

def post_worker_init(worker):
    descriptor = os.open("booted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, b".")
    os.close(descriptor)
"""
_WORKERS = {"gunicorn": "-w", "uwsgi": "--processes"}

UWSGI_NOTES_BOOTS = (
    "--hook-accepting", "append:booted .",
    # After its other hooks: the master itself loses signals until then.
    "--hook-master-start", "append:booted .",
)  # fmt: skip
"""Further words of a uWSGI's command, the last ones that name hooks: it notes what has booted."""


def note_boots(directory: Path) -> None:
    """Let every worker of a gunicorn that is started in this directory note that it has booted."""
    (directory / "gunicorn.conf.py").write_text(_CONFIGURATION)


def have_booted(directory: Path, command: Sequence[str]) -> bool:
    """Return whether as many workers have booted as the command asks for, and uWSGI's master."""
    server = Path(command[0]).name
    if server not in _WORKERS:
        return True
    number = int(command[command.index(_WORKERS[server]) + 1]) + (server == "uwsgi")
    booted = directory / "booted"
    return booted.exists() and booted.read_text().count(".") >= number
