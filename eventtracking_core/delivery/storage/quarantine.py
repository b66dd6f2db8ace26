"""Where a spool sets aside bytes that are no sound record."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from eventtracking_core.delivery.storage.directory import make_private
from eventtracking_core.diagnostics import describe, report

__all__ = ["quarantine"]


def quarantine(path: Path, damage: bytes) -> None:
    """Keep damaged bytes in a file of their own, for whoever wants to look at them."""
    report(logging.ERROR, "damaged", "spool: %d damaged bytes were set aside", len(damage))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        make_private(path.parent)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(damage)
    except OSError as error:
        report(logging.ERROR, ("aside", type(error)), "spool: %s", describe(error))
