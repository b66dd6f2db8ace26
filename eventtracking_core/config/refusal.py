"""What a constructor says against its options, told without telling their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from eventtracking_core.diagnostics import describe

__all__ = ["refusal"]

_PACKAGES: Final = (
    *("async_router", "core", "file", "logger", "mongo"),
    *("otel", "segment", "sqlite", "structlog"),
)
OURS: Final = tuple(f"eventtracking_{name}" for name in _PACKAGES)
HIDDEN: Final = "…"
_PART: Final = re.compile(r"\w{3,}")


def refusal(error: BaseException, factory: Callable[..., Any], options: Mapping[str, Any]) -> str:
    """Return a constructor's complaint.

    A word of it that has something in common with a value of the options is left out, because
    nobody knows what a stranger's error quotes; ours quote nothing.
    """
    if not isinstance(error, ValueError | TypeError):
        return describe(error)
    text = str(error) or type(error).__name__
    if getattr(factory, "__module__", "").startswith(OURS):
        return text
    values = list(_texts(options))
    return " ".join(HIDDEN if _is_quoted(word, values) else word for word in text.split())


def _is_quoted(word: str, values: list[str]) -> bool:
    bare = word.strip("'\"`()[]{}<>,.:;")
    parts = [bare, *_PART.findall(word)] if len(bare) > 1 else []
    return any(part in value for part in parts for value in values)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
        yield repr(value)
