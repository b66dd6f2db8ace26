"""Report failures of exporters to the backend, which the SDK does not do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from eventtracking_otel._records import UID

__all__ = ["ConfirmedExporter", "take_failed"]

MAX_FAILED: Final = 100_000

# Ids of events that an exporter failed on, until a backend takes them.
_failed: Final[dict[str, None]] = {}


class LogExporter(Protocol):
    """The SDK's `LogRecordExporter`."""

    def export(self, batch: Sequence[Any], /) -> Any:
        """Export records; return the SDK's `SUCCESS` or `FAILURE`."""

    def shutdown(self) -> None:
        """Stop exporting."""


class ConfirmedExporter:
    """An exporter of log records that reports failures to the backend `otel`.

    Without it, an event counts as delivered once the SDK has accepted it, and an exporter that
    drops a record only logs that. With it, the event is retried.

    Example:
        `BatchLogRecordProcessor(ConfirmedExporter(OTLPLogExporter()))`

    Args:
        exporter: exports the records.
    """

    def __init__(self, exporter: LogExporter) -> None:
        self._exporter = exporter

    def export(self, batch: Sequence[Any], /) -> Any:
        """Export records, and record the ids of events that failed."""
        try:
            result = self._exporter.export(batch)
        except BaseException:
            _note(batch)
            raise
        if getattr(result, "name", None) == "FAILURE":
            _note(batch)
        return result

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter, if it can be flushed."""
        flush = getattr(self._exporter, "force_flush", None)
        return not callable(flush) or flush(timeout_millis) is not False

    def shutdown(self) -> None:
        """Stop exporting."""
        self._exporter.shutdown()


def take_failed(event_ids: Sequence[str]) -> list[int]:
    """Return the positions of events that an exporter failed on, and remove their ids."""
    if not _failed:
        return []
    positions = [position for position, each in enumerate(event_ids) if each in _failed]
    for position in positions:
        _failed.pop(event_ids[position], None)
    return positions


def _note(batch: Sequence[Any]) -> None:
    for record in batch:
        attributes = getattr(getattr(record, "log_record", None), "attributes", None) or {}
        event_id = attributes.get(UID)
        if isinstance(event_id, str):
            _failed[event_id] = None
    while len(_failed) > MAX_FAILED:  # ids that no backend took
        _failed.pop(next(iter(_failed)), None)
