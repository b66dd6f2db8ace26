"""These tests run where the drop-in is installed: `tox -e compat`.

Elsewhere the package `eventtracking` is that of the published distribution, or is not there.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

try:
    distribution("eventtracking-compat")
except PackageNotFoundError:
    collect_ignore_glob = ["test_*.py"]
