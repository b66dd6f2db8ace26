"""Configuration from a project's settings."""

from __future__ import annotations

from django.test import override_settings

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_django import DjangoTracker


def test_overridden_settings_configure_the_default_tracker_and_are_taken_back():
    backend = MemoryBackend()
    before = et.get_tracker()
    with override_settings(EVENTTRACKING={"backends": {"memory": backend}}):
        et.emit("inside")
    et.emit("outside")
    assert [event["name"] for event in backend.events] == ["inside"]
    assert et.get_tracker() is before


def test_the_settings_of_event_tracking_work_unchanged():
    settings = {
        "EVENT_TRACKING_ENABLED": True,
        "EVENT_TRACKING_PROCESSORS": [
            {
                "ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor",
                "OPTIONS": {"whitelist": ["kept"]},
            }
        ],
        "EVENT_TRACKING_BACKENDS": {
            "outer": {
                "ENGINE": "eventtracking.backends.routing.RoutingBackend",
                "OPTIONS": {
                    "backends": {
                        "inner": {
                            "ENGINE": "eventtracking_core.backends.memory.MemoryBackend",
                            "OPTIONS": {},
                        }
                    },
                    "processors": [
                        {
                            "ENGINE": "eventtracking.processors.regex_filter.RegexFilter",
                            "OPTIONS": {"regular_expressions": ["k.*"]},
                        }
                    ],
                },
            }
        },
    }
    with override_settings(**settings):
        et.emit("kept")
        et.emit("dropped")
        inner = et.get_tracker().get_backend("outer").backends["inner"]
        assert [event["name"] for event in inner.events] == ["kept"]


def test_event_tracking_that_is_not_enabled_sends_nothing():
    backend = MemoryBackend()
    with override_settings(EVENT_TRACKING_ENABLED=False, EVENT_TRACKING_BACKENDS={"m": backend}):
        et.emit("silent")
    assert not backend.events


def test_configure_without_a_configuration_reads_the_settings():
    backend = MemoryBackend()
    with override_settings(EVENTTRACKING={"backends": {"memory": backend}}):
        tracker = et.Tracker()
        tracker.configure()
        tracker.emit("a")
        named = DjangoTracker("second")
        named.emit("b")
        assert et.get_tracker("second") is named
    assert [event["name"] for event in backend.events] == ["a", "b"]
