"""A process's directory in a spool: locked while the process lives, adopted when it is dead."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from eventtracking_core.delivery.storage.format import SUFFIX

__all__ = ["ProcessDirectory", "make_private", "orphans"]

LOCK: Final = "lock"


class ProcessDirectory:
    """A directory of segments that this process holds the lock of.

    Nothing ever unlocks it but the end of whoever holds the descriptor, so a forked child that
    closes its copy takes nothing from the parent.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, spool: Path) -> ProcessDirectory:
        """Make this process's directory in a spool that is there.

        Raises:
            OSError: it cannot be made or locked.
        """
        while True:
            path = spool / f"{os.getpid()}-{token_hex(4)}"
            path.mkdir(mode=0o700)
            try:
                return cls(path, _locked(path / LOCK, os.O_CREAT | os.O_EXCL))
            except (BlockingIOError, FileNotFoundError):
                # Whoever looks for orphans found it empty and not locked yet, and removes it.
                continue
            except OSError:
                (path / LOCK).unlink(missing_ok=True)
                path.rmdir()
                raise

    def segments(self) -> list[Path]:
        """Return its segments, oldest first."""
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def release(self) -> bool:
        """Let go of it; remove it where no segment is left in it, and tell whether that is so."""
        is_empty = not self.segments()
        if is_empty:
            with suppress(OSError):  # somebody put a file there, or removed it already
                (self.path / LOCK).unlink(missing_ok=True)
                self.path.rmdir()
        self.close()
        return is_empty

    def close(self) -> None:
        """Let go of it, as it is."""
        # Out of sight first: a child forked now must not close a number that is in use again.
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def make_private(path: Path) -> list[Path]:
    """Make a directory and those above it, for the owner alone; return which ones changed.

    Raises:
        OSError: it cannot be made, or it is a symbolic link.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    return [each.parent for each in missing]


def orphans(spool: Path) -> Iterator[ProcessDirectory]:
    """Yield the directories of processes that ended, locked for this one; remove empty ones."""
    for path in sorted(_directories(spool)):
        try:
            found = ProcessDirectory(path, _locked(path / LOCK))
        except FileNotFoundError:  # its process died before it made the lock, or just removed it
            with suppress(OSError):
                path.rmdir()
        except OSError:  # its process lives
            continue
        else:
            if found.segments():
                yield found
            else:
                found.release()


def _directories(spool: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(spool) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _locked(path: Path, flags: int = 0) -> int:
    """Return the descriptor of a lock file that is locked and still there.

    Raises:
        OSError: it is not there, it cannot be opened, or another process holds it.
    """
    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have adopted and removed it between the opening and the locking.
        if os.fstat(lock).st_ino != path.lstat().st_ino:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    except OSError:
        os.close(lock)
        raise
    return lock
