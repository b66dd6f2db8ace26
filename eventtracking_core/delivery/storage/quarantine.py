"""Where a spool sets aside bytes that are no sound record."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from eventtracking_core.delivery.storage.directory import make_private
from eventtracking_core.delivery.storage.format import Damage
from eventtracking_core.diagnostics import describe, report

__all__ = ["quarantine"]

MAX_FILES: Final = 1000
MAX_BYTES: Final = 64 * 2**20


def quarantine(path: Path, damage: Damage, base: Path) -> None:
    """Keep damaged bytes in a file of their own, for whoever wants to look at them.

    A directory takes 1,000 files and 64 MiB; beyond that, nothing is added to it.
    """
    report(logging.ERROR, "damaged", "spool: %d damaged bytes were set aside", damage.size)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        make_private(path.parent, base)
        with os.scandir(path.parent) as entries:
            sizes = [entry.stat(follow_symlinks=False).st_size for entry in entries]
        if len(sizes) >= MAX_FILES or sum(sizes) + len(damage.content) > MAX_BYTES:
            message = "spool: %s is full, further damaged bytes are not kept"
            report(logging.ERROR, ("full", path.parent), message, path.parent)
            return
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(damage.content)
    except OSError as error:
        report(logging.ERROR, ("aside", type(error)), "spool: %s", describe(error))
