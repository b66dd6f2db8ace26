"""The types that users of structlog meet: loggers that track, processors, configuration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import assert_type

import pytest
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

import eventtracking_core as et
from eventtracking_core.testing import capture
from eventtracking_structlog import (
    StructlogBackend,
    StructlogContext,
    TrackingLogger,
    TrackProcessor,
    merge_tracker_context,
    tracking_wrapper,
)


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def greet(log: FilteringBoundLogger, name: str) -> None:
    """Take any logger that filters."""
    log.info("hello", name=name)


def test_a_tracking_logger_emits_and_logs() -> None:
    wrapper = assert_type(
        tracking_wrapper(structlog.make_filtering_bound_logger("info")), type[TrackingLogger]
    )
    lines = structlog.testing.LogCapture()
    processors: list[Processor] = [merge_tracker_context, lines]
    structlog.configure(wrapper_class=wrapper, processors=processors)
    log: TrackingLogger = structlog.get_logger()
    with capture() as events:
        assert_type(log.emit("edx.video.played", position=3), str)
        bound = assert_type(log.bind(user_id=7), TrackingLogger)
        bound.info("signed up", track="edx.account.created", plan="pro")
        assert_type(bound.unbind("user_id").try_unbind("x").new().emit(), str)
        greet(bound, "ada")
        with pytest.raises(TypeError):
            log.emit("edx.video.played", 3)  # type: ignore[call-arg]
    assert [event["context"] for event in events] == [{}, {"user_id": 7}, {}]
    assert [line["event"] for line in lines.entries] == ["signed up", "hello"]


def test_every_class_of_loggers_may_track() -> None:
    tracker = et.Tracker()
    for base in (structlog.stdlib.BoundLogger, structlog.stdlib.AsyncBoundLogger):
        assert_type(tracking_wrapper(base, tracker=tracker), type[TrackingLogger])
    assert_type(tracking_wrapper(structlog.BoundLogger), type[TrackingLogger])
    with pytest.raises(ValueError, match="one of structlog's classes"):
        tracking_wrapper(int)  # type: ignore[arg-type]


def test_processors_are_those_of_structlog() -> None:
    processors: list[Processor] = [
        TrackProcessor(registered=True, context=["user_id"], tracker=et.Tracker()),
        partial(merge_tracker_context, tracker=et.Tracker()),
    ]
    line: EventDict = {"event": "hello"}
    for processor in processors:
        assert processor(None, "info", line) == {"event": "hello"}


def test_the_components_are_those_of_a_tracker() -> None:
    backend: et.Backend = StructlogBackend(name="tracking", level="debug")
    provider: et.ContextProvider = StructlogContext(allow=["user_id"], deny=None)
    assert isinstance(backend, et.Backend)
    assert provider() == {}
    with pytest.raises(KeyError):
        StructlogBackend(level="loud").send(  # type: ignore[arg-type]
            {"id": "1"}  # type: ignore[typeddict-item]
        )
