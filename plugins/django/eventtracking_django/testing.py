"""Helpers for tests of a Django project."""

from __future__ import annotations

from django.test import TestCase

from eventtracking_core.testing import CapturedEvents, capture

__all__ = ["EventTrackingTestCase"]


class EventTrackingTestCase(TestCase):
    """A test case whose `events` are those that the default tracker emits; its backends get none.

    They are captured where they are emitted, also if their transaction never commits, and also if
    the tracker is configured within the test.
    """

    events: CapturedEvents

    def setUp(self) -> None:
        """Start capturing."""
        super().setUp()
        self.events = self.enterContext(capture())
