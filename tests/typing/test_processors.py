"""The types of processors, as functions and as classes, and of trees built in code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, assert_type

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.processors.name_allowlist import NameAllowlist
from eventtracking_core.processors.redact import Redact


def stamp(event: et.Event) -> et.Event:
    """Return a changed event."""
    return {**event, "data": {**event["data"], "stamped": True}}


def shorten(event: et.Event) -> None:
    """Change the event that it was given."""
    event["name"] = event["name"][:20]


class Only:
    """Drops what was not made by one user."""

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"

    def __init__(self, user_id: int) -> None:
        self._user_id = user_id

    def __call__(self, event: et.Event, /) -> None:
        if event["context"].get("user_id") != self._user_id:
            raise et.EventEmissionExit


def upper(name: str) -> str:
    """Return no event: no processor."""
    return name.upper()


def test_functions_and_classes_are_processors() -> None:
    processors: list[et.Processor] = [stamp, shorten, Only(1), Redact(["context.ip"])]
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, processors=processors)
    with tracker.context(user_id=1, ip="192.0.2.1"):
        tracker.emit("edx.course.enrollment.activated")
    with tracker.context(user_id=2):
        tracker.emit("edx.course.enrollment.activated")
    (event,) = assert_type(memory.events, list[et.Event])
    assert event["name"] == "edx.course.enrollmen"
    assert event["data"] == {"stamped": True}


def test_what_returns_no_event_is_no_processor() -> None:
    tracker = et.Tracker()
    tracker.root.register_processor(upper)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not callable"):
        tracker.root.register_processor("upper")  # type: ignore[arg-type]


def test_a_tree_is_built_of_routers_in_code() -> None:
    memory = MemoryBackend(max_events=10)
    inner = et.RoutingBackend({"memory": memory}, [NameAllowlist(["edx.problem.check"])])
    router: et.Backend = et.RoutingBackend(backends={"inner": inner}, processors=(stamp,))
    tracker = et.Tracker(backends={"router": router})
    for name in ("edx.problem.check", "edx.problem.show"):
        tracker.emit(name)
    assert [event["name"] for event in memory.events] == ["edx.problem.check"]
    assert_type(inner.backends, dict[str, et.Backend | et.BatchBackend])
    assert_type(inner.processors, list[et.Processor])


def test_a_router_registers_processes_and_sends() -> None:
    memory = MemoryBackend()
    router = et.RoutingBackend()
    router.register_backend("memory", memory)
    router.register_processor(stamp)
    with pytest.raises(ValueError, match="no callable send"):
        router.register_backend("number", 1)  # type: ignore[arg-type]

    event: et.Event = {
        "id": "01997c9e-0000-7000-8000-000000000001",
        "name": "edx.problem.check",
        "timestamp": datetime(2026, 9, 12, 12, 55, tzinfo=UTC),
        "context": {},
        "data": {},
    }
    processed = assert_type(router.process_event(event), et.Event | list[et.Event])
    assert isinstance(processed, dict)
    router.send_to_backends(processed)
    router.send(event)
    assert memory.events == [processed, processed]
