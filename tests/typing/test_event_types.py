"""The types that a declaration of event types has: what type checkers accept and refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, assert_type

import pytest

import eventtracking_core as et
from eventtracking_core import PII, Doc, EventType, FieldDoc
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.registry import MetadataStore, Registry


@et.event()
class CourseEvent:
    """Something happened in a course."""

    course_id: Annotated[str, Doc("A unique course identifier")]


@et.event("edx.problem.show_answer", owner="assessment", tags=["problem"])
class ShowAnswer(CourseEvent):
    """An answer was shown for a problem."""

    problem_id: Annotated[str, Doc("A unique problem identifier")]
    user_email: Annotated[str | None, Doc("Who asked"), PII("email")] = None
    mode: Literal["exam", "practice"] = "exam"
    answers: list[str] = field(default_factory=list)


def test_a_declared_event_is_emitted() -> None:
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, strict=True)
    shown = ShowAnswer(course_id="c1", problem_id="p1", answers=["a1"])
    assert_type(shown, ShowAnswer)
    assert assert_type(shown.user_email, str | None) is None
    assert_type(tracker.emit(shown), str)
    assert memory.events[0]["data"]["problem_id"] == "p1"


def test_what_is_missing_unknown_or_of_another_type_is_seen_by_type_checkers() -> None:
    with pytest.raises(TypeError):
        ShowAnswer(course_id="c1")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        ShowAnswer(course_id="c1", problem_id="p1", colour="red")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        ShowAnswer("c1", "p1")  # type: ignore[call-arg]
    ShowAnswer(course_id="c1", problem_id=1)  # type: ignore[arg-type]
    ShowAnswer(course_id="c1", problem_id="p1", mode="party")  # type: ignore[arg-type]


def test_an_event_is_not_changed() -> None:
    shown = ShowAnswer(course_id="c1", problem_id="p1")
    shown.problem_id = "p2"  # type: ignore[misc]


def test_a_registration_returns_its_record() -> None:
    fields: Mapping[str, str | FieldDoc] = {"a": "text", "b": FieldDoc("b", type="integer")}
    tracker = et.Tracker()
    record = assert_type(tracker.register("edx.a", "described", fields, {"c": "text"}), EventType)
    types = assert_type(tracker.event_types, Registry)
    assert_type(types.get("edx.a"), EventType | None)
    assert assert_type(types.records(), tuple[EventType, ...]) == (record,)
    assert_type(record.to_dict(), dict[str, Any])


def test_a_metadata_store_saves_and_loads() -> None:
    class Store:
        def __init__(self) -> None:
            self.records: list[EventType] = []

        def save_event_type(self, record: EventType, /) -> None:
            self.records.append(record)

        def load_event_types(self) -> list[EventType]:
            return self.records

    store: MetadataStore = Store()
    store.save_event_type(EventType(name="edx.a"))
    assert [record.name for record in store.load_event_types()] == ["edx.a"]
