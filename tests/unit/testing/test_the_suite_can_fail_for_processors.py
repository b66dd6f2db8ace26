"""Each check of the suite finds the processor that it is there for."""

from __future__ import annotations

import os
import threading
from datetime import datetime

import pytest

from eventtracking_core import EventEmissionExit
from eventtracking_core.events import new_id
from eventtracking_core.testing import ProcessorConformance

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


def suite_of(processor, **limits):
    """Return the suite for a processor."""

    class Suite(ProcessorConformance):
        def make_processor(self):
            return processor() if isinstance(processor, type) else processor

    for name, seconds in limits.items():
        setattr(Suite, name, seconds)
    return Suite()


def fails(check, processor, *, because, **limits):
    with pytest.raises((AssertionError, RuntimeError, TimeoutError), match=because):
        getattr(suite_of(processor, **limits), check)()


def all_checks_of(suite):
    for check in dir(suite):
        if check.startswith("test_"):
            getattr(suite, check)()


def test_processors_that_are_good():
    def keep(event):
        """Let every event through."""

    class Shout:
        """Writes names in capitals, in place."""

        def __call__(self, event):
            event["name"] = event["name"].upper()

    class Drop:
        """Lets no event through."""

        mutates = False
        on_error = "drop"

        def __call__(self, event):
            raise EventEmissionExit

    def split(event):
        """Makes two of one."""
        return [{**event, "data": {"n": n}} for n in range(2)]

    for processor in (keep, Shout, Drop, split):
        all_checks_of(suite_of(processor))


@pytest.mark.parametrize(
    ("attributes", "because"),
    [
        ({"mutates": "never"}, "mutates must be True or False"),
        ({"on_error": "ignore"}, "on_error must be"),
    ],
)
def test_a_processor_that_says_what_nobody_understands(attributes, because):
    fails("test_says_what_it_is", type("Unclear", (), attributes), because=because)


@pytest.mark.parametrize(
    ("process", "because"),
    [
        (lambda event: True, "it returned bool"),
        (lambda event: {"id": event["id"], "name": "name"}, "context, data, timestamp"),
        (lambda event: [event, None], "its list holds a NoneType"),
        (lambda event: [{"name": 7}], "name must be a str"),
        (lambda event: [{"data": 7}], "data must be a dict"),
        (lambda event: {**event, "id": new_id()}, "keep it"),
        (lambda event: event.update(id="7"), "keep it"),
        (lambda event: {**event, "name": None}, "name must be a str"),
        (lambda event: {**event, "timestamp": "now"}, "must be a datetime"),
        (lambda event: {**event, "timestamp": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001  the defect
    ],
)
def test_a_processor_that_returns_something_else(process, because):
    fails("test_returns_an_event", process, because=because)


def test_a_processor_that_fails_on_what_it_does_not_expect():
    def count(event):
        event["data"]["length"] = len(event["context"]["user_id"])

    because = r"TypeError: (.|\n)*with the event 'value: not a number'"
    fails("test_takes_hostile_events", count, because=because)


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.update(name="other"),
        lambda event: event["context"].pop("user_id", None),
        lambda event: {**event, "data": event["data"].update(a=2) or event["data"]},
        lambda event: isinstance(event["data"], dict) and event["data"].pop("a", None),
    ],
)
def test_a_processor_that_changes_an_event_and_denies_it(change):
    def process(event):
        result = change(event)
        return result if isinstance(result, dict) else None

    process.mutates = False
    fails("test_is_honest_about_mutating", process, because="changed the event it was given")


def test_a_processor_that_changes_only_some_events_and_denies_it():
    def clear(event):
        if type(event["context"]["user_id"]) is set:
            event["context"]["user_id"].clear()

    clear.mutates = False
    because = r"changed the event(.|\n)*with the event 'value: set'"
    fails("test_is_honest_about_mutating", clear, because=because)


def test_a_processor_that_puts_one_list_into_every_event():
    tags = ["a"]

    def tag(event):
        return {**event, "data": {**event["data"], "tags": tags}}

    fails("test_events_share_nothing", tag, because="put copies there")


def test_a_processor_that_takes_events_for_each_other():
    first = []

    def confuse(event):
        first.append(event)
        return first[0]

    fails("test_takes_events_from_many_threads", confuse, because="under another's id")


def test_a_processor_that_belongs_to_one_thread():
    here = threading.get_ident()

    def process(event):
        if threading.get_ident() != here:
            raise RuntimeError("wrong thread")

    fails("test_takes_events_from_many_threads", process, because="wrong thread")


def test_a_processor_that_belongs_to_one_process():
    here = os.getpid()

    def process(event):
        if os.getpid() != here:
            raise RuntimeError("wrong process")

    fails("test_works_in_a_forked_child", process, because="wrong process")


def test_a_processor_that_waits():
    def wait(event):
        threading.Event().wait()

    fails("test_waits_for_nothing", wait, because="did not end", deadline=0.1)
