"""Scenarios of Django's settings and of Celery."""

from __future__ import annotations

from datetime import UTC, datetime

from django.test import override_settings
from observing import (
    MEMORY,
    Failing,
    Log,
    Memory,
    raised,
    shown,
)

from eventtracking.backends.async_routing import AsyncRoutingBackend
from eventtracking.backends.routing import RoutingBackend
from eventtracking.django.django_tracker import DjangoTracker, override_default_tracker
from eventtracking.processors.exceptions import (
    EventEmissionExit,
    NoBackendEnabled,
    NoTransformerImplemented,
)
from eventtracking.tracker import Tracker, get_tracker, register_tracker


class DjangoMemory(Memory):
    pass


def django_trees():
    tracker = DjangoTracker()
    with Log("tl") as log:
        tracker.emit("kept", {"a": 1})
        tracker.emit("other", {"a": 1})
    nested = tracker.backends["nested"]
    memory = nested.backends["memory"]
    return [
        sorted(tracker.backends),
        type(nested).__name__,
        [type(each).__name__ for each in nested.processors],
        [memory.label, shown(memory.options), shown(memory.events)],
        len(log.lines),
        type(tracker.located_context).__name__,
    ]


def the_default_tracker_of_django():
    tracker = get_tracker()
    return [type(tracker).__name__, sorted(tracker.backends)]


def overriding_the_default_tracker():
    before = get_tracker()
    with override_settings(EVENT_TRACKING_BACKENDS={"m": {"ENGINE": MEMORY}}):
        result = raised(override_default_tracker)
        found = sorted(get_tracker().backends)
    register_tracker(before)
    with override_settings(EVENT_TRACKING_ENABLED=False):
        override_default_tracker()
        unchanged = get_tracker() is before
    register_tracker(before)
    return [result, found, unchanged]


def settings_of_any_form():
    def tracker(backends=None, processors=None):
        with override_settings(
            EVENT_TRACKING_BACKENDS=backends, EVENT_TRACKING_PROCESSORS=processors
        ):
            made = DjangoTracker()
            return [
                {name: type(each).__name__ for name, each in made.backends.items()},
                [type(each).__name__ for each in made.processors],
            ]

    cases = [
        ({}, []),
        ({"m": {"ENGINE": MEMORY}}, []),
        ({"m": {"ENGINE": MEMORY, "OPTIONS": {"a": {"ENGINE": MEMORY}}}}, []),
        ({"m": {"ENGINE": MEMORY, "OPTIONS": None}}, []),
        ({"m": {}}, []),
        ({"m": {"OPTIONS": {}}}, []),
        ({"m": {"ENGINE": "nowhere.Backend"}}, []),
        ({"m": {"ENGINE": "json.Nothing"}}, []),
        ({"m": {"ENGINE": "Memory"}}, []),
        ({"m": {"ENGINE": "json.loads"}}, []),
        ({"m": {"ENGINE": MEMORY, "OPTIONS": {"label": "l"}, "MORE": 1}}, []),
        ({"m": None}, []),
        ({"m": 7}, []),
        ({"m": Memory()}, []),
        (None, []),
        ({}, None),
        (
            {},
            [
                {
                    "ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor",
                    "OPTIONS": {"whitelist": []},
                }
            ],
        ),
        ({}, [{"ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor"}]),
        ({}, [{"ENGINE": "json.Nothing"}]),
        ({}, [print]),
        ({}, [{"OPTIONS": {}}]),
        ({}, {"a": {"ENGINE": MEMORY}}),
    ]
    return [raised(tracker, *case) for case in cases]


def options_are_instantiated_at_any_depth():
    inner = {"ENGINE": MEMORY, "OPTIONS": {"label": "inner"}}
    options = {
        "one": inner,
        "many": [inner, 7],
        "named": {"x": inner, "y": 7},
        "text": "t",
        "pair": (inner,),
    }
    with override_settings(EVENT_TRACKING_BACKENDS={"m": {"ENGINE": MEMORY, "OPTIONS": options}}):
        made = DjangoTracker().backends["m"]

    def kinds(value):
        if isinstance(value, dict):
            return {key: kinds(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [type(value).__name__, *map(kinds, value)]
        return type(value).__name__

    return kinds(made.options)


def settings_of_other_names():
    names = {"OTHER_BACKENDS": {"m": {"ENGINE": MEMORY}}, "OTHER_PROCESSORS": []}
    with override_settings(**names):
        tracker = DjangoTracker("OTHER_BACKENDS", "OTHER_PROCESSORS")
    return [sorted(tracker.backends), raised(DjangoTracker, "NOT_THERE", "NOT_THERE_EITHER")[0]]


def routing_through_celery():
    memory = Memory()

    def change(event):
        event["data"]["seen"] = True

    before = get_tracker()
    backend = AsyncRoutingBackend(backend_name="async", backends={"m": memory}, processors=[change])
    register_tracker(Tracker({"async": backend}))
    try:
        with Log("eventtracking") as log:
            get_tracker().emit("x", {"a": 1, "when": datetime(2026, 1, 1, tzinfo=UTC)})
    finally:
        register_tracker(before)
    return [
        [
            {**shown(event), "timestamp": type(event["timestamp"]).__name__}
            for event in memory.events
        ],
        log.lines,
    ]


def an_exit_on_the_way_to_celery():
    memory = Memory()
    before = get_tracker()
    backend = AsyncRoutingBackend(
        backend_name="async", backends={"m": memory}, processors=[Failing(EventEmissionExit("why"))]
    )
    register_tracker(Tracker({"async": backend}))
    try:
        with Log("eventtracking") as log:
            get_tracker().emit("x", {"a": 1})
    finally:
        register_tracker(before)
    return [len(memory.events), [line[:2] for line in log.lines]]


def wrong_names_of_async_backends():
    memory = Memory()
    backend = AsyncRoutingBackend(backends={"m": memory})
    with Log("eventtracking") as log:
        result = raised(backend.send, {"name": "x"})
    return [result, [line[:2] for line in log.lines], backend.backend_name, len(memory.events)]


def a_list_through_celery():
    memory = Memory()
    before = get_tracker()
    backend = AsyncRoutingBackend(
        backend_name="async",
        backends={"m": memory},
        processors=[lambda event: [{"a": 1}, {"b": 2}]],
    )
    register_tracker(Tracker({"async": backend}))
    try:
        get_tracker().emit("x", {"a": 1})
    finally:
        register_tracker(before)
    return shown(memory.events)


def what_modules_have():
    from eventtracking import exceptions
    from eventtracking.django import apps, django_tracker

    return [
        exceptions.ImproperlyConfigured.__mro__[1].__name__,
        apps.EventTrackingConfig.name,
        apps.EventTrackingConfig.label,
        django_tracker.DJANGO_BACKEND_SETTING_NAME,
        django_tracker.DJANGO_PROCESSOR_SETTING_NAME,
        django_tracker.DJANGO_ENABLED_SETTING_NAME,
        [
            each.__mro__[1].__name__
            for each in (EventEmissionExit, NoBackendEnabled, NoTransformerImplemented)
        ],
        issubclass(AsyncRoutingBackend, RoutingBackend),
        issubclass(DjangoTracker, Tracker),
    ]
