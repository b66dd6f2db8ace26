"""What the framework says of itself, and how often."""

from __future__ import annotations

import logging
import logging.config
import subprocess
import sys
import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.diagnostics import describe, report


class Failing:
    """Fails with errors of a class of its own."""

    def __init__(self):
        self.error = type(f"Error{uuid4().hex}", (Exception,), {})

    def send(self, event):
        raise self.error("hunter2")


@pytest.fixture
def handler():
    """Adds a log handler for the time of a test."""
    added = []

    def add(emit):
        made = type("Made", (logging.Handler,), {"emit": lambda _, record: emit(record)})()
        logging.getLogger("eventtracking").addHandler(made)
        added.append(made)

    yield add
    for one in added:
        logging.getLogger("eventtracking").removeHandler(one)


@pytest.fixture
def logged():
    """Collects what reaches the root logger; logging is as it was afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("eventtracking")
    before = root.handlers[:], root.level, ours.level
    others = [one for one in logging.Logger.manager.loggerDict.values() if hasattr(one, "disabled")]
    disabled = [one.disabled for one in others]

    @contextmanager
    def collect():
        records = []
        handler = type("Made", (logging.Handler,), {"emit": lambda _, r: records.append(r)})()
        root.addHandler(handler)
        yield records
        root.removeHandler(handler)

    yield collect
    root.handlers[:], root.level, ours.level = before
    for one, was_disabled in zip(others, disabled, strict=True):
        one.disabled = was_disabled


def test_a_failure_is_logged_once_however_often_it_happens(caplog):
    tracker = et.Tracker({"failing": Failing()})
    for _ in range(500):
        tracker.emit("name")

    assert len(caplog.records) == 1
    assert tracker.stats()["tree"]["backends"][0]["dropped"] == {"error": 500}


def test_two_kinds_of_failure_are_logged_both(caplog):
    tracker = et.Tracker({"one": Failing(), "two": Failing()}, processors=[Failing().send])
    for _ in range(10):
        tracker.emit("name")

    assert len(caplog.records) == 3


def test_a_failure_says_what_failed_in_attributes_of_its_record(caplog):
    tracker = et.Tracker({"one": Failing()}, processors=[Failing().send])
    tracker.emit("name")

    processor, backend = caplog.records
    assert (processor.processor, processor.reason) == ("send", "error")
    assert processor.error.startswith("Error")
    assert (backend.backend, backend.reason) == ("one", "error")
    assert backend.error.startswith("Error")


@pytest.mark.native
def test_a_processor_that_fails_is_logged_once_under_eight_threads(caplog):
    tracker = et.Tracker({"memory": MemoryBackend()}, processors=[Failing().send])
    threads = [
        threading.Thread(target=lambda: [tracker.emit("name") for _ in range(100)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= len(caplog.records) <= 8  # those that came at the very same moment
    assert tracker.stats()["tree"]["processors"][0]["errors"] == {"error": 800}


def test_keys_without_end_take_no_memory_without_end(caplog):
    for _ in range(3_000):
        report(logging.DEBUG, uuid4(), "a problem")
    key = uuid4()
    for _ in range(10):
        report(logging.WARNING, key, "another problem")

    assert [record.message for record in caplog.records] == ["another problem"]


def test_a_log_handler_that_emits_what_fails_again_ends(handler):
    seen = []
    tracker = et.Tracker({"failing": Failing()})

    def emit(record):
        seen.append(record)
        tracker.emit("log", {"message": record.getMessage()})

    handler(emit)
    for _ in range(3):
        tracker.emit("name")

    assert len(seen) == 1
    assert tracker.stats()["emitted"] == 4


@pytest.mark.parametrize("name", ["the same", None])
def test_a_log_handler_that_emits_what_is_warned_of_again_ends(name, handler, tracker, memory):
    seen = []

    def emit(record):
        seen.append(record)
        tracker.emit(name or record.getMessage(), record.getMessage())

    handler(emit)
    tracker.emit("first", "no mapping")

    assert memory.events[-1]["name"] == "first"
    assert len(memory.events) == len(seen) + 1
    assert len(seen) <= 2


def test_a_log_handler_that_fails_reaches_nobody(handler, memory):
    def emit(record):
        raise OSError("the log's disk is full")

    handler(emit)
    et.Tracker({"a": Failing(), "b": memory}).emit("name")

    assert len(memory.events) == 1


def reset_by_dict(_path):
    logging.config.dictConfig({"version": 1})


def reset_by_file(path):
    path.write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nhandlers=\n"
    )
    logging.config.fileConfig(path)


@pytest.mark.parametrize("reset", [reset_by_dict, reset_by_file])
def test_failures_are_logged_after_logging_was_configured_by_default(reset, tmp_path, logged):
    """Both disable, by default, the loggers that exist and that they do not name."""
    tracker = et.Tracker({"failing": Failing()})
    reset(tmp_path / "logging.ini")
    with logged() as records:
        tracker.emit("name")

    assert ["did not deliver" in record.getMessage() for record in records] == [True]


@pytest.mark.native
def test_without_any_handler_failures_reach_the_standard_error(tmp_path):
    program = """if True:
        import logging.config
        import eventtracking_core as et
        class Failing:
            def send(self, event):
                raise et.RetryableError("away")
        et.configure({"backends": {"failing": Failing()}})
        loggers = {"eventtracking": {"propagate": False}}
        logging.config.dictConfig({"version": 1, "loggers": loggers})
        et.emit("name")
    """
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )

    assert "backend failing did not deliver an event: RetryableError: away" in ran.stderr


def test_a_level_or_logging_disable_silences_the_log(logged):
    logger = logging.getLogger("eventtracking")
    with logged() as records:
        logger.setLevel(logging.CRITICAL + 1)
        et.Tracker({"failing": Failing()}).emit("name")
        logger.setLevel(logging.NOTSET)
        logging.disable(logging.CRITICAL)
        et.Tracker({"failing": Failing()}).emit("name")
        logging.disable(logging.NOTSET)

    assert records == []


HOSTILE = "a\x1b[2J\r\nERROR eventtracking: forged\u202e\ud800" + "x" * 100_000


@pytest.mark.parametrize("kind", [et.RetryableError, et.RejectedError, et.NoBackendEnabled])
def test_the_text_of_an_error_is_one_bounded_line_that_prints(kind, caplog):
    class Hostile:
        def send(self, event):
            raise kind(HOSTILE)

    caplog.set_level(logging.DEBUG)
    et.Tracker({HOSTILE: Hostile()}).emit(HOSTILE)

    (message,) = [record.getMessage() for record in caplog.records]
    assert message.isprintable()
    assert r"a\x1b[2J\r\nERROR" in message
    assert len(message) < 4_000


def test_an_error_of_the_system_is_one_bounded_line_too():
    text = describe(OSError(5, HOSTILE))

    assert text.isprintable()
    assert len(text) < 2_000


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (et.RetryableError("no connection"), "RetryableError: no connection"),
        (et.RejectedError(), "RejectedError"),
        (FileNotFoundError(2, "No such file or directory"), "FileNotFoundError: No such file"),
        (ValueError("hunter2"), "ValueError"),
        (OSError("hunter2"), "OSError"),
    ],
)
def test_an_error_is_described_without_its_payload(error, text):
    assert describe(error).startswith(text)
    assert "hunter2" not in describe(error)


def test_an_error_that_was_raised_is_described_by_its_place():
    with pytest.raises(KeyError) as caught:
        {}["hunter2"]

    assert describe(caught.value).startswith(f"KeyError at {__name__}:")
