"""Classes that people have already declare events, and their instances are data."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import attrs
import msgspec
import pytest
from pydantic import BaseModel, Field

from eventtracking_core import PII, Doc, event


class Place(BaseModel):
    room: int = 3


@event("test.attrs")
@attrs.define
class Slotted:
    """An answer was shown."""

    number: Annotated[int, Doc("Which one")]
    mail: Annotated[str, PII("email")] = "a@b.c"


@event("test.frozen")
@attrs.frozen(slots=False)
class Frozen:
    """An answer was shown."""

    number: Annotated[int, Doc("Which one")]
    mail: Annotated[str, PII("email")] = "a@b.c"


@event("test.pydantic")
class Model(BaseModel):
    """An answer was shown."""

    number: Annotated[int, Doc("Which one")]
    mail: Annotated[str, PII("email")] = "a@b.c"


@event("test.dataclass")
@dataclasses.dataclass(slots=True, frozen=True)
class Data:
    """An answer was shown."""

    number: Annotated[int, Doc("Which one")]
    mail: Annotated[str, PII("email")] = "a@b.c"


@event("test.struct")
class Struct(msgspec.Struct):
    """An answer was shown."""

    number: Annotated[int, Doc("Which one")]
    mail: Annotated[str, PII("email")] = "a@b.c"


CLASSES = [Slotted, Frozen, Model, Data, Struct]


@pytest.mark.parametrize("cls", CLASSES)
def test_an_instance_of_a_class_that_is_a_record_already_is_an_event(cls, tracker, memory):
    tracker.emit(cls(number=1))

    [emitted] = memory.events

    assert emitted["name"] == cls.__event_type__.name
    assert emitted["data"] == {"number": 1, "mail": "a@b.c"}
    assert emitted["name_id"] == cls.__event_type__.id
    assert tracker.stats()["warnings"] == {}


@pytest.mark.parametrize("cls", CLASSES)
def test_its_annotations_are_the_fields(cls):
    number, mail = cls.__event_type__.fields

    assert (number.name, number.type, number.required) == ("number", "integer", True)
    assert number.description == "Which one"
    assert (mail.name, mail.type, mail.required, mail.pii) == ("mail", "string", False, "email")
    assert cls.__event_type__.description == "An answer was shown."


@pytest.mark.parametrize("cls", CLASSES)
def test_the_fields_of_a_record_are_the_data_of_any_event(cls, tracker, memory):
    tracker.emit("test.other", cls(number=2))

    assert memory.events[0]["data"] == {"number": 2, "mail": "a@b.c"}


class Visit(BaseModel):
    place: Place = Field(default_factory=Place)
    places: list[Place] = Field(default_factory=lambda: [Place(room=4)])


def test_records_within_a_record_are_dicts(tracker, memory):
    tracker.emit("test.visited", Visit())

    assert memory.events[0]["data"] == {"place": {"room": 3}, "places": [{"room": 4}]}


def test_a_record_that_cannot_be_read_costs_no_event(tracker, memory):
    broken = Slotted(number=1)
    del broken.number

    tracker.emit("test.broken", broken)

    assert len(memory.events) == 1
