"""Paths below a directory in which others make and remove directories meanwhile."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["paths_below"]


def paths_below(directory: Path, name: str) -> list[Path]:
    """Return the paths with a name or a pattern; `rglob` raises where a directory is removed."""
    return sorted(
        Path(place, each)
        for place, directories, files in os.walk(directory)
        for each in (*directories, *files)
        if fnmatch(each, name)
    )
