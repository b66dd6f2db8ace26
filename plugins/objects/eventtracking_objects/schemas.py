"""The schema of each event type, from the records that the store and this process have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final

from eventtracking_core import EventType
from eventtracking_objects.batches import Group
from eventtracking_objects.client import Client
from eventtracking_objects.failures import DeniedError

if TYPE_CHECKING:
    from eventtracking_core.registry import Column

__all__ = ["Schemas", "load_records"]

RECORD: Final = ".json"


class Schemas:
    """The Parquet files of event types; for any thread.

    Args:
        directory: of event-type records.

    Raises:
        ValueError: pyarrow is not installed.
    """

    def __init__(self, directory: str) -> None:
        try:
            from eventtracking_objects import tables  # noqa: PLC0415  imports an extra
        except ImportError as error:
            raise ValueError(
                "format parquet needs pyarrow: pip install 'eventtracking-objects[parquet]'"
            ) from error
        self._tables = tables
        self._directory = directory
        self._lock = Lock()
        self._records: dict[str, EventType] = {}
        self._columns: dict[str, Sequence[Column]] = {}
        self._is_loaded = False

    def add(self, record: EventType) -> None:
        """Add a record that this process has stored."""
        with self._lock:
            self._records.setdefault(record.id, record)
            self._columns.pop(record.name, None)

    async def load(self, client: Client, seconds: float) -> None:
        """Add the records that others have stored, once, so that all have the same columns.

        Raises:
            EventTrackingError: they cannot be read.
        """
        if self._is_loaded:
            return
        try:
            records = await load_records(client, self._directory, seconds)
        except DeniedError:  # the columns are those of this process
            records = []
        with self._lock:
            self._records |= {record.id: record for record in records}
            self._columns.clear()
            self._is_loaded = True

    def table(self, group: Group) -> bytes:
        """Return the file of events of one name."""
        return self._tables.table(group, self._of(group.heads[0].name))

    def _of(self, name: str) -> Sequence[Column]:
        with self._lock:
            columns = self._columns.get(name)
            if columns is None:
                records = [
                    record
                    for record in self._records.values()
                    if record.kind == "event" and record.name == name
                ]
                records.sort(key=lambda record: (record.registered_at, record.id))
                columns = self._columns[name] = self._tables.columns(records)
            return columns


async def load_records(client: Client, directory: str, seconds: float) -> list[EventType]:
    """Return the records of a directory, oldest first.

    Raises:
        EventTrackingError: they cannot be read.
    """
    keys = await client.list_keys(directory, seconds)
    contents = await client.read([key for key in keys if key.endswith(RECORD)], seconds)
    records = [EventType.from_dict(json.loads(data)) for data in contents if data is not None]
    return sorted(records, key=lambda record: (record.registered_at, record.id))
