"""Loggers that emit events."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle

import pytest
import structlog
from structlog import make_filtering_bound_logger
from structlog.contextvars import bind_contextvars, bound_contextvars
from structlog.testing import CapturingLoggerFactory, capture_logs

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_structlog import tracking_wrapper


class Shouting(structlog.stdlib.BoundLogger):
    """A class of somebody's own."""

    def shout(self, event, **kw):
        return self._proxy_to_logger("error", event.upper(), **kw)


class Polite(make_filtering_bound_logger("error")):
    """A class of somebody's own, on top of one that filters."""

    def info(self, event, **kw):
        return self.error(f"please note: {event}", **kw)


FAMILIES = {
    "filtering": make_filtering_bound_logger("info"),
    "unfiltered": make_filtering_bound_logger("notset"),
    "stdlib": structlog.stdlib.BoundLogger,
    "generic": structlog.BoundLogger,
    "one's own": Shouting,
}


@pytest.fixture(params=FAMILIES)
def log(request, logger):
    """A logger of each family."""
    return logger(FAMILIES[request.param], logger_factory=CapturingLoggerFactory())


def test_what_is_bound_is_context_and_what_is_said_is_data(log, events):
    with bound_contextvars(request_id="r1"), et.context("request", {"host": "lms"}):
        event_id = log.bind(user_id=7).emit("edx.video.played", position=3, name="intro")
    (event,) = events
    assert (event["id"], event["name"]) == (event_id, "edx.video.played")
    assert event["context"] == {"request_id": "r1", "host": "lms", "user_id": 7}
    assert event["data"] == {"position": 3, "name": "intro"}


def test_emit_writes_no_line(log, events, lines):
    log.emit("edx.video.played")
    assert (len(events), lines.entries) == (1, [])


def test_a_tracked_line_is_written_and_has_the_id_of_its_event(log, events, lines):
    log.bind(user_id=7).info("signed up", track="edx.account.created", plan="pro")
    (event,), (line,) = events, lines.entries
    assert (event["name"], event["data"]) == ("edx.account.created", {"plan": "pro"})
    assert event["context"] == {"user_id": 7}
    assert line == {
        "event": "signed up",
        "log_level": "info",
        "user_id": 7,
        "plan": "pro",
        "event_id": event["id"],
    }


def test_a_line_may_name_its_event(log, events):
    log.warning("edx.account.created", track=True)
    assert [event["name"] for event in events] == ["edx.account.created"]


TAKE_ARGUMENTS = ["filtering", "unfiltered", "stdlib", "one's own"]


@pytest.mark.parametrize("family", TAKE_ARGUMENTS)
@pytest.mark.parametrize("method", ["info", "warning", "error", "exception", "critical", "log"])
def test_a_name_does_not_depend_on_the_arguments_of_the_message(
    family, method, logger, events, lines
):
    log = logger(
        FAMILIES[family],
        logger_factory=CapturingLoggerFactory(),
        processors=[structlog.stdlib.PositionalArgumentsFormatter()],
    )
    write = getattr(log, method)
    level = [logging.WARNING] if method == "log" else []
    for who in ("ann", "bob"):
        write(*level, "user %s", who, track=True)
        write(*level, "user %(who)s", {"who": who}, track=True)
        write(*level, "user %s", who, track="named", plan="pro")
        write(*level, "user %s", who)
    names = [event["name"] for event in events]
    assert names == ["user %s", "user %(who)s", "named"] * 2
    assert [line["event"] for line in lines.entries] == ["user ann"] * 4 + ["user bob"] * 4
    assert [line.get("event_id") for line in lines.entries[:3]] == [e["id"] for e in events[:3]]


@pytest.mark.parametrize("method", ["ainfo", "awarning", "aerror", "aexception", "acritical"])
@pytest.mark.parametrize("family", ["filtering", "unfiltered", "stdlib"])
def test_a_name_does_not_depend_on_the_arguments_of_an_awaited_message(
    family, method, logger, events, lines
):
    log = logger(FAMILIES[family], logger_factory=CapturingLoggerFactory())
    asyncio.run(getattr(log, method)("user %s", "ann", track=True))
    assert [event["name"] for event in events] == ["user %s"]
    assert len(lines.entries) == 1


@pytest.mark.parametrize("no", [False, None])
def test_a_line_that_is_not_to_be_tracked_is_a_line(no, log, events, lines):
    log.info("signed up", track=no, plan="pro")
    assert events == []
    assert lines.entries == [{"event": "signed up", "log_level": "info", "plan": "pro"}]


def test_an_error_is_no_data(log, events, lines):
    try:
        raise KeyError("x")
    except KeyError:
        log.exception("failed", track="edx.job.failed", stack_info=True, job="j1")
    assert events[0]["data"] == {"job": "j1"}
    assert lines.entries[0]["stack_info"] is True


def test_what_is_bound_and_said_is_context_and_data(log, events):
    log.bind(plan="pro").info("signed up", track="edx.account.created", plan="pro")
    log.bind(plan="pro").emit("edx.account.created", plan="free")
    assert [event["context"] for event in events] == [{"plan": "pro"}] * 2
    assert [event["data"] for event in events] == [{"plan": "pro"}, {"plan": "free"}]


def test_the_logger_wins_over_entered_contexts_and_those_over_contextvars(log, events):
    bind_contextvars(a="contextvars", b="contextvars", c="contextvars")
    with et.context(a="entered", b="entered"):
        log.bind(a="logger").emit("edx.problem.check")
    assert events[0]["context"] == {"a": "logger", "b": "entered", "c": "contextvars"}


def test_a_context_ends_with_its_event(log, events):
    with et.context(host="lms"):
        log.bind(user_id=7).emit("edx.problem.check")
        assert et.get_tracker().resolve_context() == {"host": "lms"}
    et.emit("edx.problem.check")
    assert events[1]["context"] == {}


def test_the_level_of_a_logger_filters_lines_and_no_events(logger, events, lines):
    log = logger(make_filtering_bound_logger("critical")).bind(user_id=7)
    log.emit("edx.a")
    log.info("signed %s", "up", track=True)
    log.debug("signed %(how)s", {"how": "up"}, track="edx.b", plan="pro")
    log.log(logging.ERROR, "signed up", track="edx.c")
    log.msg("signed %d", "up", track=True)
    log.exception("signed up", track="edx.e")  # noqa: LOG004  its level is what matters
    log.info("not tracked")
    assert [event["name"] for event in events] == [
        *("edx.a", "signed %s", "edx.b", "edx.c", "signed %d", "edx.e")
    ]
    assert (events[2]["data"], events[2]["context"]) == ({"plan": "pro"}, {"user_id": 7})
    assert lines.entries == []
    log.critical("written", track="edx.f")
    log.log(logging.CRITICAL, "written too", track="edx.g")
    assert [line["event"] for line in lines.entries] == ["written", "written too"]


def test_processors_filter_lines_and_no_events(logger, events, lines, stdlib_log):
    assert stdlib_log.texts == []
    log = logger(
        structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.filter_by_level],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    app = structlog.get_logger("app")
    app.debug("signed up", track="edx.a")
    log.debug("signed up", track="edx.b")
    assert [event["name"] for event in events] == ["edx.a", "edx.b"]
    assert lines.entries == []


def test_a_class_of_ones_own_stays_what_it_is(logger, events, lines):
    logger(Shouting).shout("fire", track="edx.alarm.raised", floor=2)
    logger(Polite).info("tea", track="edx.tea.made")
    assert [event["name"] for event in events] == ["edx.alarm.raised", "edx.tea.made"]
    assert [line["event"] for line in lines.entries] == ["FIRE", "please note: tea"]


@pytest.mark.parametrize("base", [dict, object(), structlog.PrintLogger])
def test_other_classes_are_refused(base):
    with pytest.raises(ValueError, match="one of structlog's classes"):
        tracking_wrapper(base)


def test_another_tracker_may_be_emitted_on(logger, events):
    memory = MemoryBackend()
    log = logger(tracker=et.Tracker({"memory": memory})).bind(user_id=7)
    log.info("signed up", track="edx.account.created")
    log.emit("edx.account.created")
    assert (len(memory.events), events) == (2, [])


def test_loggers_may_be_made_and_used_before_the_tracker_is_configured(logger, lines):
    log = logger(cache_logger_on_first_use=True)
    log.emit("edx.too.early")
    log.info("too early", track="edx.too.early")
    memory = MemoryBackend()
    et.configure({"backends": {"memory": memory}})
    log.emit("edx.in.time")
    assert [event["name"] for event in memory.events] == ["edx.in.time"]
    assert len(lines.entries) == 1


@pytest.mark.parametrize("cached", [False, True])
def test_captured_logs_have_the_ids(cached, logger, events):
    log = logger(cache_logger_on_first_use=cached)
    log.info("before")
    with capture_logs() as captured:
        log.info("signed up", track="edx.account.created")
    assert captured == [
        {"event": "signed up", "log_level": "info", "event_id": events[0]["id"]},
    ]


def test_a_formatter_of_the_standard_library_renders_tracked_lines(logger, events, stdlib_log):
    stdlib_log.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ]
        )
    )
    logger(structlog.stdlib.BoundLogger, logger_factory=structlog.stdlib.LoggerFactory())
    structlog.configure(processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter])
    log = structlog.get_logger("app")
    log.info("signed up %s", "ada", track="edx.account.created", plan="pro")
    log.debug("below the level of the logger", track="edx.account.created")
    (line,) = stdlib_log.lines
    assert line["event_id"] == events[0]["id"]
    assert [event["data"] for event in events] == [{"plan": "pro"}, {}]


@pytest.mark.parametrize("name", ["stdlib", "unfiltered", "generic", "filtering"])
def test_the_caller_of_a_line_is_who_called(name, logger, lines, events, stdlib_log):
    adder = structlog.processors.CallsiteParameterAdder(
        {structlog.processors.CallsiteParameter.FUNC_NAME}
    )
    factory = structlog.stdlib.LoggerFactory()
    log = logger(FAMILIES[name], processors=[adder], logger_factory=factory)
    log.info("plain")
    log.info("tracked", track="edx.a")
    if name != "generic":
        log.log(logging.WARNING, "by number", track="edx.b")
    assert len(events) in {1, 2}
    mine = "test_the_caller_of_a_line_is_who_called"
    assert {line["func_name"] for line in lines.entries} == {mine}
    stdlib_log.setFormatter(logging.Formatter("%(funcName)s"))
    structlog.configure(processors=[structlog.stdlib.render_to_log_kwargs])
    structlog.get_logger("app").info("tracked", track="edx.a")
    assert stdlib_log.texts == [mine]


@pytest.mark.parametrize("family", FAMILIES)
def test_loggers_can_be_pickled(family, events):
    structlog.configure(
        wrapper_class=tracking_wrapper(FAMILIES[family]),
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    log = structlog.get_logger().bind(user_id=7)
    log.info("used")
    for other in (pickle.loads(pickle.dumps(log)), copy.copy(log), copy.deepcopy(log)):
        assert type(other) is type(log)
        assert other == log
        other.emit("edx.problem.check")
    assert [event["context"] for event in events] == [{"user_id": 7}] * 3
