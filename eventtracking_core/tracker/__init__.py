"""Trackers: contexts are entered and events emitted here."""
