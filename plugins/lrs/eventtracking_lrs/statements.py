"""The xAPI statement in an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from eventtracking_core import Event, RejectedError
from eventtracking_core.encoding import decode_json, encode_json

__all__ = ["contains", "encoded", "statement"]

_REQUIRED: Final = ("actor", "verb", "object")


def statement(event: Event) -> dict[str, Any]:
    """Return the statement in an event's data, with an id and a time.

    A statement without an id takes the event's, so that a retry is the same statement.

    Raises:
        RejectedError: the data are no statement.
    """
    data = decode_json(encode_json(event))["data"]
    missing = [field for field in _REQUIRED if not isinstance(data.get(field), Mapping)]
    if missing:
        raise RejectedError(f"the data are no xAPI statement: without {', '.join(missing)}")
    fields = {"id": _uuid(event["id"]), "timestamp": event["timestamp"].isoformat(), **data}
    return {key: value for key, value in fields.items() if value is not None}


def encoded(statement: Mapping[str, Any]) -> bytes:
    """Return a statement as JSON."""
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def contains(stored: object, sent: object) -> bool:
    """Return whether a stored statement says what was sent; a store adds fields of its own."""
    if isinstance(sent, Mapping) and isinstance(stored, Mapping):
        return all(
            contains(stored.get(key), value) for key, value in sent.items() if key != "timestamp"
        )
    return stored == sent


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:  # a replayed event may have any id
        return str(uuid5(NAMESPACE_URL, text))
