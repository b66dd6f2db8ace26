"""What takes part in a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

__all__ = ["Contestant"]


@dataclass(frozen=True, eq=False)
class Contestant:
    """One way to say what happened.

    Args:
        name: what the tables call it.
        statement: what an application writes to say it once.
        names: what the statement refers to.
        delivered: returns how many events arrived, whole, since it was last asked; None where
            there is nothing to arrive at.
        around: what the application has entered before: contexts, a span.
        pause: what is done after every burst, and is not part of the time: letting a worker catch
            up.
    """

    name: str
    statement: str
    names: Mapping[str, object]
    delivered: Callable[[], int] | None
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    pause: Callable[[], object] | None = None
