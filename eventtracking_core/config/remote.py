"""Nodes whose children run in another process: what is particular to their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.plugins import PluginError

if TYPE_CHECKING:
    from eventtracking_core.config.component import ComponentFactory
    from eventtracking_core.config.reader import DeliverySettings, NodeContext, Problems
    from eventtracking_core.delivery import DeliveryOptions

__all__ = [
    "CHILDLESS",
    "CHILDREN",
    "below",
    "check",
    "check_tracker",
    "is_remote",
    "runs_elsewhere",
]

CHILDREN: Final = frozenset({"processors", "backends"})
CHILDLESS: Final = "is required: the backends that run elsewhere"

_BUDGET: Final[DeliverySettings] = {"max_elapsed_time": 86_400.0}
"""What waits for a leaf elsewhere takes room in a broker, so that there is an end."""


def runs_elsewhere(node: Mapping[str, Any], components: ComponentFactory) -> bool:
    """Return whether a node has children that run elsewhere; not if its type cannot be found."""
    if not CHILDREN & node.keys():
        return False
    try:
        return is_remote(components.find("backend", str(node.get("type"))))
    except PluginError:
        return False


def is_remote(component: object) -> bool:
    """Tell whether a component, or a type of them, is for a node whose children run elsewhere."""
    return getattr(component, "runs_children_elsewhere", False) is True


def below(context: NodeContext, environment: DeliverySettings) -> NodeContext:
    """Return where the children stand: what is said of delivery above them is for this process."""
    return context._replace(inherited_delivery=[_BUDGET, environment], is_remote=True)


def check(options: DeliveryOptions, context: NodeContext, problems: Problems) -> None:
    """Note what cannot be said of the delivery of a leaf that runs elsewhere."""
    if "spool" in {options.mode, options.when_full}:
        problems.add(
            f"{context.path}.delivery",
            "what waits for this backend waits in the broker, so it cannot have a spool",
        )


def check_tracker(tracker: str | None, context: NodeContext, problems: Problems) -> None:
    """Note that nobody else can find the tracker this is for."""
    if tracker is None:
        problems.add(
            context.path,
            "its workers find it by the name of its tracker, and this tracker has none:"
            " register_tracker(tracker, name) before it is configured",
        )
