"""Each check of the suite that sends events finds the backend that it is there for."""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import suppress

import pytest
from suite_of_backends import Good, fails, suite_of

from eventtracking_core import BatchError, RejectedError, RetryableError
from eventtracking_core.testing import hostile

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


def test_a_backend_that_cannot_encode_everything():
    class Naive(Good):
        def send(self, event):
            json.dumps({**event, "timestamp": 0}, ensure_ascii=False).encode()

    fails("test_takes_hostile_events", Naive, because=r"Error: (.|\n)*with the event 'value: ")


@pytest.mark.parametrize(
    "case", ["value: cycle", "value: object", "value: lone surrogate", "field: tuple"]
)
def test_hostile_events_are_those_that_encoders_fail_on(case):
    with pytest.raises((TypeError, ValueError)):
        json.dumps({**hostile.EVENTS[case](), "timestamp": 0}, ensure_ascii=False).encode()


def test_a_backend_that_crashes_on_an_event():
    class Crashes(Good):
        def send(self, event):
            os.kill(os.getpid(), signal.SIGKILL)

    fails("test_takes_hostile_events", Crashes, because="died of SIGKILL")


def test_a_backend_that_hangs_on_an_event():
    class Hangs(Good):
        def send(self, event):
            if event["context"]["user_id"] is int:
                threading.Event().wait()

    fails("test_takes_hostile_events", Hangs, because="'value: type': it did not end", deadline=2)


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("value: not a number", lambda event: event.pop("context")),
        ("value: not a number", lambda event: event.update(name="other")),
        ("value: dataclass", lambda event: event["data"].clear()),
        ("value: set", lambda event: event["context"]["user_id"].pop()),
        ("value: cycle", lambda event: event["context"]["user_id"][0]["again"].append(1)),
        ("value: bytearray", lambda event: event["context"]["user_id"].reverse()),
        ("value: generator", lambda event: list(event["context"]["user_id"])),
        ("value: file", lambda event: event["context"]["user_id"].read()),
    ],
)
def test_a_backend_that_changes_an_event(case, change):
    kind = type(hostile.EVENTS[case]()["context"]["user_id"])

    class Changes(Good):
        def send(self, event):
            if type(event.get("context", {}).get("user_id")) is kind:
                with suppress(LookupError, TypeError):  # of that type, and another case
                    change(event)

    because = rf"changed the event(.|\n)*with the event '{case}'"
    fails("test_takes_hostile_events", Changes, because=because)


def test_a_backend_that_changes_a_batch():
    class Takes(Good):
        def send_batch(self, events, *, timeout):
            events.clear()

    fails("test_takes_hostile_events", Takes, because="changed the event")


def test_a_backend_that_loses_events():
    class Forgets(Good):
        def send(self, event):
            self.ids = [event["id"]]

    fails("test_delivers_each_accepted_event_once", Forgets, because="did not arrive")
    fails("test_takes_events_from_many_threads", Forgets, because="did not arrive")
    fails("test_works_in_a_forked_child", Forgets, because="1 of 2 accepted events did not arrive")


def test_a_backend_that_takes_json_and_knows_only_lists():
    class Lists(Good):
        takes_json = True

        def send_batch(self, events, *, timeout):
            self.ids += [event["id"] for event in events if isinstance(events, list)]

    check = "test_what_a_worker_hands_over_arrives_as_the_events_do"
    fails(check, Lists, because="did not arrive")


def test_a_backend_that_repeats_events():
    class Repeats(Good):
        def send(self, event):
            self.ids += [event["id"]] * 2

    fails("test_delivers_each_accepted_event_once", Repeats, because="more than once")


def batches(failures):
    class Batches(Good):
        send = None

        def send_batch(self, events, *, timeout):
            raise BatchError(failures)

    return Batches


def test_a_batch_of_which_a_part_may_be_tried_again():
    with pytest.raises(RetryableError):
        suite_of(batches({0: RetryableError("busy")})).test_delivers_each_accepted_event_once()


def test_a_batch_whose_failures_are_of_no_event():
    failures = {"01997c9e": RejectedError("no")}
    because = "by the index in the batch"
    fails("test_delivers_each_accepted_event_once", batches(failures), because=because)


def test_a_backend_that_reads_while_others_write():
    class Iterates(Good):
        def send(self, event):
            data = event["data"]
            for _ in data:
                there = len(data)
                while len(data) == there:  # until another thread came in between
                    os.sched_yield()

    check = "test_takes_an_event_that_another_thread_changes"
    fails(check, Iterates, because="changed (size )?during iteration")


def test_a_backend_that_belongs_to_one_thread():
    class Affine(Good):
        def send(self, event):
            self.owner = getattr(self, "owner", threading.get_ident())
            if self.owner != threading.get_ident():
                raise RuntimeError("wrong thread")

    fails("test_takes_events_from_many_threads", Affine, because="wrong thread")


def test_a_backend_that_belongs_to_one_process():
    class Affine(Good):
        def send(self, event):
            self.owner = getattr(self, "owner", os.getpid())
            if self.owner != os.getpid():
                raise RuntimeError("wrong process")

    fails("test_works_in_a_forked_child", Affine, because="wrong process")


def test_rejecting_is_allowed():
    class Picky(Good):
        def send(self, event):
            if "problem" not in event["name"]:
                raise RejectedError("the name is not known")
            super().send(event)

    suite = suite_of(Picky)
    suite.test_takes_hostile_events()
    suite.test_delivers_each_accepted_event_once()


def test_batches_alone_are_enough():
    class Batches(Good):
        send = None

        def send_batch(self, events, *, timeout):
            self.ids += [event["id"] for event in events[1:]]
            raise BatchError({0: RejectedError("the first is never taken")})

    suite = suite_of(Batches)
    suite.test_takes_hostile_events()
    suite.test_delivers_each_accepted_event_once()


def test_reports_can_print_hostile_values():
    unprintable = ("digits", "deep", "explode")  # Python's own, too long or too deep

    assert all(
        repr(make())
        for cases in (hostile.VALUES, hostile.KEYS, hostile.NAMES)
        for name, make in cases.items()
        if not name.endswith(unprintable)
    )
