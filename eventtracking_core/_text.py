"""Text of others that is safe in a log line, a message and a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["counted", "dotted", "encodable", "escaped", "kind_name", "no_events", "printable"]

MAX_LENGTH: Final = 1000
"""Characters."""

MAX_KEY: Final = 80
"""Characters of a key that a path shows."""


def printable(text: str, limit: int = MAX_LENGTH) -> str:
    r"""Return a text in one line: what does not print is escaped, as `\n`, and a long one is cut.

    Args:
        text: any text, also one with lone surrogates or escape sequences of a terminal.
        limit: characters of it to keep.
    """
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text)} characters)"
    return escaped(text)


def escaped(text: str) -> str:
    r"""Return a text with what does not print escaped, as `\n`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def dotted(keys: Iterable[object]) -> str:
    """Return the path that keys lead to, such as `backends.b.fields[0]`, in a form that prints."""
    path = ""
    for key in keys:
        if type(key) is int:
            path += f"[{key}]"
        else:
            text = printable(str(key), MAX_KEY)
            path = f"{path}.{text}" if path else text
    return path


_module, _qualname = (vars(type)[name].__get__ for name in ("__module__", "__qualname__"))


def kind_name(value: object, *, qualified: bool = False) -> str:
    """Return the name of a value's class as Python knows it, whatever its metaclass says.

    Args:
        value: anything.
        qualified: with the module before it.
    """
    kind = type(value)
    name: str = _qualname(kind)
    if not qualified:
        return name.rpartition(".")[2]
    try:
        module = _module(kind)
    except AttributeError:  # it was taken out of the class
        return name
    return f"{module}.{name}" if isinstance(module, str) else name


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 event`, `2,000 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def no_events(lines: int) -> str:
    """Return how many lines were no events, in words."""
    return f"{counted(lines, 'line')} {'was no event' if lines == 1 else 'were no events'}"


def encodable(value: Any) -> Any:
    r"""Return a value with the lone surrogates of its texts escaped, at any depth, as `\ud800`."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="backslashreplace").decode()
    if isinstance(value, list | tuple):
        items = [
            each if type(each) is str and each.isascii() else encodable(each) for each in value
        ]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return value
