"""Each check of the suite finds the backend that it is there for."""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import suppress

import pytest

from eventtracking_core import BatchError, RejectedError, RetryableError
from eventtracking_core.testing import BackendConformance, hostile

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


class Good:
    """Keeps the ids of events."""

    def __init__(self):
        self.ids = []

    def send(self, event):
        self.ids.append(event["id"])

    def flush(self, timeout):
        return True

    def shutdown(self, timeout):
        return True


def suite_of(backend_class, **limits):
    """Return the suite for a backend, whose ids are what is stored."""

    class Suite(BackendConformance):
        def make_backend(self):
            return backend_class()

        def make_unreachable(self):
            return backend_class()

        def stored(self, backend):
            return [{"id": id_} for id_ in backend.ids]

    for name, seconds in limits.items():
        setattr(Suite, name, seconds)
    return Suite()


def fails(check, backend_class, *arguments, because, **limits):
    with pytest.raises((AssertionError, RuntimeError, TimeoutError), match=because):
        getattr(suite_of(backend_class, **limits), check)(*arguments)


def test_a_backend_without_documentation_or_annotations():
    class Undocumented(Good):
        def __init__(self, colour=None):
            super().__init__()

    Undocumented.__doc__ = Good.__doc__
    fails("test_every_option_is_annotated", Undocumented, because="annotate the options: colour")
    fails("test_every_option_is_documented", Undocumented, because="what they do: colour")

    class Plain:
        ids = ()

    fails("test_the_class_is_documented", Plain, because="write a docstring")


def test_annotations_that_are_not_there_at_run_time():
    class Unresolvable(Good):
        """Has an option of a type that was imported for type checkers."""

        def __init__(self, colour: Colour) -> None:  # noqa: F821  the defect
            super().__init__()

    with pytest.raises(Exception, match="cannot be resolved"):
        suite_of(lambda: Unresolvable(1)).test_every_option_is_annotated()


def test_a_constructor_that_opens_a_file():
    class Opens(Good):
        def __init__(self):
            super().__init__()
            self.file = open(os.devnull)  # noqa: PTH123, SIM115  the defect

    fails("test_construction_opens_nothing", Opens, because="opens a file")


def test_a_constructor_that_starts_a_thread():
    class Starts(Good):
        def __init__(self):
            super().__init__()
            threading.Thread(target=threading.Event().wait, daemon=True).start()

    fails("test_construction_opens_nothing", Starts, because="starts a thread")


@pytest.mark.parametrize(
    ("source", "because", "deadline"),
    [
        (
            "import threading\nthreading.Thread(target=threading.Event().wait).start()",
            "a thread",
            30,
        ),
        ("import os\nnull = open(os.devnull)", "opens a file or a socket", 30),
        ("sum(range(10**6))", r"takes \d\.\d seconds of the processor", 30),
        ("import eventtracking_nowhere", "cannot be imported alone", 30),
        ("import threading\nthreading.Event().wait()", "importing heavy took over 1 seconds", 1),
    ],
)
def test_a_module_that_does_its_work_when_it_is_imported(
    tmp_path, monkeypatch, source, because, deadline
):
    (tmp_path / "heavy.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    heavy = type("Heavy", (Good,), {"__module__": "heavy"})

    limits = {"import_cost": 0.001, "deadline": deadline}
    fails("test_importing_it_is_cheap", heavy, because=because, **limits)


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


def test_a_backend_that_shuts_down_once():
    class Once(Good):
        def shutdown(self, timeout):
            self.ids.clear()
            del self.ids
            return True

    with pytest.raises(AttributeError):
        suite_of(Once).test_shuts_down_twice()


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_a_backend_that_does_not_say_whether_all_was_done(method):
    class Silent(Good):
        pass

    setattr(Silent, method, lambda self, timeout: None)
    fails("test_keeps_deadlines", Silent, method, 0.0, because="must return True or False")


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_a_backend_that_takes_its_time(method):
    class Slow(Good):
        pass

    setattr(Slow, method, lambda self, timeout: not threading.Event().wait(timeout + 0.2))
    because = rf"{method}\(0\.0\) took \d+\.\d seconds"
    fails("test_keeps_deadlines", Slow, method, 0.0, because=because, grace=0.1, deadline=0.5)


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_a_backend_that_never_ends(method):
    class Hangs(Good):
        pass

    setattr(Hangs, method, lambda self, timeout: threading.Event().wait())
    fails("test_keeps_deadlines", Hangs, method, 0.0, because="did not end", deadline=0.1)


def test_a_backend_that_waits_once_it_is_shut_down():
    class Closes(Good):
        closed = False

        def send(self, event):
            if self.closed:
                threading.Event().wait()

        def shutdown(self, timeout):
            self.closed = True
            return True

    fails("test_sending_after_shutdown_ends", Closes, because="did not end", deadline=0.1)


def test_a_backend_that_rejects_what_it_cannot_deliver_now():
    class Rejects(Good):
        def send(self, event):
            raise RejectedError("there is no server")

    class RejectsInBatches(Good):
        def send_batch(self, events, *, timeout):
            raise BatchError(dict.fromkeys(range(len(events)), RejectedError("no server")))

    check = "test_what_cannot_be_reached_is_tried_again"
    fails(check, Rejects, because="rejects nothing")
    fails(check, RejectsInBatches, because="rejects nothing")
    fails(check, Good, because="delivers all the same")


def test_a_backend_that_tells_what_is_in_an_event():
    class Tells(Good):
        def send(self, event):
            raise RetryableError(f"cannot deliver {event}")

    fails("test_no_failure_tells_the_payload", Tells, because="out of the message")


def test_a_backend_that_tries_for_longer_than_it_may():
    class Patient(Good):
        def send_batch(self, events, *, timeout):
            threading.Event().wait(timeout + 0.2)
            raise RetryableError("there is no server")

    check, because = "test_an_attempt_ends_in_its_time", r"send_batch\(.*\) took"
    fails(check, Patient, because=because, grace=0.1)


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
