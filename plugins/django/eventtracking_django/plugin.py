"""The types that this plugin registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventtracking_core import hookimpl
from eventtracking_core.routing import CompositeBackend

__all__ = ["eventtracking_backends"]


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., CompositeBackend]]:
    """Return the backends; Django is imported when one is asked for."""
    from eventtracking_django.outbox import Outbox  # noqa: PLC0415
    from eventtracking_django.transactions import OnCommit  # noqa: PLC0415

    return {"django.on_commit": OnCommit, "django.outbox": Outbox}
