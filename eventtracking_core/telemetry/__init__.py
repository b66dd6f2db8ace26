"""The framework's own metrics and spans, through OpenTelemetry.

Events are counted in plain integers in any case; OpenTelemetry reads those counts in callbacks, so
metrics cost nothing per event. OpenTelemetry is imported when the first tracker is configured. Its
SDK may be set up before or after that.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from eventtracking_core.forks import on_fork

if TYPE_CHECKING:
    from eventtracking_core.intake import Intake
    from eventtracking_core.pipeline import Pipeline
    from eventtracking_core.telemetry._metrics import Metrics

__all__ = ["instrument"]

_lock = Lock()
_instruments: Metrics | None = None


def instrument(pipeline: Pipeline, intake: Intake) -> None:
    """Publish metrics and spans of a pipeline while it lives; its counts are kept afterwards.

    Args:
        pipeline: as configured; its `telemetry` says what to publish.
        intake: the tracker's; its warnings are part of the metrics.
    """
    settings = pipeline.telemetry
    if not any(settings):
        return
    from eventtracking_core.telemetry._attempts import observe  # noqa: PLC0415  imports a great deal

    metrics = _metrics_of_process() if settings.metrics else None
    if metrics is not None:
        metrics.instrument(pipeline, intake)
    observe(
        pipeline.root.leaves(), metrics.duration if metrics else None, with_spans=settings.spans
    )


def _metrics_of_process() -> Metrics:
    """Return the instruments, of which a process has one set."""
    global _instruments  # noqa: PLW0603  made when the first tracker wants it
    from eventtracking_core.telemetry._metrics import Metrics  # noqa: PLC0415  as above

    with _lock:
        if _instruments is None:
            _instruments = Metrics()
        return _instruments


@on_fork
def _forked() -> None:
    global _lock  # noqa: PLW0603  another thread of the parent may have held it
    _lock = Lock()
    if _instruments is not None:
        _instruments.forked()
