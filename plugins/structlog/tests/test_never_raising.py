"""Whatever breaks, a log call is a log call, and what is tracked ends."""

from __future__ import annotations

import logging
from itertools import count

import pytest
import structlog
from structlog.contextvars import bind_contextvars

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.testing import hostile
from eventtracking_structlog import TrackProcessor, merge_tracker_context, tracking_wrapper


class Broken:
    """A backend and a provider that fail."""

    def send(self, event):
        raise RuntimeError("no backend")

    def __call__(self):
        raise RuntimeError("no provider")


@pytest.fixture(params=["wrapper", "processor"])
def tracked_by(request, logger):
    """Makes a logger whose `track` is the wrapper's, or the processor's."""

    def make(tracker=None):
        if request.param == "wrapper":
            return logger(tracker=tracker)
        log = logger(processors=[TrackProcessor(tracker=tracker)])
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
        return log

    return make


def test_a_broken_tracker_breaks_no_log_call(tracked_by, lines):
    tracker = et.Tracker()
    tracker.configure({"context": [Broken()], "backends": {"broken": Broken()}})
    tracked_by(tracker).info("signed up", track="edx.account.created")
    assert lines.entries[0]["event_id"]


def test_an_event_matters_more_than_its_context(tracked_by, lines, caplog):
    class UnreportedError(Exception):
        """What was reported in the last seconds is not reported again."""

    class Locator:
        def get(self):
            raise UnreportedError("no locator")

    memory = MemoryBackend()
    log = tracked_by(et.Tracker({"memory": memory}, Locator()))
    bind_contextvars(user_id=7)
    log.info("signed up", track="edx.account.created", plan="pro")
    assert [event["data"] for event in memory.events] == [{"plan": "pro"}]
    assert lines.entries[0]["event_id"] == memory.events[0]["id"]
    assert "an event lacks the bound values" in caplog.text
    assert "no locator" not in caplog.text


def test_hostile_values_break_no_log_call(tracked_by, lines, events):
    log = tracked_by()
    values = {**hostile.VALUES, **hostile.NAMES}
    for make in values.values():
        log.bind(bound=make()).info("signed up", track="edx.account.created", value=make())
    for make in hostile.NAMES.values():
        log.info("signed up", track=make())
    assert len(lines.entries) == len(values) + len(hostile.NAMES)
    assert len(events) >= len(values)


def test_a_strict_tracker_raises_in_tests(logger):
    log = logger(tracker=et.Tracker({"memory": MemoryBackend()}, strict=True))
    for call in (log.emit, lambda: log.info("signed up", track=17)):
        with pytest.raises(et.InvalidEventError):
            call()


def test_threads_do_not_see_each_other(logger, lines, events, in_threads):
    log = logger(cache_logger_on_first_use=True)

    def work(index):
        bind_contextvars(request=index)
        mine = log.bind(user=index)
        for number in range(200):
            mine.info("clicked", track="edx.clicked", index=index, number=number)
            mine.emit("edx.emitted", index=index)

    in_threads(work, 4)
    assert len({event["id"] for event in events}) == len(events) == 4 * 400
    for event in events:
        index = event["data"]["index"]
        assert event["context"] == {"request": index, "user": index}
    by_id = {event["id"]: event["data"] for event in events}
    assert all(by_id[line["event_id"]]["number"] == line["number"] for line in lines.entries)


def test_everything_at_once_ends(lines):
    """Every bridge in both directions, on one tracker: each event is one event, and one line."""
    emitted = count()

    def emitting(_logger, _method_name, line):
        if next(emitted) < 100:
            et.emit("edx.line.written")
        return line

    memory = MemoryBackend()
    et.configure({"context": ["structlog"], "backends": {"memory": memory, "log": "structlog"}})
    structlog.configure(
        wrapper_class=tracking_wrapper(structlog.make_filtering_bound_logger(0)),
        processors=[
            structlog.contextvars.merge_contextvars,
            merge_tracker_context,
            TrackProcessor(registered=True),
            emitting,
            lines,
        ],
    )
    bind_contextvars(request_id="r1")
    with et.context(user_id=7, track="edx.from.the.context"):
        structlog.get_logger().info("signed up", track="edx.account.created")
    names = [event["name"] for event in memory.events]
    assert names.count("edx.account.created") == 1
    # The line of the call, that of its event, that of what the line's processor emitted.
    assert [line["event"] for line in lines.entries] == [
        *("edx.account.created", "edx.line.written", "signed up")
    ]
    assert set(names) == {"edx.account.created", "edx.line.written"}


def test_diagnostics_about_the_log_end(lines):
    """A log that cannot be written is reported to a log that cannot be written."""

    class UnreportedError(OSError):
        """What was reported in the last seconds is not reported again."""

    def failing(_logger, _method_name, _line):
        raise UnreportedError("disk full")

    et.configure({"backends": {"log": "structlog"}})
    structlog.configure(
        wrapper_class=tracking_wrapper(structlog.make_filtering_bound_logger(0)),
        processors=[failing, lines],
    )
    log = structlog.get_logger()

    class Back(logging.Handler):
        def emit(self, record):
            log.error(record.getMessage(), track="edx.reported")

    handler = Back()
    logging.getLogger("eventtracking").addHandler(handler)
    try:
        log.emit("edx.account.created")
    finally:
        logging.getLogger("eventtracking").removeHandler(handler)
    assert lines.entries == []
    assert et.get_tracker().stats()["emitted"] == 2
