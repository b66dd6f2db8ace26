"""Reading records of event types from a file of events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from eventtracking_core import EventType

__all__ = ["event_types_in"]

_HEAD: Final = b'{"event_type":'


def event_types_in(path: Path) -> Iterator[EventType]:
    """Yield the records in a file, each id once; lines that cannot be read are passed over."""
    seen = set()
    with suppress(FileNotFoundError), path.open("rb") as lines:
        for line in lines:
            if line.startswith(_HEAD):
                with suppress(ValueError, KeyError):
                    record = EventType.from_dict(json.loads(line)["event_type"])
                    if record.id not in seen:
                        seen.add(record.id)
                        yield record
