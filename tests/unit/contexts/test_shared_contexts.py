"""Events share their context with the tracker if nothing changes it; no difference is visible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core import RoutingBackend, Tracker
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.backends.null import NullBackend
from eventtracking_core.processors.add import Add
from eventtracking_core.processors.redact import Redact
from eventtracking_core.processors.regex_filter import RegexFilter
from eventtracking_core.processors.truncate_ip import TruncateIp
from eventtracking_core.providers.static import Static

CONTEXT = {"user_id": 7, "path": "/"}


def spoil(event: Any) -> None:
    event["context"].clear()
    event["context"]["spoiled"] = True


class SpoilingBackend:
    """Changes what it gets, against the rules."""

    def send(self, event: Any) -> None:
        spoil(event)


class SpoilingNull(NullBackend):
    """Inherits from a backend that only reads."""

    def send(self, event: Any) -> None:
        spoil(event)


class SpoilingFilter(RegexFilter):
    """Inherits from a processor that only reads."""

    def passes(self, event: Any) -> bool:
        spoil(event)
        return True


def spoiling_processor(event: Any) -> None:
    spoil(event)


def returning_processor(event: Any) -> Any:
    spoil(event)
    return event


BACKENDS = st.sampled_from([SpoilingBackend, SpoilingNull, NullBackend, MemoryBackend])
PROCESSORS = st.sampled_from(
    [
        lambda: SpoilingFilter("allowlist", [".*"]),
        lambda: spoiling_processor,
        lambda: returning_processor,
        lambda: Redact(["context.path"]),
        lambda: Add({"context.more": 1}),
        lambda: RegexFilter("allowlist", [".*"]),
    ]
)
NODES = st.recursive(
    BACKENDS.map(lambda make: make()),
    lambda children: st.builds(
        lambda backends, processors: RoutingBackend(
            {str(number): backend for number, backend in enumerate(backends)},
            [make() for make in processors],
        ),
        st.lists(children, max_size=2),
        st.lists(PROCESSORS, max_size=2),
    ),
    max_leaves=4,
)


@given(
    nodes=st.lists(NODES, max_size=3),
    later=NODES,
    processors=st.lists(PROCESSORS, max_size=2),
    provided=st.sampled_from([{}, {"service": "lms", "path": "/below"}]),
)
def test_whatever_backends_and_processors_do_the_next_event_has_the_contexts_that_were_entered(
    nodes, later, processors, provided
):
    seen = MemoryBackend()
    tracker = Tracker({"a": seen, **{f"b{number}": node for number, node in enumerate(nodes)}})
    if provided:
        tracker.add_context_provider(Static(provided))
    with tracker.context("request", CONTEXT):
        for _ in range(3):
            tracker.emit("first")
        tracker.root.register_backend("z", later)
        tracker.emit("second")
        for make in processors:
            tracker.root.register_processor(make())
        tracker.emit("third")

        assert tracker.resolve_context() == CONTEXT
        assert tracker.event_context() == provided | CONTEXT
    tracker.shutdown()

    assert [event["context"] for event in seen.events[:4]] == [provided | CONTEXT] * 4


@pytest.mark.parametrize("delivery", ["inline", "queue"])
def test_a_backend_that_changes_events_may_take_the_place_of_one_that_only_reads_them(delivery):
    tracker = Tracker()
    tracker.configure({"backends": {"a": {"type": "null", "delivery": delivery}}})
    with tracker.context("request", CONTEXT):
        tracker.emit("first")
        tracker.root.register_backend("a", SpoilingNull())
        tracker.emit("second")

        assert tracker.resolve_context() == CONTEXT
    tracker.shutdown()


def test_an_entered_context_that_is_changed_through_the_stack_changes_no_event():
    tracker = Tracker({"a": NullBackend()})
    with tracker.context("request", CONTEXT):
        tracker.emit("first")
        tracker.located_context["request"]["user_id"] = 8  # type: ignore[index]

        assert tracker.resolve_context() == CONTEXT
    tracker.shutdown()


def test_a_change_of_a_located_context_changes_no_event() -> None:
    tracker, memory = Tracker(), MemoryBackend()
    tracker.configure({"backends": {"memory": memory}})
    with tracker.context("request", CONTEXT):
        tracker.emit("before")
        located: Any = tracker.located_context["request"]
        located["spoiled"] = True
        tracker.emit("after")
    assert [event["context"] for event in memory.events] == [CONTEXT, CONTEXT]


def test_with_providers_of_constants_each_event_has_the_contexts_that_are_entered_there() -> None:
    tracker = Tracker({"memory": (memory := MemoryBackend())})
    tracker.add_context_provider(Static({"service": "lms"}))

    def emit_three() -> None:  # the second and the third may share what the one before had
        for _ in range(3):
            tracker.emit("a.b")

    def generate() -> Iterator[None]:
        with tracker.context("inner", {"inner": 1}):
            yield

    with tracker.context("request", CONTEXT):
        emit_three()
        generator = generate()
        next(generator)
        emit_three()
        generator.close()
        emit_three()
    emit_three()
    service = {"service": "lms"}
    contexts = [service | CONTEXT, service | CONTEXT | {"inner": 1}, service | CONTEXT, service]
    assert [event["context"] for event in memory.events] == [
        context for context in contexts for _ in range(3)
    ]


def test_a_processor_changes_a_context_that_it_saw_before_and_what_was_changed_in_it() -> None:
    truncate_ip = TruncateIp(["context.ip"])
    tracker = Tracker({"memory": (memory := MemoryBackend())}, processors=[truncate_ip])
    addresses = ["203.0.113.7"]
    for ip in ("203.0.113.7", addresses, "203.0.113.8"):
        with tracker.context("request", {"ip": ip, "user_id": 7}):
            for _ in range(4):
                tracker.emit("a.b")
            addresses.append("198.51.100.9")
            tracker.emit("a.b")
    seen = [event["context"]["ip"] for event in memory.events]
    assert seen[:5] == seen[10:] == ["203.0.113.0"] * 5
    once = ["203.0.113.0", "198.51.100.0"]
    assert seen[5:10] == [once] * 4 + [[*once, "198.51.100.0"]]
    assert all(event["context"]["user_id"] == 7 for event in memory.events)
