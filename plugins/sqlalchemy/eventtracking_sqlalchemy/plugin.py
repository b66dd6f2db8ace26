"""The types that this plugin registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventtracking_core import hookimpl
from eventtracking_core.routing import CompositeBackend

__all__ = ["eventtracking_backends"]


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., CompositeBackend]]:
    """Return the backends."""
    from eventtracking_sqlalchemy.on_commit import OnCommit  # noqa: PLC0415  when they are used
    from eventtracking_sqlalchemy.outbox import Outbox  # noqa: PLC0415

    return {"sqlalchemy.on_commit": OnCommit, "sqlalchemy.outbox": Outbox}
