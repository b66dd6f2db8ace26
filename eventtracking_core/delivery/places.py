"""The directory where a leaf keeps its spool and its dead letters."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eventtracking_core.delivery.storage.directory import directory_name
from eventtracking_core.holders import living

__all__ = ["DEFAULT_TRACKER", "base_directory", "leaf_directory"]

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
