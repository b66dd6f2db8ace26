"""Reading a configuration's tables: where a node stands, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from eventtracking_core._text import printable
from eventtracking_core.config.options import Annotation, Parameter
from eventtracking_core.config.source import Missing
from eventtracking_core.errors import Problem
from eventtracking_core.routing import RemoteComposite

__all__ = [
    "DeliverySettings",
    "NodeContext",
    "Problems",
    "is_missing",
    "kind_of",
    "type_name_of",
    "unknown",
]

DeliverySettings = Mapping[str, Any]
"""Options of delivery that are given, converted, by name."""

_LONGEST_TYPO: Final = 60


class Problems(list[Problem]):
    """Every problem, in the order of the configuration."""

    def add(self, path: str, message: str) -> None:
        """Add a problem, by its path."""
        self.append(Problem(path, printable(message)))

    def convert(self, value: object, annotation: Annotation, path: str) -> tuple[Any, bool]:
        """Return a value as its annotation wants it, and whether it could be converted."""
        if is_missing(value):
            return None, False
        converted, problems = annotation.convert(value, path)
        self += problems
        return converted, not problems

    def option(self, table: Mapping[str, Any], option: Parameter) -> Any:
        """Return the value of an option at the root, or its default."""
        if option.name not in table:
            return option.default
        value, is_converted = self.convert(table[option.name], option.annotation, option.name)
        return value if is_converted else option.default

    def items(self, value: object, path: str) -> list[tuple[str, Any]]:
        """Return the items of a list, each with its path."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(path, f"expected a list, got {kind_of(value)}")
            return []
        return [(f"{path}[{number}]", item) for number, item in enumerate(value)]


class NodeContext(NamedTuple):
    """Where a node stands, and what it inherits.

    Args:
        path: where it is in the configuration, for problems.
        names: the names of its routers and its own.
        inherited_delivery: the settings of delivery that apply to it, the weakest first.
        composite: the class of the node above it that builds its leaves, if there is one.
    """

    path: str
    names: tuple[str, ...]
    inherited_delivery: list[DeliverySettings]
    composite: type[RemoteComposite] | None = None

    @property
    def tree_path(self) -> str:
        """The node's path in the tree, which is unique, and which can name a directory."""
        quoted = [quote(name, safe=" ", errors="surrogatepass") for name in self.names]
        return ".".join([name.replace(".", "%2E") for name in quoted])


def is_missing(value: object) -> bool:
    """Return whether a variable in a value is not set, which is a problem already."""
    if isinstance(value, dict):
        return any(map(is_missing, value.values()))
    if isinstance(value, list):
        return any(map(is_missing, value))
    return isinstance(value, Missing)


def unknown(
    key: object, known: Collection[str], noun: str = "option", common: Collection[str] = ()
) -> str:
    """Return the message for a key that is not known: the nearest one, or else all of them.

    Args:
        key: the key.
        known: the keys that are known here.
        noun: the word for a key.
        common: the keys that are known in each table of the kind.
    """
    if isinstance(key, str) and len(key) <= _LONGEST_TYPO:
        near = get_close_matches(key, [*known, *common], n=1)
        if near:
            return f"unknown {noun}; did you mean {near[0]!r}?"
    expected = f"expected one of: {', '.join(known)}" if known else f"this type has no {noun}s"
    also = f"; on every node: {', '.join(common)}" if common else ""
    return f"unknown {noun} ({expected}{also})"


def type_name_of(node: object) -> str | None:
    """Return the type a node names; an object that is built already has none."""
    if isinstance(node, dict):
        node = node.get("type")
    return node if isinstance(node, str) else None


def kind_of(value: object) -> str:
    """Return what a problem calls a value of the wrong kind."""
    return "table" if isinstance(value, dict) else type(value).__name__
