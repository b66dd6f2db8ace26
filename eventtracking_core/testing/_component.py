"""The contract of components of every kind, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

import inspect
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from mmap import mmap
from pathlib import Path
from typing import Any, ClassVar, Final

from eventtracking_core.config.parameters import parameters
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._importing import import_cost
from eventtracking_core.testing._sending import callable_now
from eventtracking_core.testing.hostile import EVENTS

__all__ = ["BOUNDED", "EACH", "THREADS", "ComponentConformance"]

THREADS: Final = 8
EACH: Final = 25
SHOWN: Final = 3

SLOW_DOWN: Final = 5
"""How many times longer all hostile events together may take than one."""

# Where they are not cut, they fill the memory.
EXPLODING: Final = [case for case in EVENTS if "explode" in case]
BOUNDED: Final = [case for case in EVENTS if "explode" not in case]


class ComponentConformance(ABC):
    """The checks that a component of any kind passes."""

    deadline: ClassVar[float] = 60.0
    """Seconds in which anything ends that ends at all."""

    grace: ClassVar[float] = 5.0
    """Seconds by which a deadline may be missed, on a busy machine."""

    import_cost: ClassVar[float] = 1.0
    """Seconds of the processor that the import of the component's module may take."""

    @abstractmethod
    def _make(self) -> Any:
        """Return a component that was not used yet."""

    def test_the_class_is_documented(self) -> None:
        """The reference and the schema say what the docstring says."""
        assert inspect.getdoc(_source(self._make())), "write a docstring: what is it for?"

    def test_every_option_is_annotated(self) -> None:
        """The annotations of the constructor are the schema of the options."""
        source = _source(self._make())
        declared = inspect.signature(source).parameters
        bare = [
            name
            for name in _options(source)
            if declared[name].annotation is inspect.Signature.empty
        ]
        assert not bare, f"annotate the options: {', '.join(bare)}"

    def test_every_option_is_documented(self) -> None:
        """The docstring of the class says what each option does."""
        source = _source(self._make())
        text = inspect.getdoc(source) or ""
        silent = [name for name in _options(source) if not re.search(rf"\b{name}\b", text)]
        assert not silent, f"say in the docstring of the class what they do: {', '.join(silent)}"

    def test_construction_opens_nothing(self) -> None:
        """What it needs is opened on first use, in the process that uses it."""
        # In a child there are no other threads, which may open something at the same time.
        failure = in_a_child(self._check_construction, self.deadline)
        assert not failure, failure

    def test_importing_it_is_cheap(self) -> None:
        """Each process that configures it waits for its import."""
        module = _source(self._make()).__module__
        cost = import_cost(module, self.deadline, self.import_cost)
        if cost is None:
            return  # it is in no module that anybody could import
        assert not cost.threads, f"importing {module} starts a thread: start it on first use"
        assert not cost.files, f"importing {module} opens a file or a socket: open it on first use"
        assert cost.seconds <= self.import_cost, (
            f"importing {module} takes {cost.seconds:.1f} seconds of the processor: "
            "import what is heavy where it is first used"
        )

    def _check_construction(self) -> None:
        before = _threads_and_files()
        component = self._make()
        after = _threads_and_files()
        assert after[0] <= before[0], "the constructor starts a thread: start it on first use"
        assert after[1] <= before[1], (
            "the constructor opens a file or a socket: open it on first use"
        )
        self._ask(component, "shutdown")

    def _ask(self, component: object, method: str, timeout: float | None = None) -> None:
        """Call an optional method, which must end and say whether all was done."""
        ask = getattr(callable_now(component), method, None)
        if not callable(ask):
            return
        timeout = self.deadline if timeout is None else timeout
        (done,) = in_threads([partial(ask, timeout)], timeout + self.deadline)
        assert isinstance(done, bool), f"{method} must return True or False"

    def _check_each_hostile_event(self, take: Callable[[str], object]) -> None:
        """Let a function take each event by its name, where a crash or a hang does no harm."""
        for cases, patience in (BOUNDED, SLOW_DOWN), (EXPLODING, 1):
            with mmap(-1, 1) as place:
                work = partial(_take_each, take, cases, place)
                failure = in_a_child(work, patience * self.deadline)
                # A child that ended at one of them could not say so itself.
                last = f"with the event {cases[place[0]]!r}: " if place[0] < len(cases) else ""
                assert not failure, f"{last}{failure}"


def _source(component: Any) -> Any:
    """Return what documents a component: its class, or the function that it is."""
    return component if inspect.isroutine(component) else type(component)


def _options(source: Any) -> list[str]:
    return [] if inspect.isroutine(source) else list(parameters(source)[0])


def _threads_and_files() -> tuple[int, int]:
    return threading.active_count(), len(list(Path("/dev/fd").iterdir()))


def _take_each(take: Callable[[str], object], cases: list[str], place: mmap) -> None:
    """Let a function take each case; leave the number of the last one at a place to be seen."""
    failures = []
    for number, case in enumerate(cases):
        place[0] = number
        try:
            take(case)
        except Exception as error:  # noqa: BLE001  all are reported, together
            error.add_note(f"with the event {case!r}")
            failures.append(error)
    place[0] = len(cases)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(cases)} events", failures[:SHOWN])
