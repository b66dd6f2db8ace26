"""Decode lines as this package writes them, quickly; all others are left to `parse_line`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypedDict

import msgspec

from eventtracking_core.events import Event
from eventtracking_core.logs.lines import MAX_ID

__all__ = ["decoder"]

_HEAD: Final = b'{"id":"'

_Tree = dict[str, "_Tree | None"]
"""The needed keys of a mapping; None for a value that is needed as a whole."""


def decoder(fields: Collection[str] | None = None) -> Callable[[bytes], Event | None]:
    """Return a function that decodes a line, or returns None if it is not as we write events.

    The event is the one that `parse_line` returns.

    Args:
        fields: the dotted fields of context and data that are needed: events then have no others,
            which saves most of the time. None for all.
    """
    decode = msgspec.json.Decoder(_line_type(fields)).decode
    skips = fields is not None
    parse = datetime.fromisoformat

    def decoded(line: bytes) -> Event | None:
        if not line.startswith(_HEAD):
            return None
        try:
            # Text that is skipped is not checked for UTF-8.
            fields: Any = decode(line if not skips or line.isascii() else line.decode())
            time = parse(fields.timestamp)
        except (ValueError, RecursionError):
            return None
        if time.tzinfo is not UTC or not fields.id.isprintable():
            return None
        event: Event = {
            "id": fields.id,
            "name": fields.name,
            "timestamp": time,
            "context": fields.context,
            "data": fields.data,
        }
        if fields.name_id:
            event["name_id"] = fields.name_id
        if fields.context_type_id:
            event["context_type_id"] = fields.context_type_id
        return event

    return decoded


def _line_type(fields: Collection[str] | None) -> type[msgspec.Struct]:
    context: Any = dict[str, Any]
    data: Any = dict[str, Any]
    if fields is not None:
        tree: _Tree = {"context": {}, "data": {}}
        for field in fields:
            _add(tree, field.split("."))
        context, data = (_mapping_type(tree[key]) for key in ("context", "data"))
    return msgspec.defstruct(
        "_Line",
        [
            ("id", Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]),
            ("name", Annotated[str, msgspec.Meta(min_length=1)]),
            ("timestamp", str),
            ("context", context),
            ("data", data),
            ("name_id", str, ""),
            ("context_type_id", str, ""),
        ],
        forbid_unknown_fields=True,  # `parse_line` moves them into the context
        gc=False,
    )


def _add(tree: _Tree, path: list[str]) -> None:
    """Add a path; a shorter one has the whole value."""
    *parents, last = path
    for key in parents:
        inner = tree.setdefault(key, {})
        if inner is None:
            return
        tree = inner
    tree[last] = None


def _mapping_type(tree: _Tree | None) -> Any:
    if tree is None:
        return Any
    keys = {key: _mapping_type(inner) for key, inner in tree.items()}
    return TypedDict("_Keys", keys, total=False)  # type: ignore[operator]
