"""Carriers: what takes the active contexts elsewhere: other threads, services, queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any, Final, ParamSpec, TypeVar

from eventtracking_core.contexts.stack import Context

__all__ = ["CARRIED_KEYS", "CONTEXT_HEADER", "carried", "carry", "put"]

P = ParamSpec("P")
R = TypeVar("R")

CONTEXT_HEADER: Final = "eventtracking-context"
"""The key under which contexts travel; the trace travels under those of W3C trace context."""

CARRIED_KEYS: Final = ("course_id", "org_id", "request_id", "session_id", "user_id")
"""The fields of contexts that travel, unless others are named."""

MAX_CARRIED: Final = 4096
"""Characters that contexts may take in a carrier."""


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs in the contexts that are active now, in whatever thread.

    For thread pools and callbacks: `pool.submit(carry(work), item)`. Everything kept in context
    variables is carried, the current trace among it.
    """
    contexts = copy_context()

    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        return contexts.copy().run(function, *args, **kwargs)

    return carried


def put(carrier: MutableMapping[str, str], context: Context, keys: Sequence[str]) -> None:
    """Write a context and the current trace into a carrier, such as the headers of a request.

    Args:
        carrier: takes text by name.
        context: of which only the named fields travel, where they are text, numbers or truth
            values; those for which there is no room stay.
        keys: the names of the fields, the most important ones first.
    """
    from opentelemetry.propagate import inject  # noqa: PLC0415  emitting does not need it

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
    inject(carrier)


@contextmanager
def carried(
    carrier: Mapping[str, Any],
    keys: Sequence[str],
    entered: Callable[[Context], AbstractContextManager[None]],
) -> Iterator[None]:
    """Enter for a block what a carrier brought: the context, and the trace.

    Args:
        carrier: from whom the caller trusts to say who a user is.
        keys: the names of the fields that are taken; everything else is left out.
        entered: returns what enters a context.
    """
    with _trace(carrier), entered(_taken(carrier.get(CONTEXT_HEADER), keys)):
        yield


@contextmanager
def _trace(carrier: Mapping[str, Any]) -> Iterator[None]:
    from opentelemetry.context import attach, detach  # noqa: PLC0415  as in `put`
    from opentelemetry.propagate import extract, get_global_textmap  # noqa: PLC0415

    if not any(carrier.get(field) for field in get_global_textmap().fields):
        yield
        return
    token = attach(extract(carrier))
    try:
        yield
    finally:
        detach(token)


def _taken(text: object, keys: Sequence[str]) -> dict[str, Any]:
    import json  # noqa: PLC0415  as in `put`

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
    import json  # noqa: PLC0415  as in `put`

    # ASCII without line breaks, so that it may stand in a header.
    return json.dumps(values, separators=(",", ":"))
