"""Events as lines of the user's log."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
import structlog
from structlog.contextvars import bound_contextvars

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.testing import BackendConformance, hostile
from eventtracking_structlog import StructlogBackend, TrackProcessor, merge_tracker_context


@pytest.fixture
def log_file(tmp_path):
    """structlog writes lines of JSON to a file."""
    path = tmp_path / "log"
    with path.open("a", encoding="utf-8") as file:
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger("info"),
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.WriteLoggerFactory(file),
        )
        yield path


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


class TestConformance(BackendConformance):
    """Our backend passes the suite that we give to others."""

    @pytest.fixture(autouse=True)
    def log(self, log_file):
        self.path = log_file

    def make_backend(self):
        return StructlogBackend()

    def stored(self, backend):
        for line in lines_of(self.path):
            yield {
                "id": line["event_id"],
                "name": line["event"],
                "timestamp": datetime.fromisoformat(line["event_timestamp"]),
                "context": line["context"],
                "data": line["data"],
            }

    def test_whatever_is_emitted_arrives(self):
        """No input reaches the application as an exception, or is lost on the way."""
        tracker = et.Tracker({"log": StructlogBackend()})
        values = {name: make for name, make in hostile.VALUES.items() if "explode" not in name}
        for make in values.values():
            tracker.emit("edx.problem.check", {"value": make()})
        (node,) = tracker.stats()["tree"]["backends"]
        assert node["delivered"] == len(values) == len(lines_of(self.path))


def test_an_event_is_a_line_of_the_configured_log(log_file):
    et.configure({"backends": {"log": "structlog"}})
    moment = datetime(2026, 9, 12, 12, 55, 0, 123450, UTC)
    with bound_contextvars(request_id="r1"), et.context(user_id=7):
        event_id = et.get_tracker().emit("edx.a", {"event": "b", "level": 3}, timestamp=moment)
    assert lines_of(log_file) == [
        {
            "event": "edx.a",
            "level": "info",
            "event_id": event_id,
            "event_timestamp": "2026-09-12T12:55:00.123450Z",
            "context": {"user_id": 7},
            "data": {"event": "b", "level": 3},
            "request_id": "r1",
        }
    ]


def test_a_line_of_an_event_has_the_context_of_its_event_alone(lines):
    et.configure({"backends": {"log": "structlog"}})
    structlog.configure(processors=[merge_tracker_context, lines])
    with et.context(user_id=7):
        et.emit("edx.a")
        structlog.get_logger().info("hello")
    event, hello = lines.entries
    assert (event["context"], "user_id" in event) == ({"user_id": 7}, False)
    assert hello["user_id"] == 7


def test_the_log_may_be_configured_after_the_tracker(lines):
    et.configure({"backends": {"log": {"type": "structlog", "level": "warning"}}})
    structlog.configure(processors=[lines])
    et.emit("edx.a")
    assert [(line["event"], line["log_level"]) for line in lines.entries] == [("edx.a", "warning")]


def test_a_worker_may_write_the_log(lines):
    et.configure({"backends": {"log": {"type": "structlog", "delivery": "queue"}}})
    structlog.configure(processors=[TrackProcessor(registered=True), lines])
    event_id = et.emit("edx.a", {"position": 3})
    assert et.get_tracker().flush(60)
    assert [line["event_id"] for line in lines.entries] == [event_id]


def test_processors_of_the_log_change_no_event(lines):
    def forgetting(_logger, _method_name, line):
        line["data"].clear()
        line["context"]["course"]["id"] = "gone"
        return line

    structlog.configure(processors=[forgetting, lines])
    course = {"id": "c1"}
    memory = MemoryBackend()
    et.configure({"backends": {"a": "structlog", "b": memory}})
    with et.context(course=course):
        et.emit("edx.a", {"position": 3})
    assert (memory.events[0]["context"], memory.events[0]["data"]) == (
        {"course": {"id": "c1"}},
        {"position": 3},
    )
    assert course == {"id": "c1"}


@pytest.mark.parametrize(
    "base",
    [
        structlog.make_filtering_bound_logger("warning"),
        structlog.stdlib.BoundLogger,
        structlog.BoundLogger,
    ],
)
def test_an_event_that_nobody_would_see_is_counted_as_such(base, lines, caplog):
    caplog.set_level(logging.ERROR, "tracking")
    structlog.configure(
        wrapper_class=base, processors=[lines], logger_factory=structlog.stdlib.LoggerFactory()
    )
    et.configure({"backends": {"log": "structlog"}})
    et.emit("edx.a")
    (node,) = et.get_tracker().stats()["tree"]["backends"]
    seen = 1 if base is structlog.BoundLogger else 0  # which cannot be asked
    assert (node["delivered"], node["dropped"]) == (seen, {} if seen else {"no_backend": 1})


def test_a_logger_that_wraps_something_else_is_written_to(lines):
    structlog.configure(wrapper_class=structlog.stdlib.BoundLogger, processors=[lines])
    et.configure({"backends": {"log": "structlog"}})
    et.emit("edx.a")
    assert [line["event"] for line in lines.entries] == ["edx.a"]


def test_a_log_that_cannot_be_written_is_a_failure_that_is_counted(caplog):
    def failing(_logger, _method_name, _line):
        raise OSError("disk full")

    structlog.configure(processors=[failing])
    et.configure({"backends": {"log": "structlog"}})
    et.emit("edx.a", {"password": "hunter2"})
    (node,) = et.get_tracker().stats()["tree"]["backends"]
    assert node["dropped"] == {"error": 1}
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("level", ["loud", "notset", 20])
def test_a_level_that_there_is_not_is_a_problem(level):
    with pytest.raises(et.ConfigurationError, match=r"backends\.log\.level"):
        et.configure({"backends": {"log": {"type": "structlog", "level": level}}})
