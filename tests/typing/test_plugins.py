"""The types that the author of a plugin meets: hooks, backends, options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import assert_type

import pytest

import eventtracking_core as et
from eventtracking_core import hookimpl
from eventtracking_core.plugins import plugins


class Names:
    """Keeps the names of events."""

    default_delivery = "inline"

    def __init__(self, limit: et.ByteSize = 1024, patience: et.Seconds = 0.5) -> None:
        assert_type(limit, int)
        assert_type(patience, float)
        self.names: list[str] = []

    def send(self, event: et.Event) -> None:
        self.names.append(event["name"])

    def flush(self, timeout: float) -> bool:
        return timeout >= 0

    shutdown = flush


class Batches:
    """Keeps how many events came at once, and refuses those without a name."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def send_batch(self, events: Sequence[et.Event], *, timeout: float) -> None:
        failures: dict[int, Exception] = {
            number: et.RejectedError("an event needs a name")
            for number, event in enumerate(events)
            if event["name"] == "unknown"
        }
        if failures:
            raise et.BatchError(failures)
        if timeout <= 0:
            raise et.RetryableError("out of time", retry_after=1.5)
        self.sizes.append(len(events))


class Site:
    """A context provider."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self) -> Mapping[str, object]:
        return {"site": self._name}


class Plugin:
    """An object with hooks is a plugin as a module is."""

    @hookimpl
    def eventtracking_backends(self) -> Mapping[str, Callable[..., et.Backend | et.BatchBackend]]:
        return {"typed": Names, "typed.batches": Batches}

    @hookimpl
    def eventtracking_context_providers(self) -> Mapping[str, Callable[..., et.ContextProvider]]:
        return {"typed": Site}


class Mistaken:
    """No backend: its method has another name."""

    def deliver(self, event: et.Event) -> None: ...


@pytest.fixture(scope="module", autouse=True)
def _plugin_is_registered() -> Iterator[None]:
    et.register_plugin(Plugin(), "typed")
    yield
    plugins.unregister("typed")


def test_a_plugin_and_its_backends_have_the_types_that_the_hooks_want() -> None:
    tracker = et.Tracker()
    tracker.configure(
        {
            "context": [{"type": "typed", "name": "lms"}],
            "backends": {"names": {"type": "typed", "limit": "1 KiB"}, "batches": "typed.batches"},
        }
    )
    tracker.emit("edx.problem.check")
    names, batches = tracker.get_backend("names"), tracker.get_backend("batches")
    assert_type(names, et.Backend | et.BatchBackend)
    assert isinstance(names, Names)
    assert isinstance(batches, Batches)
    assert (names.names, batches.sizes) == (["edx.problem.check"], [1])


def test_backends_are_told_apart_from_what_is_none() -> None:
    one: et.Backend = Names()
    many: et.BatchBackend = Batches()
    none: et.Backend = Mistaken()  # type: ignore[assignment]
    assert isinstance(one, et.Backend)
    assert isinstance(many, et.BatchBackend)
    assert not isinstance(none, et.Backend)


def test_problems_of_a_configuration_are_told_with_their_paths() -> None:
    with pytest.raises(et.ConfigurationError) as caught:
        et.configure({"backends": {"names": {"type": "typed", "limit": "many"}}})
    problems = assert_type(caught.value.problems, tuple[et.Problem, ...])
    assert assert_type(problems[0].path, str) == "backends.names.limit"
    assert assert_type(problems[0].message, str)
    assert assert_type(caught.value.source, str) == "configuration"
