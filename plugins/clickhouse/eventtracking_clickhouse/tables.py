"""The tables: their names, and the statements that create them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Tables", "literal"]

_NAME: Final = re.compile(r"[^\0`\\.%{}]+")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0"})

# A repeated insert has the same token, so the server skips it; the window is how many it remembers.
_EVENTS: Final = """\
CREATE TABLE IF NOT EXISTS {events} (
    timestamp DateTime64(6, 'UTC'),
    id String,
    name LowCardinality(String),
    user_id String,
    name_id LowCardinality(String),
    context_type_id LowCardinality(String),
    event String CODEC(ZSTD(3)),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (timestamp, id)
SETTINGS non_replicated_deduplication_window = 1000"""

# The row with the highest version remains: the first record that was stored under an id.
_EVENT_TYPES: Final = """\
CREATE TABLE IF NOT EXISTS {event_types} (
    id String,
    kind LowCardinality(String),
    name String,
    record String,
    version Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id"""


class Tables:
    """The names of a store's tables.

    Args:
        table: of events, with or without its database.
        event_types: of event-type records, in the same database.

    Raises:
        ValueError: a name cannot be used.
    """

    def __init__(self, table: str, event_types: str) -> None:
        *database, name = table.split(".")
        parts = (*database, name, event_types)
        if len(database) > 1 or not all(map(_NAME.fullmatch, parts)):
            raise ValueError("table must be a name such as events or analytics.events")
        if name == event_types:
            raise ValueError("table and event_types must differ")
        self._prefix = f"`{database[0]}`." if database else ""
        self._events = name
        self.name = table
        self.events = f"{self._prefix}`{name}`"
        self.event_types = f"{self._prefix}`{event_types}`"

    def beside(self, suffix: str) -> str:
        """Return the name of a further table: the name of the table of events and a suffix."""
        return f"{self._prefix}`{self._events}_{suffix}`"

    def definitions(self) -> list[str]:
        """Return the statements that create the tables, unless they exist."""
        return [
            _EVENTS.format(events=self.events),
            _EVENT_TYPES.format(event_types=self.event_types),
        ]


def literal(text: str) -> str:
    """Return a text as a literal of SQL."""
    return f"'{text.encode(errors='replace').decode().translate(_ESCAPES)}'"
