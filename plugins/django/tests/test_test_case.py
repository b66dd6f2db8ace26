"""The test case for projects."""

from __future__ import annotations

import unittest

from django.db import transaction

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_django.testing import EventTrackingTestCase


def result_of(case):
    result = unittest.TestResult()
    unittest.TestSuite([case]).run(result)
    assert result.testsRun == 1
    return result.errors + result.failures


def test_it_captures_what_a_view_emits_and_keeps_it_from_the_backends(memory, database):
    class Case(EventTrackingTestCase):
        def test(self):
            self.client.get("/orders/7/")
            self.events.one("shown", order=7, context={"path": "/orders/7/"})

    assert result_of(Case("test")) == []
    assert memory.events == []


def test_it_captures_also_after_a_configuration_and_without_a_commit(memory, database):
    class Case(EventTrackingTestCase):
        def test(self):
            backend = MemoryBackend()
            late = {"type": "django.on_commit", "backends": {"memory": backend}}
            with self.settings(EVENTTRACKING={"backends": {"late": late}}):
                with transaction.atomic():
                    et.emit("bought")
                self.events.one("bought")
            assert backend.events == []

    assert result_of(Case("test")) == []
