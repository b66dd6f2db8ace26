"""The names of `event-tracking`, over eventtracking-core and its plugins."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

__all__: list[str] = []

__version__ = "0.1.0"


def _refuse_both() -> None:
    """Refuse to be imported beside the distribution that has the same package.

    Raises:
        ImportError: `event-tracking` is installed too.
    """
    try:
        other = distribution("event-tracking")
    except PackageNotFoundError:
        return
    raise ImportError(
        f"event-tracking {other.version} and eventtracking-compat are both installed, and both have"
        " the package `eventtracking`: uninstall both, then install the one you want"
        " (pip uninstall event-tracking eventtracking-compat && pip install eventtracking-compat)"
    )


_refuse_both()
