"""The file formats of a configuration, TOML, JSON and YAML, parsed to plain values."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["PARSERS"]

_BACKSLASH: Final = re.compile(r"hex value|[Uu]nescaped '\\|escape")


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if not _BACKSLASH.search(str(error)):
            raise
        hint = "write a text with backslashes, such as a Windows path, in single quotes"
        raise ValueError(f"{error}; {hint}") from error


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_duplicates)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"duplicate key {twice!r}")
    return table


def _yaml(text: str) -> Any:
    try:
        from eventtracking_core.config import _yaml  # noqa: PLC0415  an optional dependency
    except ImportError as error:
        raise ValueError("YAML needs: pip install 'eventtracking-core[yaml]'") from error
    return _yaml.parse(text)


PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    ".toml": _toml,
    ".json": _json,
    ".yaml": _yaml,
    ".yml": _yaml,
}
"""Parsers by suffix; each raises ValueError without a value of the text, or RecursionError."""
