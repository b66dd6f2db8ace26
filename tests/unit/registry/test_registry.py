"""What `register` keeps, and what it refuses."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

import eventtracking_core as et
from eventtracking_core.registry import find_record
from eventtracking_core.registry.registry import MAX_TYPES

NAME = "edx.problem.show_answer"


def test_a_registered_type_is_found_by_its_name_and_by_its_id():
    tracker = et.Tracker()
    types = tracker.event_types
    record = tracker.register(NAME, "An answer was shown.", {"problem_id": "Which problem"})

    assert types.get(NAME) is record
    assert types.record(record.id) is record
    assert find_record(record.id) is not None
    assert tuple(types) == types.records() == (record,)
    assert len(types) == 1
    assert types.get("edx.problem.other") is None


def test_the_last_registration_of_a_name_holds_and_earlier_records_stay():
    tracker = et.Tracker()
    types = tracker.event_types
    first = tracker.register(NAME, "An answer was shown.")
    second = tracker.register(NAME, "An answer was shown for a problem.")

    assert first.id != second.id
    assert types.get(NAME) is second
    assert types.record(first.id) is first
    assert types.records() == (first, second)


def test_what_is_said_again_is_the_same_record_and_holds_again():
    tracker = et.Tracker()
    types = tracker.event_types
    first = tracker.register(NAME, "one")
    tracker.register(NAME, "two")

    assert tracker.register(NAME, "one") is first
    assert types.get(NAME) is first
    assert len(types) == 2


def test_a_record_says_when_and_where_without_values_or_absolute_paths():
    def registers(secret):
        return et.Tracker().register(NAME, "described")

    record = registers("hunter2")

    assert 0 <= (datetime.now(UTC) - record.registered_at).total_seconds() < 60
    assert record.stack_trace[-1].endswith(" in registers")
    assert "test_registry.py:" in record.stack_trace[-1]
    assert not any(frame.startswith("/") for frame in record.stack_trace)
    assert "hunter2" not in str(record.to_dict())


def test_types_are_registered_where_the_current_directory_was_removed(tmp_path, monkeypatch):
    directory = tmp_path / "removed"
    directory.mkdir()
    monkeypatch.chdir(directory)
    directory.rmdir()

    assert et.Tracker().register(NAME).stack_trace


def test_types_are_registered_where_the_import_path_holds_anything_but_text(monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path, Path("/somewhere"), b"/elsewhere", None])

    record = et.Tracker().register(NAME)

    assert "test_registry.py:" in "".join(record.stack_trace)
    assert not any(frame.startswith("/") for frame in record.stack_trace)


@pytest.mark.parametrize("value", ["0", "off", "False"])
def test_stack_traces_can_be_switched_off(monkeypatch, value):
    monkeypatch.setenv("EVENTTRACKING_STACK_TRACES", value)

    assert et.Tracker().register(NAME).stack_trace == ()


def test_fields_may_be_described_in_full_under_dotted_names():
    record = et.Tracker().register(
        NAME,
        field_descriptions={
            "user": "Who asked",
            "user.email": et.FieldDoc("email", "Where to write", type="string", pii="email"),
        },
    )

    assert record.fields == (
        et.FieldDoc("user", "Who asked"),
        et.FieldDoc("user.email", "Where to write", type="string", pii="email"),
    )


@pytest.mark.parametrize(
    ("name", "fields"),
    [("", {}), (None, {}), (NAME, {"a": 1}), (NAME, {1: "a"}), (NAME, ["a"]), (NAME, "a")],
)
def test_what_cannot_be_meant_is_refused(name, fields):
    with pytest.raises(ValueError, match=r"name|field"):
        et.Tracker().register(name, "described", fields)


def test_a_name_without_a_dot_is_warned_of_once(caplog):
    tracker = et.Tracker()
    tracker.register("show_answer", "one")
    tracker.register("show_answer", "two")
    tracker.register(NAME)

    (logged,) = caplog.records
    assert (logged.code, logged.event_name) == ("undotted_name", "show_answer")


def test_the_number_of_types_is_bounded():
    tracker = et.Tracker()
    types = tracker.event_types
    for number in range(MAX_TYPES + 10):
        types.add(et.EventType(name=f"made.up.{number}"))

    assert len(types) == MAX_TYPES
    assert types.get(f"made.up.{MAX_TYPES}") is None
    assert types.describe_context("one too many", "described") is None


@pytest.mark.native
def test_threads_register_at_once():
    tracker = et.Tracker()
    barrier = threading.Barrier(8)

    def register(part):
        barrier.wait()
        for number in range(50):
            tracker.register(f"thread.{part}.{number}", "described", {"a": "b"})

    threads = [threading.Thread(target=register, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tracker.event_types) == 400


def test_the_module_registers_with_the_default_tracker():
    record = et.register("edx.test.of_the_module", "described", {"a": "b"}, owner="tests")

    assert et.get_tracker().event_types.get("edx.test.of_the_module") is record
    assert record.owner == "tests"


def test_every_text_of_a_record_can_be_written_as_utf_8(tracker):
    record = tracker.register(
        "edx.a.b",
        "Text \ud800.",
        {"f\udfff": et.FieldDoc("f\udfff", "\udc80", enum=("\ud800",))},
        tags=["\ud800"],
        owner="\ud800",
        examples=[{"f": ["\ud800", {"\ud801": 1}]}],
    )

    assert json.dumps(record.to_dict(), ensure_ascii=False).encode()
    assert record.description == "Text \\ud800."
    assert et.EventType.from_dict(record.to_dict()) == record
