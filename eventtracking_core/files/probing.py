"""Paths that users write, and whether their files can be written or read, without doing so."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["absolute", "probe_file", "unreadable"]


def absolute(path: str) -> Path:
    """Return the absolute form of a backend's `path`; `~` is a home directory.

    Raises:
        ValueError: it begins with the `~` of a user without one.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise ValueError("path must not begin with the ~ of an unknown user") from None


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


def unreadable(files: Mapping[str, str | None]) -> Iterator[str]:
    """Yield a warning for each file that this user cannot read, for `Reviewable` backends.

    Args:
        files: paths by the names of their options; an option may have none.
    """
    for option, file in files.items():
        if not file:
            continue
        if not Path(file).exists():
            yield f"{option} names a file that does not exist"
        elif not os.access(file, os.R_OK):
            yield f"{option} names a file that this user cannot read"
