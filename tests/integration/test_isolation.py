"""Threads and tasks at work together, each in contexts of its own."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

import eventtracking_core as et

THREADS, TASKS, EVENTS = 8, 50, 100


@pytest.fixture(autouse=True)
def _threads_take_turns_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(params=["inline", "queue"])
def tracker(request):
    tracker = et.Tracker()
    tracker.configure(
        {
            "context": [{"type": "static", "values": {"worker": "nobody", "service": "lms"}}],
            "backends": {"memory": {"type": "memory", "delivery": request.param}},
        }
    )
    yield tracker
    assert tracker.shutdown(60)


def emit_in_context(tracker, worker, number):
    """Emit an event that says in its data what its context must say."""
    expected = {"worker": worker, "number": number}
    with tracker.context("event", {"number": number}):
        tracker.emit("edx.problem.check", expected)


def emit_in_a_thread(tracker, worker, start):
    start.wait()
    with tracker.context("worker", {"worker": worker}):
        for number in range(EVENTS):
            emit_in_context(tracker, worker, number)


async def emit_in_a_task(tracker, worker):
    tracker.enter_context("worker", {"worker": worker})
    for number in range(EVENTS):
        with tracker.context("event", {"number": number}):
            await asyncio.sleep(0)  # the other tasks enter theirs
            emit_in_context(tracker, worker, number)
    tracker.exit_context("worker")


async def emit_in_tasks(tracker, start):
    await asyncio.to_thread(start.wait)
    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(emit_in_a_task(tracker, f"task {number}"))


def test_no_event_has_the_context_of_another_thread_or_task(tracker):
    start = Barrier(THREADS + 1)
    with ThreadPoolExecutor(THREADS) as pool:
        threads = [
            pool.submit(emit_in_a_thread, tracker, f"thread {number}", start)
            for number in range(THREADS)
        ]
        asyncio.run(emit_in_tasks(tracker, start))
        for thread in threads:
            thread.result()
    assert tracker.flush(60)

    events = tracker.get_backend("memory").events
    assert [
        event for event in events if event["context"] != {**event["data"], "service": "lms"}
    ] == []
    workers = {f"thread {n}" for n in range(THREADS)} | {f"task {n}" for n in range(TASKS)}
    counted = Counter(event["data"]["worker"] for event in events)
    assert counted == dict.fromkeys(workers, EVENTS)
    assert len({event["id"] for event in events}) == len(events)
    assert tracker.resolve_context() == {}
