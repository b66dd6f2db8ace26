"""The contract of processors, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from functools import partial
from typing import Any, Final

from eventtracking_core.components import Processor
from eventtracking_core.errors import EventEmissionExit
from eventtracking_core.events import Event
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._component import EACH, THREADS, ComponentConformance
from eventtracking_core.testing._contents import Contents, shared
from eventtracking_core.testing.hostile import EVENTS

__all__ = ["ProcessorConformance"]

MANY: Final = 100


class ProcessorConformance(ComponentConformance):
    """The checks that a processor passes: inherit it, and say how one is made.

    Say too what an event looks like that the processor does its work on::

        class TestLowerNames(ProcessorConformance):
            def make_processor(self):
                return LowerNames()

            def make_event(self):
                return {**super().make_event(), "name": "Edx.Problem.Check"}
    """

    @abstractmethod
    def make_processor(self) -> Processor:
        """Return a processor that was not used yet; called once or more in each check."""

    def make_event(self) -> Event:
        """Return an event, a new one each time, that the processor changes or lets through."""
        return EVENTS["name: none"]()

    def _make(self) -> Processor:
        return self.make_processor()

    def test_says_what_it_is(self) -> None:
        """A router looks these up once."""
        processor = self.make_processor()
        assert type(getattr(processor, "mutates", True)) is bool, "mutates must be True or False"
        assert getattr(processor, "on_error", "continue") in {"continue", "drop"}, (
            'on_error must be "continue" or "drop"'
        )

    def test_returns_an_event(self) -> None:
        """It returns an event under the same id, a list of events, or None for the one it had."""
        event = self.make_event()
        id_ = event["id"]
        result = _passed(self.make_processor(), event)
        if result is None:
            return
        if isinstance(result, list):
            _check_parts(result)
            return
        assert type(result) is dict, (
            f"it returned {type(result).__name__}: return a dict, a list of them or None"
        )
        missing = {"id", "name", "timestamp", "context", "data"} - result.keys()
        assert not missing, f"it took away what each event has: {', '.join(sorted(missing))}"
        assert result["id"] == id_, "the id tells deliveries of an event apart: keep it"
        assert isinstance(result["name"], str), "the name must be a str"
        assert isinstance(result["timestamp"], datetime), "the timestamp must be a datetime"
        assert result["timestamp"].tzinfo is not None, "the timestamp must have a time zone"

    def test_takes_hostile_events(self) -> None:
        """Whatever is in an event, it goes on or is dropped by `EventEmissionExit`."""
        self._check_each_hostile_event(self._process)

    def test_is_honest_about_mutating(self) -> None:
        """If it says `mutates = False`, it does not change the event."""
        if getattr(self.make_processor(), "mutates", True):
            return
        self._check_unchanged(self.make_event())
        self._check_each_hostile_event(lambda case: self._check_unchanged(EVENTS[case]()))

    def test_events_share_nothing(self) -> None:
        """Who changes an event further on must not change the next one."""
        processor = self.make_processor()
        first, second = (_passed(processor, self.make_event()) for _ in range(2))
        assert not shared(first, second), (
            "it puts the same dict or list into several events: put copies there"
        )

    def test_takes_events_from_many_threads(self) -> None:
        """Any thread may emit, at any time."""
        work = partial(self._process_own, self.make_processor(), EACH)
        in_threads([work] * THREADS, self.deadline)

    def test_works_in_a_forked_child(self) -> None:
        """What it holds is of use in the child too."""
        work = partial(self._process_own, self.make_processor(), 1)
        work()
        failure = in_a_child(work, self.deadline)
        assert not failure, failure

    def test_waits_for_nothing(self) -> None:
        """It runs inside `emit`, in the application's own thread."""
        in_threads([partial(self._process_own, self.make_processor(), MANY)], self.deadline)

    def _process(self, case: str) -> None:
        _passed(self.make_processor(), EVENTS[case]())

    def _process_own(self, processor: Processor, count: int) -> None:
        for _ in range(count):
            event = self.make_event()
            id_ = event["id"]
            passed = _passed(processor, event)
            if not isinstance(passed, list):  # the ids of parts are the router's to derive
                assert passed is None or passed["id"] == id_, "an event came out under another's id"

    def _check_unchanged(self, event: Event) -> None:
        contents = Contents(event)
        _passed(self.make_processor(), event)
        assert contents.is_unchanged(), (
            "it changed the event it was given: return a changed copy, or leave `mutates` out"
        )


def _passed(processor: Processor, event: Event) -> Any:
    """Return the event that goes on; None where it was dropped."""
    try:
        result: object = processor(event)
    except EventEmissionExit:
        return None
    return event if result is None else result


def _check_parts(parts: list[Any]) -> None:
    """Check a list of events; what they leave out, and their ids, they take from their parent."""
    for part in parts:
        assert isinstance(part, dict), f"its list holds a {type(part).__name__}: events are dicts"
        assert isinstance(part.get("name", ""), str), "the name must be a str"
        for key in ("context", "data"):
            assert isinstance(part.get(key, {}), dict), f"the {key} must be a dict"
