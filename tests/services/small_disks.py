"""Disks of 2 MiB, where the system lets us mount them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["may_mount", "remount", "small_disk"]

CAP_SYS_ADMIN = 1 << 21


def may_mount() -> bool:
    """Return whether this process may mount a disk."""
    status = Path("/proc/self/status")
    found = re.search(r"CapEff:\s*(\w+)", status.read_text()) if status.exists() else None
    return found is not None and bool(int(found[1], 16) & CAP_SYS_ADMIN)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """Mount a disk at a new directory."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def remount(place: Path, options: str) -> None:
    """Change a disk's options."""
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)
