"""Entering and leaving contexts; what events carry of them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et


@pytest.fixture
def carried(tracker, memory):
    """Tells the context that an event emitted now carries."""

    def of_an_event():
        tracker.emit("name")
        return memory.events[-1]["context"]

    return of_an_event


def test_an_event_carries_the_union_of_the_contexts_and_the_innermost_value_wins(tracker, carried):
    with tracker.context("session", {"user_id": 1, "org": "edX"}), tracker.context(user_id=2):
        assert carried() == {"user_id": 2, "org": "edX"}


def test_a_context_ends_with_its_block_also_where_that_raises(tracker, carried):
    with pytest.raises(LookupError), tracker.context("request", {"user_id": 1}):
        raise LookupError

    assert carried() == {}


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (("request", {"a": 1}), {}),
        ((), {"name": "request", "ctx": {"a": 1}}),
        (({"a": 1},), {}),
        ((), {"a": 1}),
    ],
)
def test_a_context_is_written_in_any_of_its_forms(tracker, carried, arguments, fields):
    with tracker.context(*arguments, **fields):
        assert carried() == {"a": 1}


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ((), {}),
        (("request",), {}),
        (("request", {"a": 1}), {"b": 2}),
        (({"a": 1},), {"b": 2}),
        ((), {"name": "n", "user_id": 1}),
        ((), {"ctx": {"a": 1}, "user_id": 1}),
    ],
)
def test_any_other_form_is_refused(tracker, arguments, fields):
    with pytest.raises(TypeError, match="name and a mapping"):
        tracker.context(*arguments, **fields)


def test_a_name_that_is_entered_again_nests(tracker):
    tracker.enter_context("request", {"path": "/a"})
    tracker.enter_context("request", {"path": "/b"})

    assert tracker.resolve_context() == {"path": "/b"}
    tracker.exit_context("request")
    assert tracker.resolve_context() == {"path": "/a"}


def test_contexts_may_be_left_in_any_order(tracker):
    for name in ("a", "b", "c"):
        tracker.enter_context(name, {name: name, "last": name})
    tracker.exit_context("b")

    assert tracker.resolve_context() == {"a": "a", "c": "c", "last": "c"}
    tracker.exit_context("c")
    assert tracker.resolve_context() == {"a": "a", "last": "a"}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_is_active_is_what_was_entered_and_not_left(data):
    tracker, model = et.Tracker(), []
    for number in range(data.draw(st.integers(0, 20))):
        if model and data.draw(st.booleans(), "leave"):
            name = data.draw(st.sampled_from([name for name, _ in model]))
            tracker.exit_context(name)
            model.reverse()
            model.remove(next(entry for entry in model if entry[0] == name))
            model.reverse()
        else:
            name, fields = data.draw(st.sampled_from("abc")), {f"f{number % 4}": number}
            tracker.enter_context(name, fields)
            model.append((name, fields))
        merged = {key: value for _, fields in model for key, value in fields.items()}
        assert tracker.resolve_context() == merged


def test_leaving_what_was_not_entered_is_a_key_error(tracker):
    tracker.enter_context("request", {})
    tracker.exit_context("request")

    with pytest.raises(KeyError, match="request"):
        tracker.exit_context("request")


def test_a_context_manager_may_be_used_again_and_within_itself(tracker):
    entered = tracker.context("step", {"step": 1})
    with entered, tracker.context("step", {"step": 2}), entered:
        assert tracker.resolve_context() == {"step": 1}
    assert tracker.resolve_context() == {}
    with entered:
        assert tracker.resolve_context() == {"step": 1}


def test_a_context_manager_removes_its_own_context_in_whatever_order_it_is_left(tracker):
    first, second = tracker.context("same", {"a": 1}), tracker.context("same", {"b": 2})
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)

    assert tracker.resolve_context() == {"b": 2}


def test_a_block_may_end_after_its_context_was_left_by_name(tracker):
    with tracker.context("outer", {"a": 1}):
        with tracker.context("inner", {"b": 2}):
            tracker.exit_context("inner")
        assert tracker.resolve_context() == {"a": 1}


def test_what_is_changed_after_entering_changes_no_event(tracker, carried):
    fields = {"user_id": 1}
    with tracker.context("request", fields):
        fields["user_id"] = 2
        tracker.resolve_context()["user_id"] = 3
        carried()["user_id"] = 4

        assert carried() == {"user_id": 1}


def test_two_trackers_share_no_contexts(tracker):
    with et.Tracker().context("request", {"a": 1}):
        assert tracker.resolve_context() == {}


@pytest.mark.native
def test_a_new_thread_starts_without_contexts(tracker):
    found = []
    with tracker.context("request", {"user_id": 1}):
        thread = threading.Thread(target=lambda: found.append(tracker.resolve_context()))
        thread.start()
        thread.join()

    assert found == [{}]


@pytest.mark.native
def test_carry_takes_the_contexts_to_a_pool(tracker):
    with ThreadPoolExecutor(4) as pool:
        with tracker.context("request", {"user_id": 1}):
            work = et.carry(tracker.resolve_context)
        found = [pool.submit(work) for _ in range(50)]

    assert [one.result() for one in found] == [{"user_id": 1}] * 50


def test_what_carried_work_enters_stays_in_it(tracker):
    def work(number, *, factor):
        tracker.enter_context("work", {"number": number})
        return number * factor

    carried = et.carry(work)

    assert carried(3, factor=2) == 6
    assert tracker.resolve_context() == {}


@pytest.mark.native
def test_tasks_inherit_contexts_and_keep_their_own(tracker):
    async def task(number):
        with tracker.context("task", {"task": number}):
            await asyncio.sleep(0)
            return tracker.resolve_context()

    async def all_of_them():
        with tracker.context("request", {"user_id": 1}):
            return await asyncio.gather(*map(task, range(20))), tracker.resolve_context()

    of_tasks, afterwards = asyncio.run(all_of_them())

    assert of_tasks == [{"user_id": 1, "task": number} for number in range(20)]
    assert afterwards == {"user_id": 1}


def test_a_context_in_a_generator_is_visible_to_whoever_iterates(tracker):
    def pages():
        with tracker.context("pages", {"page": 1}):
            yield

    generator = pages()
    next(generator)

    assert tracker.resolve_context() == {"page": 1}
    generator.close()
    assert tracker.resolve_context() == {}


@pytest.mark.native
@pytest.mark.slow
def test_more_contexts_than_calls_can_nest_may_be_left_in_the_order_of_entering():
    tracker = et.Tracker()
    names = [str(number) for number in range(1100)]
    for name in names:
        tracker.enter_context(name, {"field": name})
    for name in names:
        tracker.exit_context(name)

    assert tracker.resolve_context() == {}
