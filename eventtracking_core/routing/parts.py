"""Events that a processor makes of one: what they keep of it, and their ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.encoding import snapshot
from eventtracking_core.events import new_id

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Split", "part_id", "parts_of"]

_TIME: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[78]"
_INHERITED: Final = ("name", "context", "data")


class Split(Exception):  # noqa: N818  no error: several events go on in place of one
    """A processor returned a list of events.

    Attributes:
        parts: those that passed the remaining processors.
        dropped: for each of the others, the reason.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Event] = []
        self.dropped: list[str] = []


def parts_of(event: Mapping[str, Any], parts: list[Any]) -> list[Event]:
    """Return the events that a processor made of one, as copies that share nothing.

    Each has the event's time, and an id derived from the event's id and its place in the list. Of
    name, context and data, it takes from the event what the processor left out.

    Raises:
        TypeError: an item is not an event.
    """
    if not all(isinstance(part, dict) for part in parts):
        raise TypeError("a list that a processor returns contains events only")
    inherited = {key: event[key] for key in _INHERITED if key in event}
    time = {"timestamp": event["timestamp"]} if "timestamp" in event else {}
    parent = str(event.get("id") or new_id())
    return [
        cast("Event", {**_copy({**inherited, **part}), **time, "id": part_id(parent, place)})
        for place, part in enumerate(parts)
    ]


def _copy(part: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", snapshot(part))


def part_id(parent: str, place: int) -> str:
    """Return the id of the event at a place in a list; the same each time, for the same parent.

    It is a UUIDv8 (RFC 9562) that begins with the milliseconds of its parent's id, so that it sorts
    beside it.
    """
    from hashlib import sha256  # noqa: PLC0415  most programs never split an event

    digest = sha256(f"{parent}/{place}".encode(errors="surrogatepass")).hexdigest()
    head = parent[:13] if re.match(_TIME, parent) else f"{digest[:8]}-{digest[8:12]}"
    variant = "89ab"[int(digest[15], 16) % 4]
    return f"{head}-8{digest[12:15]}-{variant}{digest[16:19]}-{digest[19:31]}"
