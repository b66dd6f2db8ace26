"""Events become records of a logger, one each."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta, timezone
from threading import Thread

import pytest

from eventtracking_core import RejectedError, Tracker
from eventtracking_core.encoding import decode_json
from eventtracking_logger import DateTimeJSONEncoder, LoggerBackend


def test_an_event_is_a_record_whose_message_is_its_json(logged, an_event):
    event = an_event({"problem_id": "p1"})
    LoggerBackend("tracking").send(event)
    (record,) = logged.records
    assert record.levelno == logging.INFO
    assert decode_json(record.getMessage()) == event
    assert (record.event_id, record.event_name) == (event["id"], event["name"])


def test_a_message_is_never_formatted_and_always_one_line(logged, an_event):
    event = an_event({"%s": "100 %d\n\x1b[31m\u2028"})
    LoggerBackend("tracking").send(event)
    (message,) = logged.messages
    assert decode_json(message)["data"] == event["data"]
    assert message.isprintable()


@pytest.mark.parametrize(("level", "number"), [("warning", 30), ("ERROR", 40), (25, 25)])
def test_the_level_is_a_name_or_a_number(logged, an_event, level, number):
    LoggerBackend("tracking", level=level).send(an_event())
    assert [record.levelno for record in logged.records] == [number]


@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"name": " "},
        {"name": "root"},
        {"level": "LOUD"},
        {"level": "NOTSET"},
        {"level": -1},
        {"max_event_size": 0},
    ],
)
def test_an_option_out_of_its_range_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        LoggerBackend(**{"name": "tracking"} | options)


def test_a_tracker_finds_the_backend_by_its_name(logged):
    tracker = Tracker()
    tracker.configure({"backends": {"log": {"type": "logger", "name": "tracking"}}})
    event_id = tracker.emit("edx.course.enrollment.activated", {"mode": "audit"})
    assert [json.loads(message)["id"] for message in logged.messages] == [event_id]


def test_a_level_that_is_not_recorded_is_said_once(logger, logged, an_event, caplog):
    logger.setLevel(logging.ERROR)
    backend = LoggerBackend("tracking")
    for _ in range(3):
        backend.send(an_event())
    assert not logged.records
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "logger tracking is disabled, or its level is above INFO" in caplog.text


class Emitting(logging.Handler):
    """Emits an event for each record."""

    def __init__(self, tracker):
        super().__init__()
        self.tracker = tracker

    def emit(self, record):
        self.tracker.emit("logged")


@pytest.fixture
def tracker():
    tracker = Tracker()
    tracker.configure({"backends": {"log": {"type": "logger", "name": "tracking"}}})
    return tracker


def test_a_handler_that_emits_ends_and_what_it_emits_at_first_is_logged(logger, logged, tracker):
    logger.addHandler(Emitting(tracker))
    event_id = tracker.emit("page.viewed")
    names = [json.loads(message)["name"] for message in logged.messages]
    assert names == ["page.viewed", "logged"]
    assert logged.records[0].event_id == event_id
    (leaf,) = tracker.stats()["backends"]
    assert leaf["accepted"] == leaf["delivered"] + sum(leaf["dropped"].values())


def test_handlers_that_emit_many_events_for_each_do_not_multiply(logger, logged, tracker):
    for _ in range(5):
        logger.addHandler(Emitting(tracker))
    tracker.emit("page.viewed")
    assert len(logged.records) == 1 + 5


def test_our_own_log_lines_routed_back_to_us_end(logger, logged, tracker, monkeypatch):
    own = logging.getLogger("eventtracking")
    emitting = Emitting(tracker)
    own.addHandler(emitting)
    logger.addHandler(emitting)
    try:
        tracker.emit("page.viewed")
    finally:
        own.removeHandler(emitting)
    assert 0 < len(logged.records) < 10


def test_other_threads_are_not_held_for_the_handler(logger, logged, an_event):
    backend = LoggerBackend("tracking")

    class Starting(logging.Handler):
        """Waits for a thread that logs as deep as it may."""

        def emit(self, record):
            if record.event_name == "first":
                thread = Thread(target=backend.send, args=(an_event(name="second"),))
                thread.start()
                thread.join(10)

        def createLock(self):  # noqa: N802
            self.lock = None

    logger.addHandler(Starting())
    backend.send(an_event(name="first"))
    assert sorted(record.event_name for record in logged.records) == ["first", "second"]


def test_recursion_is_rejected_so_that_it_is_counted(logger, an_event):
    backend = LoggerBackend("tracking")
    failures = []

    class Sending(logging.Handler):
        def emit(self, record):
            try:
                backend.send(an_event())
            except RejectedError as error:
                failures.append(str(error))

    logger.addHandler(Sending())
    backend.send(an_event())
    assert failures == ["a handler of the logger emits events while it handles one"]


def test_the_encoder_writes_times_in_utc_with_their_offset():
    east = timezone(timedelta(hours=2))
    values = [datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=east), date(2020, 1, 2)]  # noqa: DTZ001
    assert json.loads(json.dumps(values, cls=DateTimeJSONEncoder)) == [
        "2020-01-01T00:00:00+00:00",
        "2019-12-31T22:00:00+00:00",
        "2020-01-02",
    ]
    moment = datetime(2026, 9, 12, 12, 55, 0, 123450, tzinfo=UTC)
    assert json.dumps(moment, cls=DateTimeJSONEncoder) == '"2026-09-12T12:55:00.123450+00:00"'


def test_the_encoder_refuses_what_json_cannot_say():
    with pytest.raises(TypeError):
        json.dumps(object(), cls=DateTimeJSONEncoder)
