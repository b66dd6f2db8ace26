"""Each check of how a backend is made, closed and reached finds the one that it is there for."""

from __future__ import annotations

import os
import threading

import pytest
from suite_of_backends import Good, fails, suite_of

from eventtracking_core import BatchError, RejectedError, RetryableError

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


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


def test_a_module_is_not_blamed_for_being_compiled(tmp_path, monkeypatch):
    functions = "".join(f"def f{n}(x): return [x + {n}, x - {n}]\n" for n in range(10_000))
    (tmp_path / "long.py").write_text(functions)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    long = type("Long", (Good,), {"__module__": "long"})

    suite_of(long, import_cost=0.1).test_importing_it_is_cheap()


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

    setattr(Slow, method, lambda self, timeout: not threading.Event().wait(0.2))
    because = rf"{method}\(0\.0\) took \d+\.\d seconds"
    fails("test_keeps_deadlines", Slow, method, 0.0, because=because, grace=0.1)


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
