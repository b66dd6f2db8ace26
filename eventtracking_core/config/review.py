"""Review a configuration that can be used: what in it will probably not deliver."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventtracking_core._text import dotted
from eventtracking_core.components import Reviewable
from eventtracking_core.config.compat import translate
from eventtracking_core.config.options import Keys, Problems
from eventtracking_core.config.settings import PREFIX, VARIABLES, disabled_by
from eventtracking_core.config.source import CONFIG_FILE, Substituted
from eventtracking_core.delivery.batch_leaf import SPOOL_DIRECTORY
from eventtracking_core.diagnostics import describe
from eventtracking_core.errors import Problem
from eventtracking_core.plugins import plugins
from eventtracking_core.routing import Leaf, RoutingBackend, walk_tree
from eventtracking_core.settings import switched

if TYPE_CHECKING:
    from eventtracking_core.config.source import Configuration

__all__ = ["review"]

_PLAIN_VARIABLE: Final = re.compile(r"\$[A-Za-z_]\w*(/.*)?|.*\$\{.*", re.DOTALL)
"""`$NAME`, alone or before the rest of a path; or `${` that begins no variable."""

_FLAGS: Final = ("EVENTTRACKING_DISABLED", "EVENTTRACKING_STACK_TRACES")
_KNOWN: Final = (*VARIABLES, *_FLAGS, CONFIG_FILE, SPOOL_DIRECTORY)
_SIMILARITY: Final = 0.9
"""Of a variable to a known one; less, and it may be the application's own."""


class _Node(NamedTuple):
    """A router or a backend in the configuration: where it is, and its table."""

    path: Keys
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
    nodes = list(_nodes(configuration.tree, (), ()))
    backends = [node for node in nodes if node.table.get("type", "router") != "router"]
    warnings = Problems()
    if not backends:
        warnings.add((), "there is no backend: events go nowhere")
    _add_plain_variables(warnings, configuration.tree, ())
    _add_environment(warnings)
    _add_disabled(warnings, configuration.tree)
    _add_files(warnings, backends)
    if not has_types:
        for node in nodes:
            if "accepts" in node.table:
                path = (*node.path, "accepts")
                warnings.add(path, "is checked only with --types, which names your modules")
    _add_leaves(warnings, backends, dict(_leaves(root)))
    return warnings


def _nodes(table: Mapping[str, Any], path: Keys, names: tuple[str, ...]) -> Iterator[_Node]:
    """Yield a router and the nodes below it; a backend that is an object has its class as type."""
    yield _Node(path, names, table)
    for key, node in (table.get("backends") or {}).items():
        name = str(key)
        at, below = (*path, "backends", name), (*names, name)
        if isinstance(node, dict):
            own = translate(node, at, Problems()) if "ENGINE" in node else node
            if own is not None:
                yield from _nodes(own, at, below)
        else:
            yield _Node(at, below, {"type": node if isinstance(node, str) else type(node).__name__})


def _leaves(root: RoutingBackend) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """Yield the leaves by the names of their nodes in the configuration."""
    for names, node in walk_tree(root, everywhere=True):
        if isinstance(node, Leaf):
            yield names, node
            if names[-1:] == names[-2:-1]:  # a backend with processors is a router around itself
                yield names[:-1], node


def _add_leaves(
    warnings: Problems, backends: list[_Node], leaves: Mapping[tuple[str, ...], Leaf]
) -> None:
    """Warn of options of delivery that have no effect, and of what backends doubt."""
    for node in backends:
        leaf = leaves.get(node.names)
        if leaf is None:
            continue
        options = node.table.get("delivery")
        if leaf.mode == "inline" and isinstance(options, dict) and options:
            message = "has no effect on inline delivery: set mode to queue or spool"
            warnings.add((*node.path, "delivery"), message)
        if isinstance(leaf.registered, Reviewable):
            for message in leaf.registered.review():
                warnings.add(node.path, message)


def _add_plain_variables(warnings: Problems, value: object, path: Keys) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _add_plain_variables(warnings, item, (*path, str(key)))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _add_plain_variables(warnings, item, (*path, number))
    elif isinstance(value, Substituted):
        return  # the value of a variable may be anything
    elif isinstance(value, str) and _PLAIN_VARIABLE.fullmatch(value):
        warnings.add(path, "is taken as it stands: a variable is written ${NAME}")


def _add_environment(warnings: Problems) -> None:
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in _KNOWN:
            near = get_close_matches(name, _KNOWN, n=1, cutoff=_SIMILARITY)
            if near:
                warnings.add((name,), f"unknown variable; did you mean {near[0]!r}?")
    for name in _FLAGS:
        if os.environ.get(name, "").strip() and switched(name) is None:
            expected = "1, true, yes, on, 0, false, no, off"
            warnings.add((name,), f"has no effect: expected one of: {expected}")


def _add_disabled(warnings: Problems, table: Mapping[str, Any]) -> None:
    """Warn of plugins that are disabled by names that no plugin has."""
    variable = f"{PREFIX}DISABLE_PLUGINS"
    names = disabled_by(os.environ.get(variable, ""))
    given: list[tuple[Keys, str]] = [((variable,), name) for name in names]
    given += [(("disable", number), name) for number, name in enumerate(table.get("disable") or ())]
    for path, name in given:
        wrong = plugins.misnamed(name)
        if wrong:
            warnings.add(path, wrong)


def _add_files(warnings: Problems, backends: list[_Node]) -> None:
    first_users: dict[tuple[str, str], Keys] = {}
    shared = Problems()
    for node in backends:
        given = node.table.get("path")
        if not isinstance(given, str) or not given:
            continue
        path = (*node.path, "path")
        try:
            file = Path(given).expanduser()
            wrong = _wrong_with(file)
            first = first_users.setdefault((node.table["type"], os.path.realpath(file)), path)
            if first != path:
                shared.add(path, f"is the file of another backend too: {dotted(first)}")
        except (OSError, ValueError, RuntimeError) as error:
            wrong = f"cannot be looked at: {describe(error)}"
        if wrong:
            warnings.add(path, wrong)
    warnings += shared


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
