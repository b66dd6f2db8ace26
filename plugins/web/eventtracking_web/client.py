"""The client for browsers, to be served with the static files of an application."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["CLIENT"]

CLIENT: Final = Path(__file__).with_name("static")
"""Directory with `eventtracking.min.js`, and with the modules `eventtracking.js`, `pages.js`,
`clicks.js` and `vitals.js`: the build of the npm package `@eventtracking/browser`."""
