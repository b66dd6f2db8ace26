"""Where a leaf stands."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LeafPlace"]


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
