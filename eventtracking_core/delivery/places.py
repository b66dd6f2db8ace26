"""The directory where a leaf keeps its spool and its dead letters."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eventtracking_core.delivery.storage.directory import directory_name, make_private
from eventtracking_core.delivery.storage.files import open_locked
from eventtracking_core.holders import living

__all__ = ["DEFAULT_TRACKER", "adopt_from", "base_directory", "leaf_directory"]

SPOOL_DIRECTORY: Final = "EVENTTRACKING_SPOOL_DIRECTORY"
DEFAULT_DIRECTORY: Final = "eventtracking-spool"
DEFAULT_TRACKER: Final = "default"


def base_directory(configured: str | None) -> Path:
    """Return the directory that holds those of all leaves."""
    return Path(configured or os.environ.get(SPOOL_DIRECTORY) or DEFAULT_DIRECTORY).absolute()


def leaf_directory(base: Path, path: str, tracker: str | None, owner: object) -> Path:
    """Return the directory of a leaf, which no leaf of another tracker has.

    Two trackers of a process may have a leaf of the same path, with different backends. The name of
    a tracker is the same in the next process, which delivers what this one leaves; a tracker
    without a name has the first place that no other one uses.

    Args:
        base: holds the directories of all leaves.
        path: the leaf's path in its tree.
        tracker: the name of its tracker.
        owner: its tracker, or a proxy of it.
    """
    if tracker == DEFAULT_TRACKER:
        return base / directory_name(path)
    if tracker is not None:
        name = quote(tracker, safe=" ", errors="surrogatepass")
        return base / directory_name(f"{path}@{name}")
    numbers = count(1)
    while True:
        number = next(numbers)
        directory = base / directory_name(path if number == 1 else f"{path}@@{number}")
        if not any(_uses(leaf, directory, owner) for leaf in living()):
            return directory


def _uses(leaf: object, directory: Path, owner: object) -> bool:
    is_same = getattr(leaf, "directory", None) == directory and not getattr(leaf, "closed", True)
    return is_same and getattr(leaf, "owner", None) is not owner


def adopt_from(earlier: Path, directory: Path) -> None:
    """Move what ended processes left where an earlier version kept it, once.

    Then a tracker's name was not part of its leaves' directories. What lies there may be that of
    the default tracker, so this is done only if the directory with the name is not there yet, and
    no leaf of this process uses the other one.
    """
    if directory == earlier or os.path.lexists(directory) or not earlier.is_dir():
        return
    if earlier.is_symlink() or any(_uses(leaf, earlier, None) for leaf in living()):
        return
    with suppress(OSError):  # what stays there is not lost
        for kind, lock in (("spool", "lock"), ("dead", "")):
            target = directory / kind
            make_private(target, directory.parent)
            if (earlier / kind).is_symlink():
                continue
            for path in sorted((earlier / kind).glob("*")):
                with suppress(OSError):
                    _move(path, path / lock if lock else path, target / path.name)


def _move(path: Path, lock: Path, target: Path) -> None:
    descriptor = open_locked(lock)
    try:
        path.rename(target)
    finally:
        os.close(descriptor)
