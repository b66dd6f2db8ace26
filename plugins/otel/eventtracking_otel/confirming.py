"""Whether exporters took the records of events: the SDK itself does not pass that on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from eventtracking_otel._records import UID

__all__ = ["ConfirmedExporter", "take_failed"]

MAX_FAILED: Final = 100_000

# Ids of events that an exporter failed on and that no backend has asked for yet.
_failed: Final[dict[str, None]] = {}


class LogExporter(Protocol):
    """What the SDK calls a `LogRecordExporter`."""

    def export(self, batch: Sequence[Any], /) -> Any:
        """Export records; return the SDK's `SUCCESS` or `FAILURE`."""

    def shutdown(self) -> None:
        """Export no more."""


class ConfirmedExporter:
    """An exporter of log records whose failures come back to the backend `otel`.

    Without it, an event counts as delivered once the SDK has taken it, and an exporter that gives a
    record up only logs that. With it, the event is retried.

    Example:
        `BatchLogRecordProcessor(ConfirmedExporter(OTLPLogExporter()))`

    Args:
        exporter: exports the records.
    """

    def __init__(self, exporter: LogExporter) -> None:
        self._exporter = exporter

    def export(self, batch: Sequence[Any], /) -> Any:
        """Export records, and note the events among them on which that fails."""
        try:
            result = self._exporter.export(batch)
        except BaseException:
            _note(batch)
            raise
        if getattr(result, "name", None) == "FAILURE":
            _note(batch)
        return result

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Have the exporter send what it holds, where it can."""
        flush = getattr(self._exporter, "force_flush", None)
        return not callable(flush) or flush(timeout_millis) is not False

    def shutdown(self) -> None:
        """Export no more."""
        self._exporter.shutdown()


def take_failed(event_ids: Sequence[str]) -> list[int]:
    """Return the positions of the events that an exporter failed on, and forget them."""
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
    while len(_failed) > MAX_FAILED:  # of events that were delivered inline, or by another backend
        _failed.pop(next(iter(_failed)), None)
