"""What is told of the framework itself, through OpenTelemetry: its metrics, and spans.

Events are counted in plain integers, whether anybody asks or not; whoever reads metrics calls back
and gets the counts, so that an event costs nothing more. OpenTelemetry is imported when the first
tracker is configured. Its SDK may be set up before or after that.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from eventtracking_core.forks import on_fork

if TYPE_CHECKING:
    from eventtracking_core.intake import Intake
    from eventtracking_core.telemetry._metrics import Metrics
    from eventtracking_core.tree import Tree

__all__ = ["follow"]

_lock = Lock()
_instruments: Metrics | None = None


def follow(tree: Tree, intake: Intake) -> None:
    """Tell of a tree as long as it lives, and of what came through it ever after.

    Args:
        tree: as configured; its `telemetry` says what to tell.
        intake: of the tracker whose tree it is; its warnings are told with the metrics.
    """
    tells = tree.telemetry
    if not any(tells):
        return
    from eventtracking_core.telemetry._attempts import observe  # noqa: PLC0415  imports a great deal

    metrics = _metrics_of_process() if tells.metrics else None
    if metrics is not None:
        metrics.follow(tree, intake)
    observe(tree.root.leaves(), metrics.duration if metrics else None, with_spans=tells.spans)


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
