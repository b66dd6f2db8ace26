"""Keys of the normal form: text of a bounded length, each of them once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

__all__ = ["are_names", "put", "sound"]

MAX_KEY: Final = 1024

_TEXT: Final = frozenset({str})


def are_names(keys: Iterable[Any]) -> bool:
    """Return whether the keys of a dict are as the normal form has them."""
    if not _TEXT.issuperset(map(type, keys)):
        return False
    text = "".join(keys)
    if "\0" in text or (len(text) > MAX_KEY and max(map(len, keys)) > MAX_KEY):
        return False
    return text.isascii() or _is_sound(text)


def put(target: dict[str, Any], key: object, value: Any, convert: Callable[[object], Any]) -> int:
    """Put a value into a dict by a key of any type; return the length of the name that it gets.

    Args:
        target: the dict.
        key: any key.
        value: its value.
        convert: returns the plain form of a key that is not text.
    """
    name = key if type(key) is str else convert(key)
    name = _name(name if type(name) is str else _as_text(name))
    if name in target:  # two keys with one text, such as 1 and "1"
        number = 2
        while f"{name}~{number}" in target:
            number += 1
        name = f"{name}~{number}"
    target[name] = value
    return len(name)


def sound(text: str) -> str:
    """Return a text without surrogates that stand alone; a pair becomes its character."""
    if text.isascii() or _is_sound(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name(text: str) -> str:
    text = text.replace("\0", "")
    return sound(text if len(text) <= MAX_KEY else f"{text[:MAX_KEY]}~")


def _as_text(plain: object) -> str:
    if plain is None or isinstance(plain, bool):
        return msgspec.json.encode(plain).decode()
    if isinstance(plain, datetime):
        return plain.isoformat().replace("+00:00", "Z")
    return repr(plain) if isinstance(plain, float) else str(plain)
