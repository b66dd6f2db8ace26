"""Captured events, and what a test asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import Repr
from typing import Any, Final, NoReturn

from eventtracking_core.events import Event

__all__ = ["CapturedEvents"]

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

    def one(self, name: str, /, **subset: object) -> Event:
        """Return the one event of a name whose data have the given fields.

        Args:
            name: its name.
            subset: values of fields. A mapping must be there in part, any other value be equal.

        Raises:
            AssertionError: there is none, or there are several.
        """
        __tracebackhide__ = True
        found = [event for event in self if _matches(event, name, subset)]
        if len(found) != 1:
            self._fail(f"expected one event {_shown(name, subset)}, found {len(found) or 'none'}")
        return found[0]

    def assert_none(self, name: str | None = None) -> None:
        """Check that there are no events; of a name, where one is given.

        Raises:
            AssertionError: there are some.
        """
        __tracebackhide__ = True
        found = self if name is None else self.named(name)
        if found:
            self._fail(f"expected no events{'' if name is None else f' {name}'}")

    def assert_in_order(self, *expected: str | tuple[str, Mapping[str, object]]) -> None:
        """Check that there are such events in that order; others may come in between.

        Args:
            expected: for each event its name, or its name and fields of its data, as for `one`.

        Raises:
            AssertionError: one is missing, or comes too early; it says which.
        """
        __tracebackhide__ = True
        events = iter(self)
        for item in expected:
            name, subset = (item, {}) if isinstance(item, str) else item
            if not any(_matches(event, name, subset) for event in events):
                first = item is expected[0]
                where = "" if first else ", after those expected before it"
                self._fail(f"expected an event {_shown(name, subset)}{where}")

    def _fail(self, message: str) -> NoReturn:
        __tracebackhide__ = True
        lines = [f"  {_shown(event['name'], event['data'])}" for event in self[:MAX_SHOWN]]
        if len(self) > MAX_SHOWN:
            lines.append(f"  and {len(self) - MAX_SHOWN} more")
        captured = "\n".join(["; captured were:", *lines]) if lines else "; nothing was captured"
        raise AssertionError(message + captured)


def _matches(event: Event, name: str, subset: Mapping[str, object]) -> bool:
    return event["name"] == name and _contains(event["data"], subset)


def _contains(value: Any, expected: object) -> bool:
    if isinstance(expected, Mapping):
        return isinstance(value, Mapping) and all(
            _contains(value.get(key, _NOTHING), part) for key, part in expected.items()
        )
    return bool(value == expected)


def _shown(name: str, data: object) -> str:
    return f"{name} {_repr.repr(data)}" if data else name
