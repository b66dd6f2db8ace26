"""Events that enter a pipeline as it is replaced go into the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.routing import AtomicCounter

__all__ = ["Leaving", "Replaced", "move"]


class Replaced(Exception):  # noqa: N818  no error: the event goes into another pipeline
    """The pipeline accepts no more events; its tracker has another."""


def move(moved: AtomicCounter, _event: Event | None = None) -> NoReturn:
    """Count an event that goes into another pipeline.

    Raises:
        Replaced: always.
    """
    moved.add()
    raise Replaced


class Leaving:
    """Counts events that leave a pipeline, as `left` does, and then calls a function.

    Args:
        left: counts them.
        then: called after each.
    """

    def __init__(self, left: Iterator[object], then: Callable[[], object]) -> None:
        self._left = left
        self._then = then

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> None:
        next(self._left)
        self._then()
