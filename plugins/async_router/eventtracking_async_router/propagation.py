"""Propagate contexts into Celery tasks, so that events emitted there have the request's context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import eventtracking_core as et
from eventtracking_core.contexts import CARRIED_KEYS

if TYPE_CHECKING:
    from celery import Celery, Task

__all__ = ["HEADER", "propagate"]

HEADER: Final = "eventtracking"
"""The message header with contexts and trace."""

TRACE: Final = "traceparent"


def propagate(app: Celery, keys: Sequence[str] = CARRIED_KEYS) -> None:
    """Propagate contexts and W3C trace context into the tasks of a Celery application.

    Call it in the module that creates the application, which both senders and workers import. If
    OpenTelemetry's instrumentation of Celery propagates the trace, its trace context is used. A
    worker's process delivers what its tasks emitted before it ends.

    Args:
        app: the application.
        keys: the context fields to propagate; see `eventtracking_core.inject`.
    """
    # Importing Celery is slow, so only programs that have an application should do it.
    from celery.signals import (  # noqa: PLC0415
        before_task_publish,
        task_postrun,
        task_prerun,
        worker_process_shutdown,
        worker_shutdown,
    )

    entered: dict[str, AbstractContextManager[None]] = {}

    def write(sender: str, headers: dict[str, Any] | None = None, **_signal: Any) -> None:
        if headers is None or sender.startswith("eventtracking."):
            return
        carrier: dict[str, str] = {}
        et.inject(carrier, keys)
        if carrier:
            headers[HEADER] = carrier

    def enter(task_id: str, task: Task[Any, Any], **_signal: Any) -> None:
        carrier = getattr(task.request, HEADER, None)
        if task.app is not app or not isinstance(carrier, Mapping):
            return
        if getattr(task.request, TRACE, None):
            carrier = {key: carrier[key] for key in carrier if key != TRACE}
        context = entered[task_id] = et.extract(carrier, keys)
        context.__enter__()

    def leave(task_id: str, **_signal: Any) -> None:
        context = entered.pop(task_id, None)
        if context is not None:
            context.__exit__(None, None, None)

    before_task_publish.connect(write, weak=False)
    task_prerun.connect(enter, weak=False)
    task_postrun.connect(leave, weak=False)
    # The same as in `lifecycle`, so that it is connected once, but imported at the end.
    worker_process_shutdown.connect(_end, weak=False, dispatch_uid="eventtracking")
    worker_shutdown.connect(_end, weak=False, dispatch_uid="eventtracking")


def _end(**_signal: Any) -> None:
    from eventtracking_async_router import lifecycle  # noqa: PLC0415  imports what workers need

    lifecycle.end()
