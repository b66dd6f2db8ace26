"""The framework's own metrics and spans, through OpenTelemetry.

Events are counted in plain integers in any case; OpenTelemetry reads those counts in callbacks, so
metrics cost nothing per event. OpenTelemetry is imported when the first tracker is configured. Its
SDK may be set up before or after that.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from eventtracking_core.lifecycle.forks import on_fork

if TYPE_CHECKING:
    from eventtracking_core.delivery.attempt import Run
    from eventtracking_core.settings import Telemetry
    from eventtracking_core.telemetry._metrics import Metrics

__all__ = ["OpenTelemetry"]

_lock = Lock()
_instruments: Metrics | None = None


class OpenTelemetry:
    """Publishes the metrics of pipelines, and the deliveries of their buffered leaves.

    Args:
        settings: which signals to publish.

    Attributes:
        metrics: the instruments of the process; None to publish none.
    """

    def __init__(self, settings: Telemetry) -> None:
        self.metrics = _metrics_of_process() if settings.metrics else None
        self._with_spans = settings.spans

    def runner(self, path: str, type_name: str) -> Run:
        """Return what makes the attempts of one leaf, timed and with spans as configured.

        Args:
            path: the leaf's path in the tree.
            type_name: the type of its backend.
        """
        from eventtracking_core.telemetry._attempts import MeasuredAttempts  # noqa: PLC0415  imports a great deal

        duration = None if self.metrics is None else self.metrics.duration
        return MeasuredAttempts(path, type_name, duration, with_spans=self._with_spans).run


def _metrics_of_process() -> Metrics:
    """Return the instruments; a process has one set."""
    global _instruments  # noqa: PLW0603  made on first use
    from eventtracking_core.telemetry._metrics import Metrics  # noqa: PLC0415  imports a great deal

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
