"""Tracking without another class of loggers; the contexts of trackers in lines, and back."""

from __future__ import annotations

import logging
from functools import partial

import pytest
import structlog
from structlog.contextvars import (
    bind_contextvars,
    get_contextvars,
    merge_contextvars,
    unbind_contextvars,
)

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_structlog import TrackProcessor, merge_tracker_context, tracking_wrapper


def registering(backend=None):
    """Return a tracker with a registered event type."""
    tracker = et.Tracker({"memory": backend} if backend else None)
    tracker.register("edx.account.created", "Somebody signed up.")
    return tracker


@pytest.fixture
def log(lines):
    """Makes a logger with processors; its lines are kept."""

    def make(*processors, base=None):
        structlog.configure(
            wrapper_class=base or structlog.make_filtering_bound_logger(0),
            processors=[*processors, lines],
        )
        return structlog.get_logger()

    return make


def test_a_line_that_asks_for_it_is_tracked(log, events, lines):
    logger = log(TrackProcessor())
    logger.info("signed up", track="edx.account.created", plan="pro", exc_info=None)
    logger.info("edx.account.created", track=True)
    logger.info("signed up", track=False)
    logger.info("signed up")
    assert [event["name"] for event in events] == ["edx.account.created"] * 2
    assert [event["data"] for event in events] == [{"plan": "pro"}, {}]
    ids = [event["id"] for event in events]
    assert [line.get("event_id") for line in lines.entries] == [*ids, None, None]
    assert not any("track" in line for line in lines.entries)


def test_what_was_merged_into_a_line_before_is_context(log, events):
    logger = log(merge_contextvars, merge_tracker_context, TrackProcessor(context=["user_id"]))
    bind_contextvars(request_id="r1")
    with et.context(course_id="c1"):
        logger.bind(user_id=7).info("signed up", track="edx.account.created", plan="pro")
    (event,) = events
    assert event["context"] == {"request_id": "r1", "course_id": "c1", "user_id": 7}
    assert event["data"] == {"plan": "pro"}


def test_a_line_that_names_a_registered_type_is_tracked(log, lines):
    memory = MemoryBackend()
    logger = log(TrackProcessor(registered=True, tracker=registering(memory)))
    logger.info("edx.account.created", plan="pro")
    logger.info("something else")
    logger.info("edx.account.created", track=False)
    logger.info("edx.account.created", event_id="tracked already")
    logger.info("something else", track="edx.anything")
    logger.info(["no name"])
    assert [event["name"] for event in memory.events] == ["edx.account.created", "edx.anything"]
    assert lines.entries[0]["event_id"] == memory.events[0]["id"]


def test_nothing_is_registered_where_a_tracker_has_no_types(log, events, lines):
    log(TrackProcessor(registered=True)).info("edx.account.created")
    assert (events, len(lines.entries)) == ([], 1)


def test_a_line_is_tracked_once(log, lines):
    memory = MemoryBackend()
    tracker = registering(memory)
    base = tracking_wrapper(structlog.make_filtering_bound_logger(0), tracker=tracker)
    processor = TrackProcessor(registered=True, tracker=tracker)
    log(processor, processor, base=base).info("edx.account.created", track=True)
    assert len(memory.events) == len(lines.entries) == 1


@pytest.mark.parametrize("delivery", ["inline", "queue"])
def test_an_event_in_the_log_is_not_tracked_by_its_name_again(delivery, log, lines):
    tracker = registering()
    tracker.configure({"backends": {"log": {"type": "structlog", "delivery": delivery}}})
    log(TrackProcessor(registered=True, tracker=tracker)).info("edx.account.created")
    assert tracker.shutdown(60)
    assert tracker.stats()["emitted"] == 1
    assert [line["event"] for line in lines.entries] == ["edx.account.created"] * 2
    assert len({line["event_id"] for line in lines.entries}) == 1


def test_records_of_other_libraries_are_tracked_in_a_formatter(stdlib_log):
    memory = MemoryBackend()
    stdlib_log.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
            processors=[
                TrackProcessor(registered=True, tracker=registering(memory)),
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    app = logging.getLogger("app")
    app.info("edx.account.created", extra={"plan": "pro"})
    app.info("signed out", extra={"track": "edx.session.ended"})
    app.info("nothing")
    app.info("user %s", "ann", extra={"track": True})
    assert [event["name"] for event in memory.events] == [
        "edx.account.created",
        "edx.session.ended",
        "user %s",
    ]
    assert memory.events[0]["data"] == {"plan": "pro"}
    ids = [event["id"] for event in memory.events]
    assert [line.get("event_id") for line in stdlib_log.lines] == [*ids[:2], None, ids[2]]
    assert stdlib_log.lines[-1]["event"] == "user ann"


def test_contexts_are_in_every_line_and_change_nothing_that_is_there(log, lines):
    logger = log(merge_tracker_context)
    context = {"user_id": 7, "plan": "free", "event": "x", "exc_info": True, "track": "y", 1: 2}
    with et.context("request", context):
        logger.info("signed up", plan="pro")
    logger.info("done")
    assert lines.entries == [
        {"event": "signed up", "log_level": "info", "plan": "pro", "user_id": 7},
        {"event": "done", "log_level": "info"},
    ]


def test_the_contexts_of_another_tracker_may_be_merged(log, lines):
    audit = et.Tracker()
    logger = log(partial(merge_tracker_context, tracker=audit))
    with audit.context(user_id=7), et.context(course_id="c1"):
        logger.info("signed up")
    assert lines.entries == [{"event": "signed up", "log_level": "info", "user_id": 7}]


def test_the_provider_puts_contextvars_under_every_event():
    memory = MemoryBackend()
    et.configure({"context": ["structlog"], "backends": {"memory": memory}})
    bind_contextvars(user_id=7, plan="free", gone=1)
    unbind_contextvars("gone")
    with et.context(plan="pro"):
        et.emit("edx.account.created")
    assert memory.events[0]["context"] == {"user_id": 7, "plan": "pro"}
    assert get_contextvars() == {"user_id": 7, "plan": "free"}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"allow": ["a", "z"]}, {"a": 1}),
        ({"deny": ["a"]}, {"b": 2, "c": 3}),
        ({"allow": ["a", "b"], "deny": ["c"]}, {"a": 1, "b": 2}),
        ({"allow": []}, {}),
    ],
)
def test_the_provider_takes_what_it_may(options, kept):
    memory = MemoryBackend()
    provider = {"type": "structlog", **options}
    et.configure({"context": [provider], "backends": {"memory": memory}})
    bind_contextvars(a=1, b=2, c=3)
    et.emit("edx.account.created")
    assert memory.events[0]["context"] == kept


def test_a_field_that_is_allowed_and_denied_is_a_problem():
    with pytest.raises(et.ConfigurationError, match="remove it from one"):
        et.configure({"context": [{"type": "structlog", "allow": ["a"], "deny": ["a"]}]})
