"""Send events through the active pipeline: again if that was replaced meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.lifecycle.forks import check_fork
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.pipeline.pipeline import Pipeline, emitting
from eventtracking_core.pipeline.replacing import Replaced

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.validation.builder import Verdict

__all__ = ["Dispatcher", "report_failure"]


class Dispatcher:
    """Sends events that exist already through the active pipeline."""

    _pipeline: Pipeline  # set by a subclass, which may replace it at any moment

    def send(self, event: Event) -> None:
        """Route an existing event, such as a replay or a line of a log. Never raises."""
        check_fork()
        self._route(event)

    def _route(self, event: Event, verdict: Verdict | None = None) -> None:
        """Send an event through the pipeline, or apply a verdict; again if that was replaced."""
        replaced: Pipeline | None = None
        while (pipeline := self._pipeline) is not replaced:
            if pipeline.is_silent:
                return
            try:
                self._send(pipeline, event, verdict)
            except Replaced:
                replaced = pipeline
            else:
                return

    def _send(self, pipeline: Pipeline, event: Event, verdict: Verdict | None = None) -> None:
        try:
            next(pipeline.emitted)
            if verdict is None:
                pipeline.send(event)
            elif verdict.action == "reject":
                pipeline.count_dropped(verdict.reason)
            else:
                pipeline.reject_invalid(verdict.reason, event)
        except Replaced:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            report_failure("sent", error)
        finally:
            next(pipeline.left)


def report_failure(done: str, error: BaseException) -> None:
    """Log that an event was not emitted, prepared or sent; raise an interrupt."""
    pass_on(error)
    report(ERROR, type(error), "an event was not %s: %s", done, error)


emitting.append(Dispatcher._send)  # noqa: SLF001  it counts events in and out
