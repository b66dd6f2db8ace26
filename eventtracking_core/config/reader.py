"""Reading a configuration's tables: where a node stands, and what is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from eventtracking_core.config.options import convert
from eventtracking_core.errors import Problem

__all__ = ["DeliverySettings", "NodeContext", "Problems", "join", "kind_of", "type_name_of"]

DeliverySettings = Mapping[str, Any]
"""Options of delivery that are given, converted, by name."""


class Problems:
    """Collects every problem, in the order of the configuration.

    Args:
        found: the problems found already.
    """

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self._found = list(found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, path: str, message: str) -> None:
        """Add a problem, by its path."""
        self._found.append(Problem(path, message))

    def convert(self, value: object, hint: object, path: str) -> tuple[Any, bool]:
        """Return a value as its annotation wants it, and whether it could be converted."""
        converted, problems = convert(value, hint, path)
        self._found += problems
        return converted, not problems

    def option(self, table: Mapping[str, Any], key: str, hint: object, default: Any) -> Any:
        """Return the value of a key as its annotation wants it, or the default."""
        if key not in table:
            return default
        value, is_converted = self.convert(table[key], hint, key)
        return value if is_converted else default

    def items(self, value: object, path: str) -> list[tuple[str, Any]]:
        """Return the items of a list, each with its path."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(path, f"expected a list, got {kind_of(value)}")
            return []
        return [(f"{path}[{number}]", item) for number, item in enumerate(value)]

    def has_below(self, path: str) -> bool:
        """Return whether there is a problem at a path or below it."""
        return any(re.match(rf"{re.escape(path)}($|[.\[])", at) for at, _ in self._found)


class NodeContext(NamedTuple):
    """Where a node stands, and what it inherits.

    Args:
        path: where it is in the configuration, for problems.
        names: the names of its routers and its own.
        inherited_delivery: the settings of delivery that apply to it, the weakest first.
        is_remote: whether it is below a node whose children run elsewhere.
    """

    path: str
    names: tuple[str, ...]
    inherited_delivery: list[DeliverySettings]
    is_remote: bool = False

    @property
    def tree_path(self) -> str:
        """The node's path in the tree, which is unique, and which can name a directory."""
        return ".".join(quote(name, safe=" ").replace(".", "%2E") for name in self.names)


def join(path: str, key: str) -> str:
    """Return the path of a key in the table at a path."""
    return f"{path}.{key}" if path else key


def type_name_of(node: object) -> str | None:
    """Return the type a node names; an object that is built already has none."""
    if isinstance(node, Mapping):
        node = node.get("type")
    return node if isinstance(node, str) else None


def kind_of(value: object) -> str:
    """Return what a problem calls a value of the wrong kind."""
    return "table" if isinstance(value, Mapping) else type(value).__name__
