"""Find out whether a file can be written, without writing it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["probe_file"]


def probe_file(path: Path) -> str:
    """Return what a backend that appends to a file would find.

    Raises:
        OSError: the file cannot be written or created.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        above = next(parent for parent in path.absolute().parents if parent.exists())
        if not above.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        if not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        return "the file does not exist yet and can be created"
    return "the file is writable"
