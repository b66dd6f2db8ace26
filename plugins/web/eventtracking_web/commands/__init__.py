"""The command that the plugin adds to the program `eventtracking`."""

from __future__ import annotations

from eventtracking_web.commands.collecting import collector

__all__ = ["collector"]
