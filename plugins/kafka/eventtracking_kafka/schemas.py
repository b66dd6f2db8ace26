"""Schemas of event types, and events encoded by them: as JSON, or as Avro.

An Avro record has a nullable field for each documented field of a single type, and the whole event
as JSON, so nothing is lost of what is not documented.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from types import ModuleType
from typing import Any, ClassVar, Final, Literal, NamedTuple, Protocol

from eventtracking_core import EventType
from eventtracking_core.encoding import decode_json, id_text
from eventtracking_core.registry import Column, json_schema, typed_columns

__all__ = ["FORMS", "Form", "RegisteredFormat", "Schema"]

RegisteredFormat = Literal["json_schema", "avro"]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.]|\.(?=[0-9.]|$)|^(?=[0-9.])")
_IDS: Final = ("user_id", "name_id", "context_type_id")
_OWN: Final = ("id", "name", "timestamp", *_IDS, "event")


class Schema(NamedTuple):
    """A schema: its subject, its text, and what its format needs to encode by it."""

    subject: str
    text: str
    columns: Sequence[Column] = ()
    parsed: Any = None


class Form(Protocol):
    """A format whose schemas are registered."""

    name: ClassVar[str]
    """What the registry calls it."""

    content_type: ClassVar[bytes]

    def schema(self, name: str, records: Sequence[EventType]) -> Schema:
        """Return the schema of an event type, from its records in their order."""

    def encode(self, text: bytes, schema: Schema) -> bytes:
        """Return an event in this format, given its JSON."""


class _Json:
    name: ClassVar[str] = "JSON"
    content_type: ClassVar[bytes] = b"application/json"

    def schema(self, name: str, records: Sequence[EventType]) -> Schema:
        data = json_schema(records[-1]) if records else {"type": "object"}
        text = {"type": "string"}
        whole = {
            "$schema": data.pop("$schema", "https://json-schema.org/draft/2020-12/schema"),
            "title": name,
            "type": "object",
            "properties": {
                **dict.fromkeys(("id", "name", "name_id", "context_type_id"), text),
                "timestamp": {"type": "string", "format": "date-time"},
                "context": {"type": "object"},
                "data": data,
            },
            "required": ["id", "name", "timestamp", "context", "data"],
        }
        return Schema(record_name(name), json.dumps(whole))

    def encode(self, text: bytes, schema: Schema) -> bytes:  # noqa: ARG002  as Avro's
        return text


class _Avro:
    name: ClassVar[str] = "AVRO"
    content_type: ClassVar[bytes] = b"application/avro"

    def __init__(self) -> None:
        self._fastavro = _fastavro()

    def schema(self, name: str, records: Sequence[EventType]) -> Schema:
        columns = typed_columns(records, _OWN)
        whole = {
            "type": "record",
            "name": record_name(name),
            "fields": [
                {"name": "id", "type": "string"},
                {"name": "name", "type": "string"},
                {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-micros"}},
                *[_nullable(field, "string") for field in _IDS],
                {"name": "event", "type": "string"},
                *[_nullable(column.name, _AVRO[column.type]) for column in columns],
            ],
        }
        parsed = self._fastavro.parse_schema(whole)
        return Schema(record_name(name), json.dumps(whole), columns, parsed)

    def encode(self, text: bytes, schema: Schema) -> bytes:
        plain = decode_json(text)
        record = {
            **{field: plain.get(field) for field in ("id", "name", "timestamp")},
            "user_id": id_text(plain["context"].get("user_id")),
            **{field: _text(plain.get(field)) for field in _IDS[1:]},
            "event": text.decode(),
            **{column.name: column.value(plain) for column in schema.columns},
        }
        buffer = io.BytesIO()
        self._fastavro.schemaless_writer(buffer, schema.parsed, record)
        return buffer.getvalue()


FORMS: Final[Mapping[str, Callable[[], Form]]] = {"json_schema": _Json, "avro": _Avro}

_AVRO: Final = {"string": "string", "integer": "long", "number": "double", "boolean": "boolean"}


def record_name(name: str) -> str:
    """Return the name of an event type as a full name of Avro's; one that changes has a hash."""
    plain = _UNSAFE.sub("_", name)
    return plain if plain == name else f"{plain}_{sha256(name.encode()).hexdigest()[:8]}"


def _nullable(name: str, kind: str) -> dict[str, object]:
    return {"name": name, "type": ["null", kind], "default": None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _fastavro() -> ModuleType:
    try:
        import fastavro  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ValueError(
            "format avro needs fastavro: pip install 'eventtracking-kafka[registry]'"
        ) from error
    return fastavro
