"""The forms of an event: JSON, MessagePack, normal (plain values) and copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.lazy import lazy

if TYPE_CHECKING:
    from eventtracking_core.encoding._batches import (
        NormalBatch,
        encode_each,
        encode_lines,
        unencodable,
        with_parts,
    )
    from eventtracking_core.encoding._columns import Columns, Head
    from eventtracking_core.encoding._compiled import plain_size, plain_weight
    from eventtracking_core.encoding._copies import snapshot
    from eventtracking_core.encoding._json import (
        decode_json,
        decode_stored,
        encode_json,
        encode_text,
        write_json,
    )
    from eventtracking_core.encoding._msgpack import (
        decode_msgpack,
        encode_msgpack,
        normal_from_msgpack,
        wire_reader,
    )
    from eventtracking_core.encoding._normal import (
        id_text,
        keep,
        losses,
        normalize,
        normalize_event,
    )
    from eventtracking_core.encoding._plain import by_type, field_names, has_reader
    from eventtracking_core.encoding._rows import (
        Cells,
        Lines,
        Table,
        encode_columns,
        encode_heads,
        encode_table,
        encode_with_columns,
    )
    from eventtracking_core.encoding._texts import (
        JSON,
        JsonBatch,
        decode_wire,
        json_text,
        normal_from_json,
    )

__all__ = [
    "JSON",
    "Cells",
    "Columns",
    "Head",
    "JsonBatch",
    "Lines",
    "NormalBatch",
    "Table",
    "by_type",
    "decode_json",
    "decode_msgpack",
    "decode_stored",
    "decode_wire",
    "encode_columns",
    "encode_each",
    "encode_heads",
    "encode_json",
    "encode_lines",
    "encode_msgpack",
    "encode_table",
    "encode_text",
    "encode_with_columns",
    "field_names",
    "has_reader",
    "id_text",
    "json_text",
    "keep",
    "losses",
    "normal_from_json",
    "normal_from_msgpack",
    "normalize",
    "normalize_event",
    "plain_size",
    "plain_weight",
    "snapshot",
    "unencodable",
    "wire_reader",
    "with_parts",
    "write_json",
]

# msgspec is imported when something is first encoded: importing the package must stay free.
__getattr__, __dir__ = lazy(
    __name__,
    "_compiled",
    "_plain",
    "_copies",
    "_normal",
    "_msgpack",
    "_json",
    "_columns",
    "_texts",
    "_batches",
    "_rows",
)
