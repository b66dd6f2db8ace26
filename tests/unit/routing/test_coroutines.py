"""Coroutines where nothing awaits them: refused by name, and never counted as delivered."""

from __future__ import annotations

from functools import partial, wraps

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


class Sends:
    async def send(self, event):
        raise AssertionError


class Batches:
    async def send_batch(self, events, *, timeout):  # noqa: ASYNC109
        raise AssertionError


class Called:
    async def __call__(self, *arguments, **options):
        raise AssertionError


class Yields:
    async def send(self, event):
        yield event


def having(**methods):
    backend = type("Backend", (), {})()
    vars(backend).update(methods)
    return backend


BACKENDS = [
    Sends(),
    Batches(),
    Yields(),
    having(send=partial(Sends().send)),
    having(send=partial(partial(Called()), 1)),
    having(send_batch=Called()),
    having(send=print, send_batch=Called()),
    having(send=print, flush=Called()),
    having(send=print, shutdown=Called()),
    having(send=print, probe=Called()),
]


@pytest.mark.parametrize("backend", BACKENDS, ids=range(len(BACKENDS)))
def test_an_inline_backend_of_coroutines_is_refused_by_name(backend):
    with pytest.raises(ValueError, match="'a' is `async def`"):
        et.Tracker({"a": backend})
    node = {"delivery": "inline", "backends": {"a": backend}}
    with pytest.raises(et.ConfigurationError, match=r"backends\.a: .*async def"):
        et.Tracker().configure({"backends": {"a": node}})


def test_a_backend_of_asynchronous_generators_is_refused_in_any_delivery():
    node = {"delivery": "queue", "backends": {"a": Yields()}}
    with pytest.raises(et.ConfigurationError, match=r"backends\.a: .*async def"):
        et.Tracker().configure({"backends": {"a": node}})


def test_a_backend_whose_send_is_a_generator_delivers_nothing():
    class Generates:
        def send(self, event):
            yield event

    tracker = et.Tracker({"a": Generates()})
    tracker.emit("a.b")
    (leaf,) = tracker.stats()["tree"]["backends"]
    assert (leaf["accepted"], leaf["delivered"], leaf["dropped"]) == (1, 0, {"rejected": 1})


def test_a_store_of_event_types_of_coroutines_is_refused():
    class Store:
        async def save_event_type(self, record):
            raise AssertionError

    with pytest.raises(et.ConfigurationError, match="metadata: is `async def`"):
        et.Tracker().configure({"metadata": Store()})


def test_a_processor_of_coroutines_is_refused():
    with pytest.raises(ValueError, match="async def"):
        et.Tracker(processors=[Called()])
    with pytest.raises(et.ConfigurationError, match=r"processors\.?\[?0.*async def"):
        et.Tracker().configure({"processors": [partial(Called())]})


def decorated(function):
    @wraps(function)
    def call(*arguments, **options):
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize("method", ["send", "send_batch"])
@pytest.mark.parametrize("mode", ["inline", "queue"])
def test_what_returns_an_awaitable_has_not_delivered(method, mode, tmp_path):
    tracker = et.Tracker()
    backend = having(**{method: decorated(Called().__call__)})
    delivery = {"mode": mode, **({} if mode == "inline" else {"directory": str(tmp_path)})}
    tracker.configure({"backends": {"r": {"delivery": delivery, "backends": {"a": backend}}}})
    tracker.emit("name")
    assert tracker.flush(60)
    leaf = tracker.stats()["tree"]["backends"][0]["backends"][0]
    tracker.shutdown(5)

    assert leaf["delivered"] == 0
    assert sum(leaf["dropped"].values()) + leaf.get("dead_lettered", 0) == 1


def test_a_processor_that_returns_an_awaitable_has_failed():
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, processors=[decorated(Called().__call__)])
    tracker.emit("name")
    assert len(memory.events) == 1
    assert tracker.stats()["tree"]["processors"][0]["errors"] == {"error": 1}
