"""Take the active contexts to other threads, services and queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any, Final, ParamSpec, TypeVar

from eventtracking_core.contexts.stack import Context

__all__ = ["CARRIED_KEYS", "CONTEXT_HEADER", "carry", "extract", "inject"]

P = ParamSpec("P")
R = TypeVar("R")

CONTEXT_HEADER: Final = "eventtracking-context"
"""The key under which contexts travel; the trace travels under those of W3C trace context."""

CARRIED_KEYS: Final = ("course_id", "org_id", "request_id", "session_id", "user_id")
"""The fields of contexts that travel by default."""

MAX_CARRIED: Final = 4096
"""Maximum length, in characters, of the contexts in a carrier."""


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs in the contexts that are active now, in any thread.

    For thread pools and callbacks: `pool.submit(carry(work), item)`. All context variables are
    carried, so the current trace is too.
    """
    contexts = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return contexts.copy().run(function, *args, **kwargs)

    return run


def inject(carrier: MutableMapping[str, str], context: Context, keys: Sequence[str]) -> None:
    """Write a context and the current trace into a carrier, such as the headers of a request.

    Args:
        carrier: takes text by name.
        context: its named fields travel if they are text, numbers or truth values, as far as
            there is room.
        keys: the names of the fields, the most important ones first.
    """
    from opentelemetry import propagate  # noqa: PLC0415  emitting does not need it

    values: dict[str, Any] = {}
    text = ""
    for key in keys:
        value = context.get(key)
        if not _is_plain(value):
            continue
        longer = _text({**values, key: value})
        if len(longer) <= MAX_CARRIED:
            values[key], text = value, longer
    if text:
        carrier[CONTEXT_HEADER] = text
    propagate.inject(carrier)


@contextmanager
def extract(
    carrier: Mapping[str, Any],
    keys: Sequence[str],
    entered: Callable[[Context], AbstractContextManager[None]],
) -> Iterator[None]:
    """Enter the context and the trace of a carrier for a block.

    Args:
        carrier: headers from a sender that the caller trusts to name the user.
        keys: the names of the accepted fields; all others are left out.
        entered: returns a context manager that enters a context.
    """
    with _trace(carrier), entered(_parse(carrier.get(CONTEXT_HEADER), keys)):
        yield


@contextmanager
def _trace(carrier: Mapping[str, Any]) -> Iterator[None]:
    from opentelemetry import propagate  # noqa: PLC0415
    from opentelemetry.context import attach, detach  # noqa: PLC0415  as in `inject`

    if not any(carrier.get(field) for field in propagate.get_global_textmap().fields):
        yield
        return
    token = attach(propagate.extract(carrier))
    try:
        yield
    finally:
        detach(token)


def _parse(text: object, keys: Sequence[str]) -> dict[str, Any]:
    import json  # noqa: PLC0415  as in `inject`

    if not isinstance(text, str) or len(text) > MAX_CARRIED:
        return {}
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {key: values[key] for key in keys if _is_plain(values.get(key))}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _text(values: Mapping[str, Any]) -> str:
    import json  # noqa: PLC0415  as in `inject`

    # ASCII without line breaks, so that it may stand in a header.
    return json.dumps(values, separators=(",", ":"))
