"""The names of `event-tracking`, over eventtracking-core and its plugins."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

__all__: list[str] = []

__version__ = "0.1.0"


def _refuse_both() -> None:
    """Refuse to be imported beside the distribution that has the same package.

    Raises:
        ImportError: `event-tracking` is installed too.
    """
    if not _may_be_installed():
        return
    from importlib.metadata import PackageNotFoundError, distribution  # 6 MB

    try:
        other = distribution("event-tracking")
    except PackageNotFoundError:
        return
    raise ImportError(
        f"event-tracking {other.version} and eventtracking-compat are both installed, and both have"
        " the package `eventtracking`: uninstall both, then install the one you want"
        " (pip uninstall event-tracking eventtracking-compat && pip install eventtracking-compat)"
    )


def _may_be_installed() -> bool:
    """Return whether a directory on the path has a name like that of its metadata."""
    names: list[str] = []
    for directory in sys.path:
        with suppress(OSError):
            names += os.listdir(directory or ".")  # noqa: PTH208  pathlib costs imports
    return any(name.lower().replace("-", "_").startswith("event_tracking") for name in names)


_refuse_both()
