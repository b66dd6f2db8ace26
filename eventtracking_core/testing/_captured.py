"""Captured events, and what a test asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import Repr
from typing import Any, Final, NoReturn

from eventtracking_core.events import Event

__all__ = ["CapturedEvents"]

Expected = (
    str | tuple[str, Mapping[str, object]] | tuple[str, Mapping[str, object], Mapping[str, object]]
)

MAX_SHOWN: Final = 50

_NOTHING: Final = object()
_repr: Final = Repr()
_repr.maxdict = _repr.maxlist = 20
_repr.maxstring = _repr.maxother = 80
_repr.maxlevel = 4


class CapturedEvents(list[Event]):
    """Events in the order in which they were emitted.

    It is a list; what a test expects and does not find fails with a list of what was captured.
    """

    @property
    def names(self) -> list[str]:
        """The names of the events, in their order."""
        return [event["name"] for event in self]

    def named(self, name: str) -> CapturedEvents:
        """Return the events of a name."""
        return CapturedEvents(event for event in self if event["name"] == name)

    def one(
        self,
        name: str,
        /,
        *,
        data: Mapping[str, object] | None = None,
        context: Mapping[str, object] | None = None,
        **fields: object,
    ) -> Event:
        """Return the one event of a name whose data and context have the given fields.

        A mapping must be there in part, any other value be equal.

        Args:
            name: its name.
            data: fields of its data, also those named `data` or `context`.
            context: fields of its context.
            fields: more fields of its data.

        Raises:
            AssertionError: there is none, or there are several.
        """
        __tracebackhide__ = True
        expected = {**(data or {}), **fields}
        matching = [event for event in self if _matches(event, name, expected, context or {})]
        if len(matching) != 1:
            event = _shown(name, expected, context)
            count = len(matching) or "none"
            self._fail(f"expected one event {event}, found {count}", shows_context=bool(context))
        return matching[0]

    def assert_none(self, name: str | None = None) -> None:
        """Check that there are no events; of a name, where one is given.

        Raises:
            AssertionError: there are some.
        """
        __tracebackhide__ = True
        matching = self if name is None else self.named(name)
        if matching:
            self._fail(f"expected no events{'' if name is None else f' {name}'}")

    def assert_in_order(self, *expected: Expected) -> None:
        """Check that there are such events in that order; others may come in between.

        Args:
            expected: for each event its name; or a tuple of its name, fields of its data and, if
                wanted, fields of its context, as for `one`.

        Raises:
            AssertionError: one is missing, or comes too early; it says which.
        """
        __tracebackhide__ = True
        events = iter(self)
        for item in expected:
            name, *parts = (item,) if isinstance(item, str) else item
            data, context = [*parts, {}, {}][:2]
            if not any(_matches(event, name, data, context) for event in events):
                first = item is expected[0]
                where = "" if first else ", after those expected before it"
                event = _shown(name, data, context)
                self._fail(f"expected an event {event}{where}", shows_context=bool(context))

    def _fail(self, message: str, *, shows_context: bool = False) -> NoReturn:
        __tracebackhide__ = True
        lines = [
            f"  {_shown(event['name'], event['data'], event['context'] if shows_context else None)}"
            for event in self[:MAX_SHOWN]
        ]
        if len(self) > MAX_SHOWN:
            lines.append(f"  and {len(self) - MAX_SHOWN} more")
        captured = "\n".join(["; captured were:", *lines]) if lines else "; nothing was captured"
        raise AssertionError(message + captured)


def _matches(
    event: Event, name: str, data: Mapping[str, object], context: Mapping[str, object]
) -> bool:
    return (
        event["name"] == name
        and _contains(event["data"], data)
        and _contains(event["context"], context)
    )


def _contains(value: Any, expected: object) -> bool:
    if isinstance(expected, Mapping):
        return isinstance(value, Mapping) and all(
            _contains(value.get(key, _NOTHING), part) for key, part in expected.items()
        )
    return bool(value == expected)


def _shown(name: str, data: object, context: object = None) -> str:
    text = f"{name} {_repr.repr(data)}" if data else name
    return f"{text} in context {_repr.repr(context)}" if context else text
