"""Review a configuration that can be used: what in it will probably not deliver."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventtracking_core._text import join
from eventtracking_core.components import Reviewable
from eventtracking_core.config.accepts import guards
from eventtracking_core.config.compat import translate
from eventtracking_core.config.reader import Problems, type_name_of
from eventtracking_core.diagnostics import describe
from eventtracking_core.errors import Problem
from eventtracking_core.routing import Leaf, RoutingBackend, walk_tree

if TYPE_CHECKING:
    from eventtracking_core.config.source import Configuration

__all__ = ["review"]

_PLAIN_VARIABLE: Final = re.compile(r"\$[A-Za-z_]\w*")


class _Node(NamedTuple):
    """A backend in the configuration: where it is, and its table."""

    path: str
    names: tuple[str, ...]
    table: Mapping[str, Any]


def review(
    configuration: Configuration, root: RoutingBackend, *, has_types: bool = False
) -> list[Problem]:
    """Return warnings, each with its path: what will probably not deliver. Nothing is opened.

    Args:
        configuration: what was read.
        root: the tree that was built from it.
        has_types: whether it was built for a tracker with the application's event types.
    """
    nodes = list(_nodes(configuration.tree, "", ()))
    warnings = [] if nodes else [Problem("", "there is no backend: events go nowhere")]
    warnings += _plain_variables(configuration.tree, "")
    warnings += _files(nodes)
    if not has_types:
        warnings += [
            Problem(join(path, "accepts"), "is checked only with --types, which names your modules")
            for path, _ in guards(root)
        ]
    leaves = dict(_leaves(root))
    for node in nodes:
        leaf = leaves.get(node.names)
        if leaf is not None and isinstance(leaf.registered, Reviewable):
            warnings += [Problem(node.path, message) for message in leaf.registered.review()]
    return warnings


def _nodes(table: Mapping[str, Any], path: str, names: tuple[str, ...]) -> Iterator[_Node]:
    """Yield the backends below a router that have a type, or are objects."""
    for name, node in (table.get("backends") or {}).items():
        at, below = join(join(path, "backends"), name), (*names, str(name))
        own = translate(node, at, Problems()) if isinstance(node, dict) else {}
        if isinstance(own, dict):
            if not isinstance(node, dict) or own.get("type", "router") != "router":
                yield _Node(at, below, own)
            yield from _nodes(own, at, below)


def _leaves(root: RoutingBackend) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """Yield the leaves by the names of their nodes in the configuration."""
    for names, node in walk_tree(root, everywhere=True):
        if isinstance(node, Leaf):
            yield names, node
            if names[-1:] == names[-2:-1]:  # a backend with processors is a router around itself
                yield names[:-1], node


def _plain_variables(value: object, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _plain_variables(item, join(path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _plain_variables(item, f"{path}[{number}]")
    elif isinstance(value, str) and _PLAIN_VARIABLE.fullmatch(value):
        yield Problem(path, "is taken as it stands: a variable is written ${NAME}")


def _files(nodes: list[_Node]) -> Iterator[Problem]:
    users: dict[tuple[str | None, str], list[str]] = defaultdict(list)
    for node in nodes:
        given = node.table.get("path")
        if not isinstance(given, str) or not given:
            continue
        at = join(node.path, "path")
        try:
            file = Path(given).expanduser()
            wrong = _wrong_with(file)
            users[type_name_of(node.table), os.path.realpath(file)].append(at)
        except (OSError, ValueError, RuntimeError) as error:
            wrong = f"cannot be looked at: {describe(error)}"
        if wrong:
            yield Problem(at, wrong)
    for paths in users.values():
        for at in paths[1:]:
            yield Problem(at, f"is the file of another backend too: {paths[0]}")


def _wrong_with(file: Path) -> str | None:
    """Return why a file cannot be written, if that can be seen without opening it."""
    if file.is_dir():
        return "is a directory: name a file"
    if file.exists():
        return None if os.access(file, os.W_OK) else "cannot be written to by this user"
    above = next(parent for parent in file.absolute().parents if parent.exists())
    if not above.is_dir():
        return "lies below a file, not a directory"
    return None if os.access(above, os.W_OK) else "cannot be made here by this user"
