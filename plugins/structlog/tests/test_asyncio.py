"""Loggers in an event loop."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from structlog import make_filtering_bound_logger
from structlog.contextvars import bind_contextvars
from structlog.stdlib import AsyncBoundLogger
from structlog.testing import CapturingLoggerFactory

import eventtracking_core as et


@pytest.mark.parametrize(
    "base", [make_filtering_bound_logger("notset"), structlog.stdlib.BoundLogger]
)
def test_an_awaited_line_is_tracked_in_the_contexts_of_its_task(base, logger, events, lines):
    log = logger(base, logger_factory=CapturingLoggerFactory())

    async def visit(user_id):
        bind_contextvars(user_id=user_id)
        with et.context(page=f"p{user_id}"):
            await log.ainfo("visited", track="edx.page.visited", user_id=user_id)

    async def main():
        await asyncio.gather(*map(visit, range(5)))

    asyncio.run(main())
    assert len(events) == len(lines.entries) == 5
    for event in events:
        user_id = event["data"]["user_id"]
        assert event["context"] == {"user_id": user_id, "page": f"p{user_id}"}
    assert {line["event_id"] for line in lines.entries} == {event["id"] for event in events}


def test_a_filtered_line_is_awaited_and_tracked(logger, events, lines):
    log = logger(make_filtering_bound_logger("error"))

    async def main():
        await log.ainfo("visited %s", "p1", track=True)
        await log.alog(20, "visited", track="edx.page.visited")
        await log.alog(40, "failed", track="edx.page.failed")
        await log.aexception("raised", track="edx.page.raised")

    asyncio.run(main())
    assert [event["name"] for event in events] == [
        *("visited %s", "edx.page.visited", "edx.page.failed", "edx.page.raised")
    ]
    assert [line["event"] for line in lines.entries] == ["failed", "raised"]


def test_the_caller_of_an_awaited_line_is_who_awaits_it(logger, lines, events):
    parameter = structlog.processors.CallsiteParameter.FUNC_NAME
    adder = structlog.processors.CallsiteParameterAdder({parameter})
    log = logger(make_filtering_bound_logger("info"), processors=[adder])

    async def awaiting():
        await log.ainfo("visited", track="edx.page.visited")
        await log.alog(20, "visited", track="edx.page.visited")

    asyncio.run(awaiting())
    assert [line["func_name"] for line in lines.entries] == ["awaiting"] * 2
    assert len(events) == 2


def test_a_logger_whose_methods_are_coroutines(logger, events, lines):
    async def main():
        log = logger(AsyncBoundLogger, logger_factory=CapturingLoggerFactory())
        await log.bind(user_id=7).info("visited", track="edx.page.visited", page="p1")
        log.bind(user_id=8).emit("edx.page.visited", page="p2")
        et.configure({"backends": {"log": "structlog"}})
        et.emit("edx.page.left")

    asyncio.run(main())
    assert [(event["context"], event["data"]) for event in events] == [
        ({"user_id": 7}, {"page": "p1"}),
        ({"user_id": 8}, {"page": "p2"}),
        ({}, {}),
    ]
    assert lines.entries[0]["event_id"] == events[0]["id"]
    assert [line["event"] for line in lines.entries] == ["visited", "edx.page.left"]
