"""Where a leaf stands, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from eventtracking_core.registry import Registry

__all__ = ["LeafPlace", "Owner"]


class Owner(Protocol):
    """An object with event types: a tracker."""

    @property
    def event_types(self) -> Registry:
        """The event types, created on first use."""


class LeafPlace(NamedTuple):
    """Where a leaf stands, and whose it is.

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
