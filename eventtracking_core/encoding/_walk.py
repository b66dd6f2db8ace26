"""One traversal of any value, without recursion, within budgets of depth, nodes and text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from math import isfinite
from typing import Any, Final, NamedTuple, TypeAlias

from eventtracking_core._text import kind_name
from eventtracking_core.encoding._keys import are_names, put, sound
from eventtracking_core.encoding._limits import MAX_DEPTH, MAX_NODES, MAX_TEXT
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = ["INT64", "MAX_TEXT_IN_ALL", "TOO_LARGE", "UNREADABLE", "Native", "Walk"]

MAX_TEXT_IN_ALL: Final = 4 * MAX_TEXT
MAX_KEYS_IN_ALL: Final = MAX_TEXT_IN_ALL
MAX_NAME: Final = 1024

INT64: Final = range(-(2**63), 2**63)
_LEAST: Final = INT64[0]
_MOST: Final = INT64[-1]

CYCLE: Final = "<cycle>"
TOO_DEEP: Final = "<cut: too deep>"
TOO_LARGE: Final = "<cut: too large>"
UNREADABLE: Final = "<unreadable>"

Native: TypeAlias = Callable[[Any], Any]


class _Level(NamedTuple):
    """A container being read: its place, what is left of it, and where its values go."""

    source: object
    key: object
    items: Iterator[Any]
    put: Callable[[Any, Any], object]


class Walk:
    """One traversal, with what is left of its budgets.

    Args:
        convert: returns the plain form of a value; it is called with the walk besides, which has
            methods for containers and texts.
        native: what to make of bytes and of BSON's own types; their plain form, if not given.

    Attributes:
        losses: paths of the values that have no plain form, and what they are.
        cuts: paths of the values that were cut, and why.
    """

    def __init__(self, convert: Callable[[Walk, Any], Any], native: Native | None = None) -> None:
        self._convert = convert
        self.native = native
        self._nodes = MAX_NODES
        self._text = MAX_TEXT_IN_ALL
        self._keys = MAX_KEYS_IN_ALL
        self._levels: list[_Level] = []
        self._key: object = None
        self.losses: list[tuple[str, str]] = []
        self.cuts: list[tuple[str, str]] = []

    def run(self, value: object, key: str | None = None) -> Any:
        """Return the plain form of a value.

        Args:
            value: anything.
            key: where it is, for `losses`.
        """
        plain = self._visit(key, value)
        while self._levels:
            level = self._levels[-1]
            for inner, item in level.items:
                level.put(inner, self._visit(inner, item))
                if self._levels[-1] is not level:
                    break
            else:
                self._levels.pop()
        return plain

    def _visit(self, key: object, item: object) -> Any:
        self._key = key
        try:
            return self._convert(self, item)
        except Exception as error:  # noqa: BLE001  a foreign object may raise anything
            pass_on(error)
            return self.lost(item, UNREADABLE)

    def lost(self, value: object, text: str | None = None) -> str:
        """Return a text in place of a value that has no plain form: by default its type's name."""
        name = _type_name(value)
        self.losses.append((self._path(), f"{name} has no form in JSON"))
        return text or f"<{name}>"

    def infinite(self) -> None:
        """Keep the place of a number that is not finite."""
        self.losses.append((self._path(), "a float that is not finite has no form in JSON"))

    def _cut(self, text: str) -> str:
        self.cuts.append((self._path(), text.strip("<>")))
        return text

    def _path(self) -> str:
        keys = [level.key for level in self._levels] + [self._key]
        return ".".join([key for key in keys if type(key) is str])

    def keyed(self, source: dict[Any, Any]) -> Any:
        """Return a dict with the values of another one."""
        target = dict.copy(source)  # one step for other threads
        if len(target) > self._nodes or not are_names(target):
            return self.enter(source, target.items(), keyed=True)
        keys = sum(map(len, target))
        if keys > self._keys:
            return self.enter(source, target.items(), keyed=True)
        self._keys -= keys
        return self._settle(source, target, target.items())

    def listed(self, source: list[Any] | tuple[Any, ...]) -> Any:
        """Return a list with the values of another one, or of a tuple."""
        if len(source) > self._nodes:
            return self.enter(source, ((None, item) for item in source), keyed=False)
        target = list(source)
        return self._settle(source, target, enumerate(target))

    def enter(self, source: object, items: Iterable[tuple[Any, Any]], *, keyed: bool) -> Any:
        """Return a dict or a list with the values of any container, or with the first of them.

        Args:
            source: the container.
            items: its keys and values; the keys count for dicts alone.
            keyed: whether it is to be a dict.
        """
        if text := self._barrier(source):
            return text
        members = list(islice(items, self._nodes + 1))
        if len(members) > self._nodes:
            if not self._nodes:
                return self._cut(TOO_LARGE)
            members[self._nodes - 1 :] = [(TOO_LARGE, self._cut(TOO_LARGE))]
        self._nodes -= len(members)
        target: Any = {} if keyed else []
        put = self._put if keyed else _append
        self._levels.append(_Level(source, self._key, iter(members), partial(put, target)))
        return target

    def _settle(  # noqa: C901  a call less a value
        self, source: object, target: Any, items: Iterable[tuple[Any, Any]]
    ) -> Any:
        """Take over a copy of a container; what is not in normal form in it is converted next."""
        if text := self._barrier(source):
            return text
        self._nodes -= len(target)
        unsettled = []
        room = begun = min(MAX_TEXT, self._text)
        for key, item in items:
            kind = type(item)
            if kind is str:
                size = len(item)
                if size <= room and item.isascii():
                    room -= size
                else:
                    unsettled.append((key, item))
            elif kind is int:
                if not _LEAST <= item <= _MOST:
                    unsettled.append((key, item))
            elif kind is float:
                if not isfinite(item):
                    unsettled.append((key, item))
            elif kind is not bool and item is not None:
                unsettled.append((key, item))
        self._text -= begun - room
        if unsettled:
            self._levels.append(_Level(source, self._key, iter(unsettled), target.__setitem__))
        return target

    def _barrier(self, source: object) -> str | None:
        """Return what stands for a container that is not entered."""
        for level in self._levels:
            if level.source is source:
                return self._cut(CYCLE)
        return self._cut(TOO_DEEP) if len(self._levels) >= MAX_DEPTH else None

    def text(self, text: str) -> str:
        """Return a text that can be encoded, and as much of it as there is room for."""
        room = min(MAX_TEXT, self._text)
        if len(text) > room:
            text = f"{text[:room]}{self._cut(TOO_LARGE)}"
        self._text = max(0, self._text - len(text))
        return sound(text)

    def _put(self, target: dict[str, Any], key: object, value: Any) -> None:
        if self._keys < 0:
            target[TOO_LARGE] = TOO_LARGE
        else:
            self._keys -= put(target, key, value, self._key_text)

    def has_room(self, size: int) -> bool:
        """Return whether there is room for so many bytes, and take it."""
        if size > min(MAX_TEXT, self._text):
            return False
        self._text -= size
        return True

    def _key_text(self, key: object) -> Any:
        """Return the plain form of a key; the name of its type if it is not a scalar."""
        walk = Walk(self._convert)
        try:
            plain = self._convert(walk, key)
        except Exception as error:  # noqa: BLE001  a foreign object may raise anything
            pass_on(error)
            plain = walk.lost(key, UNREADABLE)
        self.losses += [(self._path(), problem) for _, problem in walk.losses]
        return f"<{_type_name(key)}>" if isinstance(plain, dict | list) else plain


def _append(target: list[Any], _key: object, value: Any) -> None:
    target.append(value)


def _type_name(value: object) -> str:
    text = kind_name(value, qualified=True)
    return text.encode("utf-8", "backslashreplace").decode()[:MAX_NAME]
