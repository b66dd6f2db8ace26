"""The `accepts` of a router: which classes of personal data its backends may get."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core._text import join
from eventtracking_core.config.options import Annotation
from eventtracking_core.processors._accepts import Accepts
from eventtracking_core.routing import ProcessorNode, RoutingBackend, walk_tree

if TYPE_CHECKING:
    from eventtracking_core.config.reader import Problems

__all__ = ["check", "guards", "steps"]

_CLASSES: Final = Annotation(list[str])


def steps(table: Mapping[str, Any], path: str, problems: Problems) -> list[ProcessorNode]:
    """Return what stands after a router's own processors: a guard, where it says what it accepts.

    Args:
        table: the router's.
        path: its path.
        problems: what is wrong is added here.
    """
    if "accepts" not in table:
        return []
    classes, is_converted = problems.convert(table["accepts"], _CLASSES, join(path, "accepts"))
    return [ProcessorNode(Accepts(classes), name="accepts")] if is_converted else []


def check(root: RoutingBackend, problems: Problems) -> None:
    """Add a problem for each router that registered types would bring what it does not accept.

    Args:
        root: the tree, bound to event types; otherwise, nothing is known of them yet.
        problems: what is wrong is added here.
    """
    for path, guard in guards(root):
        refused = guard.refused()
        if refused:
            problems.add(
                join(path, "accepts"),
                f"registered types would bring {', '.join(refused)} here: accept that, or put"
                " redact, drop_pii, pseudonymize or truncate_ip before, with these classes",
            )


def guards(root: RoutingBackend) -> list[tuple[str, Accepts]]:
    """Return the guards of a tree, each with the path of its router."""
    found = []
    for names, node in walk_tree(root, everywhere=True):
        parts = node.parts if isinstance(node, RoutingBackend) else ()
        for step in [step for part in parts for step in part.steps]:
            if isinstance(step.processor, Accepts):
                path = reduce(lambda above, name: join(join(above, "backends"), name), names, "")
                found.append((path, step.processor))
    return found
