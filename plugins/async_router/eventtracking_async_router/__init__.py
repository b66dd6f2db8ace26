"""Route events in Celery workers: a node of the tree whose children run on other machines."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_async_router.node import AsyncRouter
from eventtracking_async_router.propagation import propagate
from eventtracking_core import hookimpl

__all__ = ["AsyncRouter", "propagate"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[AsyncRouter]]:
    """Return the type `async_router`."""
    return {"async_router": AsyncRouter}
