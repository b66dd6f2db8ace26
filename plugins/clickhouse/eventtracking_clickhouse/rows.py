"""Events and event-type records as columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from eventtracking_core import EventType
from eventtracking_core.encoding import Table

__all__ = ["COLUMNS", "RECORD_COLUMNS", "Values", "columns", "microseconds", "record_columns"]

# Also for LowCardinality columns: the server converts them, so that the driver need not.
COLUMNS: Final[Mapping[str, str]] = {
    "timestamp": "DateTime64(6, 'UTC')",
    **dict.fromkeys(("id", "name", "user_id", "name_id", "context_type_id", "event"), "String"),
}
"""The types in which events are sent, by column."""

RECORD_COLUMNS: Final[Mapping[str, str]] = dict.fromkeys(("id", "kind", "name", "record"), "String")
"""The types in which event-type records are sent, by column."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST: Final = (datetime(2300, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND - 1
"""The range of DateTime64."""

Values = Sequence[Sequence[object]]
"""The values of each column."""


def columns(table: Table) -> Values:
    """Return the values of events, in the order of `COLUMNS`."""
    return (
        _times(table.moments),
        table.ids,
        table.names,
        [user or "" for user in table.user_ids],
        [name_id or "" for name_id in table.name_ids],
        [type_id or "" for type_id in table.context_type_ids],
        table.texts,
    )


def record_columns(record: EventType) -> Values:
    """Return the values of an event-type record, in the order of `RECORD_COLUMNS`."""
    texts = (record.id, record.kind, record.name, json.dumps(record.to_dict()))
    return [[text.encode()] for text in texts]


def microseconds(moment: datetime) -> int:
    """Return a time as the column `timestamp` has it: one out of its range is clamped."""
    return min(max((moment - _EPOCH) // _MICROSECOND, _EARLIEST), _LATEST)


def _times(moments: Sequence[datetime]) -> list[int]:
    times = [(moment - _EPOCH) // _MICROSECOND for moment in moments]
    if min(times) < _EARLIEST or max(times) > _LATEST:
        return [microseconds(moment) for moment in moments]
    return times
