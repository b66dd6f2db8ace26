"""Backends whose children run later or elsewhere: they build their own nodes of the tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.routing.leaf import Leaf
from eventtracking_core.routing.processor_node import ProcessorNode
from eventtracking_core.routing.router import RoutingBackend

if TYPE_CHECKING:
    from eventtracking_core.registry import Registry

__all__ = ["CompositeBackend", "CompositeParts", "LeafPlace", "Owner", "RemoteComposite"]


class Owner(Protocol):
    """An object with event types: a tracker."""

    @property
    def event_types(self) -> Registry:
        """The event types, created on first use."""


class LeafPlace(NamedTuple):
    """The place of a leaf in its tree, and its tracker.

    Attributes:
        name: the backend's name in its router.
        path: the leaf's path in the tree, part of its directory's name.
        type_name: the type's name in the configuration; None for a backend that is an object.
        tracker: the tracker's name, part of the directory's name too, if it has one.
        owner: the tracker, or a proxy of it.
    """

    name: str
    path: str
    type_name: str | None
    tracker: str | None
    owner: object


class CompositeParts(NamedTuple):
    """The parts of a composite backend's node, as its configuration describes them.

    Attributes:
        tracker: the tracker's name, by which another process finds the same tree, if it has one.
        path: the node's path in the tree.
        type_name: the type's name in the configuration.
        processors: the node's own processors, to run in the emitting thread.
        children: the node's `backends`; the leaves of a `RemoteComposite` are from `build_leaf`.
        make_leaf: returns a leaf for a name and a backend, with the node's own `delivery`.
    """

    tracker: str | None
    path: str
    type_name: str
    processors: list[ProcessorNode]
    children: RoutingBackend
    make_leaf: Callable[[str, Backend | BatchBackend], Leaf]


@runtime_checkable
class CompositeBackend(Protocol):
    """A class of backends whose `backends` run later, or elsewhere (`RemoteComposite`).

    A configuration constructs it with its options, without `processors` and `backends`. It builds
    those as it does for a router, so that every mistake in them is reported, and passes them on.

    The children inherit delivery as below a router. The class may have the attribute
    `local_delivery`: delivery options of the children that apply where none are configured.
    """

    def build_node(self, parts: CompositeParts, /) -> RoutingBackend:
        """Return the node. The core starts, flushes and shuts down the node's `leaves()`.

        Raises:
            ValueError: the node can't be built for this tracker.
        """


@runtime_checkable
class RemoteComposite(CompositeBackend, Protocol):
    """A class of backends whose `backends` run elsewhere, such as in another process.

    It builds the leaves of its children. Delivery that is configured above it is for this process,
    so the children do not inherit it.
    """

    @staticmethod
    def build_leaf(
        backend: Backend | BatchBackend, place: LeafPlace, delivery: Mapping[str, Any], /
    ) -> Leaf:
        """Return the leaf for one backend below the node.

        Args:
            backend: the backend.
            place: where the leaf stands.
            delivery: the delivery options that the environment and the tables below the node set.

        Raises:
            ValueError: a leaf below this node can't have these delivery options.
        """
