"""Event types declared as classes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypedDict

import pytest

import eventtracking_core as et
from eventtracking_core import PII, Doc, FieldDoc


class Mode(enum.Enum):
    EXAM = "exam"
    PRACTICE = "practice"


@et.event()
class CourseEvent:
    course_id: Annotated[str, Doc("A unique course identifier")]


@dataclass
class Answer:
    id: Annotated[str, Doc("Which answer")]
    correct: bool = False


class Place(TypedDict, total=False):
    ip: Annotated[str, PII("ip")]


@et.event("edx.problem.show_answer", owner="assessment", tags=("problem",))
class ShowAnswer(CourseEvent):
    """An answer was shown for a problem."""

    origin: ClassVar[str] = "server"
    problem_id: Annotated[str, Doc("A unique problem identifier")]
    user_email: Annotated[str | None, Doc("Who asked"), PII("email")] = None
    attempts: int = 0
    mode: Literal["exam", "practice"] = "exam"
    answers: list[Answer] = field(default_factory=list)
    first: Answer | None = None
    where: Place | None = None
    extra: Any = None


def test_annotations_and_docstring_are_the_record():
    record = ShowAnswer.__event_type__

    assert record.name == "edx.problem.show_answer"
    assert record.description == "An answer was shown for a problem."
    assert (record.owner, record.tags) == ("assessment", ("problem",))
    assert {doc.name: doc for doc in record.fields} == {
        doc.name: doc
        for doc in [
            FieldDoc("course_id", "A unique course identifier", "string"),
            FieldDoc("problem_id", "A unique problem identifier", "string"),
            FieldDoc("user_email", "Who asked", "string|null", required=False, pii="email"),
            FieldDoc("attempts", "", "integer", required=False),
            FieldDoc("mode", "", "string", required=False, enum=("exam", "practice")),
            FieldDoc("answers", "", "array", required=False),
            FieldDoc("answers.id", "Which answer", "string"),
            FieldDoc("answers.correct", "", "boolean", required=False),
            FieldDoc("first", "", "object|null", required=False),
            FieldDoc("first.id", "Which answer", "string"),
            FieldDoc("first.correct", "", "boolean", required=False),
            FieldDoc("where", "", "object|null", required=False),
            FieldDoc("where.ip", "", "string", required=False, pii="ip"),
            FieldDoc("extra", "", None, required=False),
        ]
    }


def test_an_instance_is_emitted_as_plain_data_that_refers_to_its_record(memory):
    tracker = et.Tracker({"memory": memory}, strict=True)
    shown = ShowAnswer(course_id="c1", problem_id="p1", answers=[Answer("a1")], first=Answer("a2"))
    tracker.emit(shown)

    (event,) = memory.events
    assert event["name"] == "edx.problem.show_answer"
    assert event["name_id"] == ShowAnswer.__event_type__.id
    assert event["data"] == {
        "course_id": "c1",
        "problem_id": "p1",
        "user_email": None,
        "attempts": 0,
        "mode": "exam",
        "answers": [{"id": "a1", "correct": False}],
        "first": {"id": "a2", "correct": False},
        "where": None,
        "extra": None,
    }


def test_what_is_emitted_is_a_copy(memory):
    @et.event("edx.test.copied")
    class Copied:
        value: int

    tracker = et.Tracker({"memory": memory})
    event = Copied(value=1)
    tracker.emit(event)
    vars(event)["value"] = 2
    tracker.emit(event, timestamp=datetime(2026, 1, 1, tzinfo=UTC))

    assert [each["data"] for each in memory.events] == [{"value": 1}, {"value": 2}]


def test_two_classes_of_one_name_are_two_versions_and_each_event_refers_to_its_own(memory):
    @et.event("edx.test.versioned")
    class First:
        """Version 1."""

        a: int

    @et.event("edx.test.versioned")
    class Second:
        """Version 2."""

        a: int
        b: int = 0

    tracker = et.Tracker({"memory": memory}, strict=True)
    tracker.emit(Second(a=1))
    tracker.emit(First(a=1))
    tracker.emit(Second(a=2))

    first, second = First.__event_type__.id, Second.__event_type__.id
    assert [event["name_id"] for event in memory.events] == [second, first, second]
    assert {record.id for record in tracker.event_types} == {first, second}


def test_a_declared_type_is_known_to_the_default_tracker_at_once():
    @et.event("edx.test.declared")
    class Declared:
        a: int

    assert et.get_tracker().event_types.get("edx.test.declared") is not None
    assert Declared(a=1) == Declared(a=1)


def test_a_value_of_another_type_is_a_mismatch(memory):
    tracker = et.Tracker({"memory": memory})
    tracker.emit(ShowAnswer(course_id="c1", problem_id=3))

    assert len(memory.events) == 1
    assert tracker.stats()["warnings"] == {"type_mismatch": 1}


def test_enum_members_and_times_are_what_json_makes_of_them(memory):
    @et.event("edx.test.values")
    class Values:
        mode: Mode
        when: datetime
        raw: bytes

    kinds = {doc.name: (doc.type, doc.enum) for doc in Values.__event_type__.fields}
    assert kinds["mode"] == ("string", ("exam", "practice"))
    assert kinds["when"] == kinds["raw"] == ("string", ())

    tracker = et.Tracker({"memory": memory}, strict=True)
    tracker.emit(Values(mode=Mode.EXAM, when=datetime.now(UTC), raw=b"x"))
    assert len(memory.events) == 1


def test_an_annotation_that_cannot_be_resolved_is_refused():
    with pytest.raises(ValueError, match="resolved at run time"):

        @et.event("edx.test.unresolved")
        class Unresolved:
            a: NoSuchType  # noqa: F821


def test_a_base_without_a_name_is_no_event(memory):
    tracker = et.Tracker({"memory": memory})
    tracker.emit(CourseEvent(course_id="c1"))

    assert memory.events[0]["name"] == "unknown"


def test_a_class_that_cannot_be_read_does_not_lose_the_event(memory):
    class Meta(type):
        def __getattr__(cls, name):
            raise RuntimeError

    class Hostile(metaclass=Meta):
        pass

    event_id = et.Tracker({"memory": memory}).emit(Hostile())

    assert [event["id"] for event in memory.events] == [event_id]
