"""Contexts entered inside generators, also those that nobody finishes."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest

from eventtracking_core import Tracker


@pytest.fixture
def tracker():
    return Tracker()


@pytest.mark.native
def test_an_abandoned_asynchronous_generator_leaves_no_context_behind(tracker):
    async def numbers():
        with tracker.context(inside=True):
            for number in range(3):
                yield number

    async def main():
        with tracker.context(outer=1):
            async for _ in numbers():
                break
            await asyncio.sleep(0.01)
            assert tracker.resolve_context() == {"outer": 1}
            with tracker.context(later=2):
                assert tracker.resolve_context() == {"outer": 1, "later": 2}
            assert tracker.resolve_context() == {"outer": 1}
        assert tracker.resolve_context() == {}

    asyncio.run(main())


@pytest.mark.native
def test_a_task_that_was_started_inside_keeps_the_context(tracker):
    async def show(release):
        await release.wait()
        return tracker.resolve_context()

    async def tasks(release):
        with tracker.context(inside=True):
            yield asyncio.create_task(show(release))

    async def main():
        release = asyncio.Event()
        task = await anext(tasks(release))
        await asyncio.sleep(0.01)
        assert tracker.resolve_context() == {}
        release.set()
        assert await task == {"inside": True}

    asyncio.run(main())


@pytest.mark.native
def test_a_generator_that_is_closed_in_another_thread_leaves_no_context_behind(tracker):
    def numbers():
        with tracker.context(inside=True):
            yield 1

    generator = numbers()
    next(generator)
    thread = threading.Thread(target=generator.close)
    thread.start()
    thread.join()
    assert tracker.resolve_context() == {}


@pytest.mark.native
def test_a_generator_in_a_cycle_leaves_no_context_behind(tracker):
    def numbers(holder):
        with tracker.context(inside=True):
            yield holder

    holder = []
    holder.append(numbers(holder))
    next(holder[0])
    del holder
    gc.collect()
    assert tracker.resolve_context() == {}


@pytest.mark.parametrize("depth", [1, 3])
def test_generators_that_are_finished_work_as_blocks_do(tracker, depth):
    def numbers(level):
        with tracker.context({f"level{level}": level}):
            if level < depth:
                yield from numbers(level + 1)
            else:
                yield tracker.resolve_context()

    (inside,) = numbers(1)
    assert inside == {f"level{level}": level for level in range(1, depth + 1)}
    assert tracker.resolve_context() == {}


@pytest.mark.native
def test_context_managers_made_of_generators_work_as_blocks_do(tracker):
    @contextmanager
    def request():
        with tracker.context(request=1):
            yield

    @asynccontextmanager
    async def session():
        with tracker.context(session=2):
            yield

    async def main():
        with request():
            async with session():
                assert tracker.resolve_context() == {"request": 1, "session": 2}
            assert tracker.resolve_context() == {"request": 1}
        assert tracker.resolve_context() == {}

    asyncio.run(main())


def test_interleaved_generators_leave_in_any_order(tracker):
    def entering(**fields):
        with tracker.context(fields):
            yield

    first, second = entering(a=1), entering(b=2)
    next(first)
    next(second)
    first.close()
    assert tracker.resolve_context() == {"b": 2}
    second.close()
    assert tracker.resolve_context() == {}
