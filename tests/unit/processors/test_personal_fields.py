"""Changing fields by the class of personal data that their types declare."""

from __future__ import annotations

import logging
from typing import Annotated

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.processors.drop_pii import DropPii
from eventtracking_core.processors.redact import Redact

EMAIL, ADDRESS = "ann@example.org", "203.0.113.7"
KEY = "0123456789abcdef0123456789abcdef"
FIELDS = {
    "problem_id": "Which problem.",
    "email": et.FieldDoc("", "Whose answer.", pii="email"),
    "answers.author.email": et.FieldDoc("", "Who wrote it.", pii="email"),
    "address": et.FieldDoc("", "From where.", pii="ip"),
}
DATA = {
    "problem_id": "p1",
    "email": EMAIL,
    "answers": [{"author": {"email": EMAIL, "level": 1}}, {"text": "x"}],
    "address": ADDRESS,
}


@pytest.fixture
def routed():
    """Makes a tracker that processes events, and returns it with what is left of them."""

    def make(*processors):
        tracker, memory = et.Tracker(), MemoryBackend()
        tracker.configure({"processors": list(processors), "backends": {"memory": memory}})
        return tracker, memory

    return make


PROCESSORS = {
    "redact": {"type": "redact", "pii": ["email"]},
    "redact, replacing": {"type": "redact", "pii": ["email"], "replacement": "***"},
    "drop_pii": {"type": "drop_pii", "classes": ["email"]},
    "drop_pii, all of it": "drop_pii",
    "pseudonymize": {"type": "pseudonymize", "pii": ["email"], "key": KEY},
    "truncate_ip": {"type": "truncate_ip", "pii": ["email"]},
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_no_value_of_the_class_is_left_and_the_rest_is(name, routed):
    tracker, memory = routed(PROCESSORS[name])
    tracker.register("problem.check", "A problem was checked.", FIELDS)
    tracker.emit("problem.check", DATA)

    [left] = memory.events
    assert EMAIL not in repr(left)
    assert left["data"]["problem_id"] == "p1"
    assert left["data"]["answers"][0]["author"]["level"] == 1
    assert left["data"]["answers"][1] == {"text": "x"}
    assert (ADDRESS in repr(left)) is (name != "drop_pii, all of it")


def test_the_caller_keeps_its_data(routed):
    tracker, _ = routed("drop_pii")
    tracker.register("problem.check", "", FIELDS)
    data = {"email": EMAIL, "answers": [{"author": {"email": EMAIL}}]}
    tracker.emit("problem.check", data)

    assert data == {"email": EMAIL, "answers": [{"author": {"email": EMAIL}}]}


def test_what_types_say_of_the_context_counts(routed):
    tracker, memory = routed("drop_pii")
    docs = {"ip": et.FieldDoc("", pii="ip")}
    tracker.register("problem.check", "", {}, docs)
    with tracker.context(ip=ADDRESS, course="c1"):
        tracker.emit("problem.check")

    assert memory.events[0]["context"] == {"course": "c1"}


def test_what_described_contexts_say_counts(routed, an_event):
    tracker, memory = routed("drop_pii")
    tracker.register("edx.problem.check", "")
    types = tracker.event_types
    request = types.describe_context("request", "", {"ip": et.FieldDoc("", pii="ip")})
    user = types.describe_context("user", "", {"email": et.FieldDoc("", pii="email")})
    for context_id in (request, types.compose((request, user))):
        context = {"ip": ADDRESS, "email": EMAIL}
        tracker.send(an_event(context=context, context_type_id=context_id))

    assert [event["context"] for event in memory.events] == [{"email": EMAIL}, {}]


def test_contexts_that_are_described_as_they_are_entered_count(routed):
    tracker, memory = routed("drop_pii")
    tracker.register("problem.check", "")
    tracker.enter_context("course", {"course": "c1"})
    request = tracker.context("request", {"ip": ADDRESS}, "", {"ip": et.FieldDoc("", pii="ip")})
    with request, tracker.context("user", {"id": 7}, "", {"id": et.FieldDoc("", pii="id")}):
        tracker.emit("problem.check")

    assert memory.events[0]["context"] == {"course": "c1"}


def test_a_class_declares_its_fields(routed):
    @et.event("problem.asked")
    class Asked:
        problem_id: str
        email: Annotated[str, et.PII("email")]

    tracker, memory = routed("drop_pii")
    tracker.emit(Asked(problem_id="p1", email=EMAIL))

    assert memory.events[0]["data"] == {"problem_id": "p1"}


def test_the_field_of_an_older_version_is_as_personal_as_it_was(routed, an_event):
    tracker, memory = routed("drop_pii")
    old = tracker.register("edx.problem.check", "", {"mail": et.FieldDoc("", pii="email")})
    tracker.register("edx.problem.check", "", {"email": et.FieldDoc("", pii="email")})
    tracker.send(an_event({"mail": EMAIL, "email": EMAIL, "n": 1}, name_id=old.id))

    assert memory.events[0]["data"] == {"n": 1}


def test_the_id_of_another_type_hides_nothing(routed, an_event):
    tracker, memory = routed("drop_pii")
    tracker.register("edx.problem.check", "", {"email": et.FieldDoc("", pii="email")})
    harmless = tracker.register("harmless.type", "")
    tracker.send(an_event({"email": EMAIL, "n": 1}, name_id=harmless.id))
    tracker.send(an_event({"email": EMAIL}, name="made.up", name_id=harmless.id))
    tracker.send(an_event({"email": EMAIL, "n": 2}, name_id="0" * 16))

    assert [event["data"] for event in memory.events] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("name", PROCESSORS)
def test_an_event_of_unknown_type_is_dropped_and_told_of(name, routed, caplog):
    tracker, memory = routed(PROCESSORS[name])
    tracker.register("problem.check", "", FIELDS)
    with caplog.at_level(logging.WARNING, "eventtracking"):
        tracker.emit(f"unregistered.{name}", {"email": EMAIL})

    assert memory.events == []
    assert tracker.stats()["tree"]["dropped"] == {"pii": 1}
    told = [record for record in caplog.records if getattr(record, "reason", "") == "pii"]
    assert [record.event_name for record in told] == [f"unregistered.{name}"]
    assert EMAIL not in caplog.text


def test_an_event_in_an_unknown_context_is_dropped(routed, an_event):
    tracker, memory = routed("drop_pii")
    tracker.register("edx.problem.check", "")
    tracker.send(an_event(context={"ip": ADDRESS}, context_type_id="0" * 16))

    assert memory.events == []


def test_events_of_unknown_type_pass_where_that_is_said(routed):
    redact = {"type": "redact", "fields": ["data.a"], "pii": ["x"], "unclassified": "pass"}
    tracker, memory = routed(redact)
    tracker.emit("unregistered.type", {"a": 1, "b": 2})

    assert memory.events[0]["data"] == {"b": 2}


def test_fields_alone_need_no_types(routed):
    tracker, memory = routed({"type": "redact", "fields": ["data.a"]})
    tracker.emit("unregistered.type", {"a": 1, "b": 2})

    assert memory.events[0]["data"] == {"b": 2}


@pytest.mark.parametrize("when", ["at first", "later"])
def test_processors_of_code_find_the_types_of_their_tracker(when, memory):
    processors = [DropPii()] if when == "at first" else []
    tracker = et.Tracker({"memory": memory}, processors=processors)
    if when == "later":
        tracker.root.register_processor(DropPii())
    tracker.register("problem.check", "", FIELDS)
    tracker.emit("problem.check", {"email": EMAIL, "n": 1})

    assert [event["data"] for event in memory.events] == [{"n": 1}]


def test_processors_below_a_router_of_a_class_of_its_own_find_them_too(memory):
    class Own(et.RoutingBackend):
        def send_to_backends(self, event):
            super().send_to_backends(event)

    tracker = et.Tracker({"own": Own({"memory": memory}, [DropPii()])})
    tracker.register("problem.check", "", FIELDS)
    tracker.emit("problem.check", {"email": EMAIL, "n": 1})

    assert [event["data"] for event in memory.events] == [{"n": 1}]


def test_two_trackers_go_by_their_own_types(routed):
    one, ones = routed("drop_pii")
    other, others = routed("drop_pii")
    one.register("problem.check", "", FIELDS)
    other.register("problem.check", "", {"n": et.FieldDoc("", pii="x")})
    for tracker in (one, other):
        tracker.emit("problem.check", {"email": EMAIL, "n": 1})

    assert ones.events[0]["data"] == {"n": 1}
    assert others.events[0]["data"] == {"email": EMAIL}


def test_a_processor_of_no_tracker_knows_no_type(passes, an_event):
    assert not passes(DropPii(), an_event({"email": EMAIL}))


def test_names_of_fields_that_cannot_be_written_in_a_configuration_count(an_event):
    tracker = et.Tracker()
    docs = {name: et.FieldDoc(name, pii="x") for name in ("", "a..b", ".c")}
    tracker.register("edx.problem.check", "", docs)
    drop = DropPii()
    drop.bind_event_types(tracker.event_types, ())
    left = drop(an_event({"": 1, "a..b": 2, ".c": 3, "d": 4}))

    assert left["data"] == {"d": 4}


@pytest.mark.parametrize("wrong", [{}, {"fields": []}, {"pii": []}])
def test_there_must_be_something_to_look_for(wrong):
    with pytest.raises(ValueError, match="name fields, or classes"):
        Redact(**wrong)


def test_unclassified_is_one_of_two_words():
    with pytest.raises(ValueError, match="drop or pass"):
        DropPii(unclassified="keep")
