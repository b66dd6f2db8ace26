"""Sinks that fail as scripted, and trackers that deliver to them."""

from __future__ import annotations

from delivery_fixtures import black_hole, configured, dead_letters, quick, sink, tracker_to

__all__ = ["black_hole", "configured", "dead_letters", "quick", "sink", "tracker_to"]
