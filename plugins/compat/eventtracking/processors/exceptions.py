"""Exceptions that processors raise; they are those of the core."""

from __future__ import annotations

from eventtracking_core.errors import EventEmissionExit, NoBackendEnabled, NoTransformerImplemented

__all__ = ["EventEmissionExit", "NoBackendEnabled", "NoTransformerImplemented"]
