"""Directories of a spool: private, and one for each process, locked while the process lives."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final

from eventtracking_core.delivery.storage.files import (
    close_ours,
    create_private,
    identity,
    is_at,
    lock_in_place,
    open_locked,
)
from eventtracking_core.delivery.storage.format import SUFFIX
from eventtracking_core.diagnostics import WARNING, report
from eventtracking_core.files.descriptors import descriptor_of

__all__ = ["ProcessDirectory", "claim", "directory_name", "make_private", "process_directories"]

LOCK: Final = "lock"
MAX_NAME: Final = 200
"""Bytes of a directory's name; file systems take 255."""


class ProcessDirectory:
    """A directory of segments that this process holds the lock of.

    Only the end of the process that holds the descriptor unlocks it, so a forked child that
    closes its copy takes nothing from the parent.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._file = identity(lock)

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
                return cls(path, _new_lock(path))
            except (BlockingIOError, FileNotFoundError):
                # A process that looks for orphans found it empty and unlocked, and removes it.
                continue
            except OSError:
                (path / LOCK).unlink(missing_ok=True)
                path.rmdir()
                raise

    def segments(self) -> list[Path]:
        """Return its segments, oldest first.

        Raises:
            OSError: the directory cannot be read.
        """
        return _segments(self.path)

    def is_in_place(self) -> bool:
        """Return whether its path leads to it still, and so others see its lock."""
        with suppress(OSError):
            return identity(self._lock) == self._file and is_at(self.path / LOCK, self._lock)
        return False

    def release(self) -> None:
        """Let go of it; remove it if no segment is left in it."""
        try:
            if not self.segments():
                (self.path / LOCK).unlink(missing_ok=True)
                self.path.rmdir()
        except OSError:  # it has a file again, was removed, or cannot be read now
            pass
        self.close()

    def close(self) -> None:
        """Let go of it, as it is."""
        # Out of sight first: a child forked now must not close a number that is in use again.
        lock, self._lock = self._lock, -1
        close_ours(lock, self._file)


def directory_name(path: str) -> str:
    """Return a directory's name for the path of a leaf: that itself, if a directory can have it.

    A name that is too long is cut, and ends with a hash of the whole.
    """
    name = path.replace("/", "%2F").replace("\0", "%00")
    if name in {".", ".."}:
        name = name.replace(".", "%2E")
    encoded = name.encode(errors="surrogatepass")
    if len(encoded) <= MAX_NAME:
        return encoded.decode(errors="replace")
    digest = sha256(encoded).hexdigest()[:16]
    return f"{encoded[: MAX_NAME - 17].decode(errors='ignore')}-{digest}"


def make_private(path: Path, base: Path) -> list[Path]:
    """Make a directory and those above it, for the owner alone; return which ones changed.

    Args:
        path: the directory.
        base: what the operator configured. Below it, no link is followed, and a directory that
            others may use is made private.

    Raises:
        OSError: it cannot be made, or a part of the path is a link or belongs to another user.
    """
    missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    for each in reversed([path, *path.parents]):
        if each in missing:
            each.mkdir(mode=0o700, exist_ok=True)
        if base in each.parents:
            _check(each)
    return [each.parent for each in missing]


def check_private(path: Path, base: Path) -> None:
    """Make sure that no other user may use a directory, and those between it and `base`.

    Raises:
        OSError: one of them is missing, a link, or another user's and open to others.
    """
    for each in reversed([path, *path.parents]):
        if base in each.parents:
            _check(each)


def _check(path: Path) -> None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not stat.S_IMODE(status.st_mode) & 0o077:
        return
    if os.geteuid() not in {0, status.st_uid}:
        raise PermissionError(errno.EPERM, "open to others, and owned by another user")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    with descriptor_of(path, flags) as descriptor:
        os.fchmod(descriptor, 0o700)
    message = "spool: the directory %s was open to others, and is not any more"
    report(WARNING, ("private", path), message, path)


def process_directories(spool: Path, base: Path) -> list[Path]:
    """Return the directories of processes, dead and alive, in the order of their names.

    Raises:
        OSError: the spool cannot be read, or is not private.
    """
    if not os.path.lexists(spool):
        return []
    check_private(spool, base)
    with os.scandir(spool) as entries:
        return sorted(Path(each.path) for each in entries if each.is_dir(follow_symlinks=False))


def claim(path: Path) -> ProcessDirectory | None:
    """Lock the directory of a process that ended; remove an empty one.

    Returns:
        The directory; None if its process lives, or nothing was left in it.

    Raises:
        OSError: it cannot be read or locked.
    """
    try:
        directory = ProcessDirectory(path, open_locked(path / LOCK))
    except BlockingIOError:  # its process lives
        return None
    except FileNotFoundError:
        # Its process died before it made the lock, or just removed it; or another program did.
        if not _segments(path):
            with suppress(OSError):
                path.rmdir()
            return None
        directory = ProcessDirectory(path, _new_lock(path))
    try:
        if directory.segments():
            return directory
    except OSError:
        directory.close()
        raise
    directory.release()
    return None


def _segments(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            return sorted(Path(each.path) for each in entries if each.name.endswith(SUFFIX))
    except FileNotFoundError:
        return []


def _new_lock(directory: Path) -> int:
    """Create the lock file of a directory and lock it; return its descriptor.

    Raises:
        OSError: it is there, it cannot be made, or another process took it at once.
    """
    path = directory / LOCK
    descriptor = create_private(path)
    lock_in_place(descriptor, path)
    return descriptor
