"""A processor at its place in a chain: guarded and counted."""

from __future__ import annotations

from contextlib import suppress
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from eventtracking_core.diagnostics import report
from eventtracking_core.errors import EventEmissionExit, RejectedError
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.routing.capabilities import refuse_awaitable, returns_coroutine
from eventtracking_core.routing.ledger import AtomicCounter, failure_level, failure_reason
from eventtracking_core.routing.parts import Split, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventtracking_core.components import Processor
    from eventtracking_core.events import Event

__all__ = ["FailedClosedError", "OnError", "ProcessorNode", "process"]

_BUILT_IN: Final = "eventtracking_core.processors."
"""The package of processors that are known to copy what they change."""

OnError = Literal["continue", "drop"]
"""What happens to an event when a processor fails."""


class FailedClosedError(EventEmissionExit):
    """The processor failed, so the event is dropped."""

    drop_reason = "processor_error"


class ProcessorNode:
    """A processor at its place in a chain, with counters of its outcomes."""

    __slots__ = (
        "added", "call", "dropped", "errors", "is_built_in", "mutates", "name", "on_error",
        "processor",
    )  # fmt: skip

    def __init__(
        self, processor: Processor, *, name: str | None = None, on_error: OnError | None = None
    ) -> None:
        if not callable(processor):
            raise ValueError(f"processor {type(processor).__name__} is not callable")
        if returns_coroutine(processor):
            kind = type(processor).__name__
            raise ValueError(f"processor {kind} is `async def`: nothing would await it")
        self.processor = processor
        call = processor.__call__
        is_method = isinstance(call, MethodType) and call.__func__ is type(processor).__call__
        self.call: Processor = call if is_method else processor  # a method is called faster
        own: OnError = getattr(processor, "on_error", "continue")
        self.on_error: OnError = own if on_error is None else on_error
        if self.on_error not in get_args(OnError):
            raise ValueError(f"on_error of {type(processor).__name__} must be continue or drop")
        self.mutates: bool = getattr(processor, "mutates", True)
        self.is_built_in = type(processor).__module__.startswith(_BUILT_IN)
        self.name = name or getattr(processor, "__name__", type(processor).__name__)
        self.dropped = AtomicCounter()
        self.added = AtomicCounter()
        self.errors: dict[str, AtomicCounter] = {}

    def handle_error(self, error: BaseException) -> None:
        """Count and log a failure; drop the event if the processor fails closed.

        Raises:
            BaseException: the processor did not fail, but was interrupted.
            FailedClosedError: the event must not go on.
        """
        pass_on(error)
        reason = failure_reason(error)
        self.errors.setdefault(reason, AtomicCounter()).add()
        key, message = (self.dropped, type(error)), "processor %s failed, the event %s: %s"
        result = "is dropped" if self.on_error == "drop" else "continues without it"
        attributes = {"processor": self.name, "reason": reason}
        report(failure_level(reason), key, message, self.name, result, error, **attributes)
        if self.on_error == "drop":
            raise FailedClosedError from error

    def stats(self) -> dict[str, Any]:
        """Return how many events the processor dropped and added, and its failures by reason."""
        errors = {reason: counter.value for reason, counter in self.errors.copy().items()}
        return {
            "name": self.name,
            "dropped": self.dropped.value,
            "added": self.added.value,
            "errors": errors,
        }

    def reset(self) -> None:
        """Count from zero again, as a forked child does."""
        self.dropped.reset()
        self.added.reset()
        self.errors.clear()


def process(steps: Iterable[ProcessorNode], event: Event) -> Event:
    """Return the event after the processors; their failures stop here.

    Raises:
        EventEmissionExit: a processor dropped the event.
        Split: a processor returned a list; several events, or none, go on in place of this one.
    """
    remaining = iter(steps)
    for step in remaining:
        try:
            result: object = step.call(event)
        except EventEmissionExit:
            step.dropped.add()
            raise
        except BaseException as error:  # noqa: BLE001  a processor may raise anything
            step.handle_error(error)
        else:
            if result is None:
                continue
            if isinstance(result, dict):
                event = cast("Event", result)
            elif isinstance(result, list):
                return _process_parts(step, event, result, tuple(remaining))
            else:
                with suppress(RejectedError):
                    refuse_awaitable(result)
                step.handle_error(TypeError("a processor returns an event, a list or None"))
    return event


def _process_parts(
    step: ProcessorNode, event: Event, returned: list[object], rest: tuple[ProcessorNode, ...]
) -> Event:
    """Run the remaining processors on each event of a list, or on its parent if it has others.

    Raises:
        EventEmissionExit: the list is empty.
        Split: it is not.
    """
    if not returned:
        step.dropped.add()
        raise EventEmissionExit
    try:
        parts = parts_of(event, returned)
    except BaseException as error:  # noqa: BLE001  a processor may return anything
        step.handle_error(error)
        return process(rest, event)
    step.added.add_many(len(parts) - 1)
    split = Split()
    for part in parts:
        try:
            split.parts.append(process(rest, part))
        except Split as inner:
            split.parts += inner.parts
            split.dropped += inner.dropped
        except EventEmissionExit as error:
            split.dropped.append(error.drop_reason)
    raise split
