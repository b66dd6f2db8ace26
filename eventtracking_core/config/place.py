"""Where a node stands: in the configuration, and in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from eventtracking_core.config.delivery import Settings

__all__ = ["Place", "join", "kind_of", "type_name_of"]


class Place(NamedTuple):
    """Where a node stands; `is_remote` says that it is below one whose children run elsewhere."""

    path: str
    names: tuple[str, ...]
    layers: list[Settings]
    is_remote: bool = False

    @property
    def node(self) -> str:
        """The node's path in the tree, which no other has, and which can name a directory."""
        return ".".join(quote(name, safe=" ").replace(".", "%2E") for name in self.names)


def join(path: str, key: str) -> str:
    """Return the path of what a key names in the table at a path."""
    return f"{path}.{key}" if path else key


def type_name_of(node: object) -> str | None:
    """Return the type a node names; an object that is built already has none."""
    if isinstance(node, Mapping):
        node = node.get("type")
    return node if isinstance(node, str) else None


def kind_of(value: object) -> str:
    """Return what a problem calls a value that is of the wrong kind."""
    return "table" if isinstance(value, Mapping) else type(value).__name__
