"""Encoders know a context again that they saw before; what they write is the same."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from eventtracking_core import Tracker
from eventtracking_core.encoding import decode_msgpack, encode_json, encode_msgpack


class EqualToAll(str):
    """A value that says it equals every other one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


class Encoding:
    """Only reads events, so that they share their contexts with the tracker."""

    is_read_only = True

    def __init__(self, encode: Any) -> None:
        self._encode = encode
        self.lines: list[Any] = []

    def send(self, event: Any) -> None:
        self.lines.append(self._encode(event))


def as_json(event: Any) -> Any:
    return json.loads(encode_json(event))


def as_msgpack(event: Any) -> Any:
    return decode_msgpack(encode_msgpack(event))


@pytest.fixture(params=[as_json, as_msgpack])
def backend(request):
    return Encoding(request.param)


@pytest.fixture
def tracker(backend):
    tracker = Tracker(backends={"sink": backend})
    yield tracker
    tracker.shutdown()


def test_contexts_that_are_equal_keep_the_values_they_have(tracker, backend):
    contexts = [{"a": 1}, {"a": True}, {"a": 1.0}, {"a": 1}, {"a": True}]
    for context in contexts:
        with tracker.context("request", context):
            tracker.emit("a.b", {})
            tracker.emit("a.b", {})
    written = [line["context"]["a"] for line in backend.lines]
    assert [(type(value), value) for value in written] == [
        (type(context["a"]), context["a"]) for context in contexts for _ in range(2)
    ]


def test_a_value_that_equals_all_others_hides_nothing_in_later_contexts(tracker, backend):
    contexts: list[dict[str, Any]] = [
        {"a": "plain"},
        {"a": EqualToAll("equal")},
        {"a": datetime(2026, 1, 2, 3, 4, 5)},  # noqa: DTZ001  one without an offset
        {"a": {"deep": datetime(2026, 1, 2, 3, 4, 5)}},  # noqa: DTZ001  as above
    ]
    for context in contexts:
        with tracker.context("request", context):
            tracker.emit("a.b", {})
            tracker.emit("a.b", {})
    for first, second in zip(backend.lines[::2], backend.lines[1::2], strict=True):
        assert first["context"] == second["context"]
    plain, equal, naive, deep = (line["context"]["a"] for line in backend.lines[::2])
    assert (plain, equal) == ("plain", "equal")
    for moment in (naive, deep["deep"]):
        text = moment if isinstance(moment, str) else moment.isoformat()
        assert text.startswith("2026-01-02T03:04:05")
        assert text.endswith(("Z", "+00:00"))
