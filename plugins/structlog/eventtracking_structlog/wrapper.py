"""Create logger classes that emit events, from any of structlog's classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, Final, cast

from structlog import BoundLoggerBase, make_filtering_bound_logger
from structlog.stdlib import AsyncBoundLogger
from structlog.typing import BindableLogger

from eventtracking_core import Tracker
from eventtracking_structlog.emitting import emit, track
from eventtracking_structlog.typing import TrackingLogger

__all__ = ["tracking_wrapper"]

_Method = Callable[..., Any]

_LEVELS: Final = {
    10: ("debug",),
    20: ("info", "msg"),
    30: ("warning", "warn"),
    40: ("error", "exception"),
    50: ("critical", "fatal"),
}
_METHODS: Final = {name: level for level, names in _LEVELS.items() for name in names}
_MINIMUMS: Final = {make_filtering_bound_logger(level): level for level in range(0, 60, 10)}


def tracking_wrapper(
    base: type[BindableLogger], *, tracker: Tracker | None = None
) -> type[TrackingLogger]:
    """Return a subclass of `base` whose loggers also emit events; a `wrapper_class` for structlog.

    - `log.emit("name", **data)` emits an event, whatever the level of the logger, and returns the
      event's id. Values bound to the logger and to structlog's contextvars become context.
    - `log.info("message", track="name", **data)` writes a line and emits an event, whose id is the
      line's `event_id`. With `track=True`, the message is the name, without its arguments: `"user
      %s"`. The event is also emitted if the line is filtered by its level.

    Args:
        base: one of structlog's classes, such as `structlog.stdlib.BoundLogger` or the result of
            `structlog.make_filtering_bound_logger`, or a subclass of one.
        tracker: the tracker; by default the current default tracker.

    Raises:
        ValueError: `base` is not derived from one of structlog's classes.
    """
    classes = {BoundLoggerBase, AsyncBoundLogger}
    if classes.isdisjoint(getattr(base, "__mro__", ())):
        raise ValueError("base must be one of structlog's classes, such as structlog.BoundLogger")
    return _tracking(base, tracker)


@cache  # unpickled loggers must have the same class
def _tracking(base: Any, tracker: Tracker | None) -> type[Any]:
    def _emit(self: Any, name: str | None = None, /, **data: Any) -> str:
        return emit(tracker, name, data, self._context)

    methods = (
        _of_async(base, tracker)
        if issubclass(base, AsyncBoundLogger)
        else _of_all(base, tracker) | _of_filtering(base, tracker)
    )
    own = {"__module__": __name__, "emit": _emit}
    return type(f"Tracking{base.__name__}", (base,), own | methods)


def _of_all(base: Any, tracker: Tracker | None) -> dict[str, Any]:
    process = base._process_event  # noqa: SLF001  documented for subclasses

    def _process_event(
        self: Any, method_name: str, event: str | None, event_kw: dict[str, Any]
    ) -> Any:
        if "track" in event_kw:
            track(tracker, event, event_kw, self._context)
        return process(self, method_name, event, event_kw)

    def __reduce__(self: Any) -> tuple[Any, ...]:  # noqa: N807  it becomes the method
        return _new, (base, tracker), self.__dict__

    return {"_process_event": _unseen(_process_event), "__reduce__": __reduce__}


def _of_async(base: Any, tracker: Tracker | None) -> dict[str, Any]:
    wrapped = _tracking(base._bound_logger_factory, tracker)  # noqa: SLF001  its only hook
    return {"__slots__": (), "_bound_logger_factory": wrapped}


def _of_filtering(base: Any, tracker: Tracker | None) -> dict[str, _Method]:
    """Return methods that see the message template, and track below the logger's level."""
    native = next((parent for parent in base.__mro__ if parent in _MINIMUMS), None)
    if native is None:
        return {}
    minimum, log, alog = _MINIMUMS[native], base.log, base.alog

    def quiet(self: Any, event: Any = None, *_args: Any, **kw: Any) -> None:
        if "track" in kw:
            track(tracker, event, kw, self._context)

    async def aquiet(self: Any, event: Any = None, *args: Any, **kw: Any) -> None:
        quiet(self, event, *args, **kw)

    def _log(self: Any, level: int, event: Any, *args: Any, **kw: Any) -> Any:
        if level < minimum:
            return quiet(self, event, *args, **kw)
        return log(self, level, event, *args, **_named(event, args, kw))

    def _alog(self: Any, level: int, event: Any, *args: Any, **kw: Any) -> Any:
        if level < minimum:
            return aquiet(self, event, *args, **kw)
        return alog(self, level, event, *args, **_named(event, args, kw))

    methods: dict[str, Any] = {"log": _unseen(_log), "alog": _unseen(_alog)}
    for name, level in _METHODS.items():
        is_low = level < minimum
        methods[name] = quiet if is_low else _templated(getattr(base, name))
        methods[f"a{name}"] = aquiet if is_low else _templated(getattr(base, f"a{name}"))
    return {
        name: method
        for name, method in methods.items()
        if getattr(base, name) is getattr(native, name)  # not overridden in between
    }


def _templated(method: _Method) -> _Method:
    """Return a logging method that uses the message template as the event's name."""

    def templated(self: Any, event: Any = None, *args: Any, **kw: Any) -> Any:
        return method(self, event, *args, **_named(event, args, kw))

    return _unseen(templated)


def _named(event: Any, args: tuple[Any, ...], kw: dict[str, Any]) -> dict[str, Any]:
    """Return a call's keywords, with the template as the name if the message has arguments."""
    if args and kw.get("track") is True:
        kw["track"] = event
    return kw


def _unseen(function: _Method) -> _Method:
    """Return the function as one of structlog's own.

    structlog finds the caller of a line by skipping the stack frames of its own modules, which it
    recognises by the start of their names.
    """
    function = cast("FunctionType", function)
    names = {**function.__globals__, "__name__": "structlog"}
    return FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )


def _new(base: Any, tracker: Tracker | None) -> Any:
    """Return a logger without state, for unpickling."""
    logger_class: Any = _tracking(base, tracker)
    return logger_class.__new__(logger_class)
