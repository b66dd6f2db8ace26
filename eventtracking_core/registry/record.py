"""The record of an event type: what an event or a context means, and its id."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from operator import attrgetter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol, runtime_checkable

from eventtracking_core._text import encodable
from eventtracking_core.events import as_utc
from eventtracking_core.settings import switched

if TYPE_CHECKING:
    from types import FrameType

__all__ = [
    "STACK_TRACES",
    "DefinesTables",
    "EventType",
    "FieldDoc",
    "LoadsEventTypes",
    "MetadataStore",
    "RecordKind",
    "registration",
]

RecordKind = Literal["event", "context", "composed"]

ID_LENGTH: Final = 16
"""Hexadecimal digits: 64 bits, of which a million types share an id once in 37 million times."""

UNREGISTERED: Final = datetime.min.replace(tzinfo=UTC)


class _Encodable:
    """Makes texts of a frozen dataclass encodable, at any depth, as it is constructed."""

    _texts: ClassVar[tuple[str, ...]]
    """The fields that have texts."""

    def __post_init__(self) -> None:
        for name in self._texts:
            value = getattr(self, name)
            if value and not (type(value) is str and value.isascii()):
                object.__setattr__(self, name, encodable(value))


@dataclass(frozen=True)
class FieldDoc(_Encodable):
    """The description of a field.

    Args:
        name: its path, dotted where it lies in another field.
        description: what it holds, for readers of the log.
        type: what JSON Schema calls its type (`string`, `integer`, `number`, `boolean`, `object`,
            `array`, `null`), or several, joined by `|`; any, if not given.
        required: whether an event without it is incomplete.
        pii: the class of personal data it holds, such as `email`, `id`, `ip` or `name`.
        enum: the only values it may have.
    """

    name: str
    description: str = ""
    type: str | None = None
    required: bool = True
    pii: str | None = None
    enum: tuple[str | int | float | bool | None, ...] = ()

    _texts = ("name", "description", "type", "pii", "enum")

    def to_dict(self) -> dict[str, Any]:
        """Return the field as JSON holds it; what has its default is left out."""
        whole = vars(self) | {"enum": list(self.enum)}
        always = {"name", "description", "required"}
        return {key: value for key, value in whole.items() if value or key in always}

    @classmethod
    def from_dict(cls, field: Mapping[str, Any]) -> FieldDoc:
        """Return the field that `to_dict` made.

        Raises:
            KeyError: it has no name.
        """
        known = {each.name: field[each.name] for each in fields(cls) if each.name in field}
        return cls(**known | {"name": field["name"], "enum": tuple(field.get("enum", ()))})


_NAME: Final = attrgetter("name")


@dataclass(frozen=True, kw_only=True)
class EventType(_Encodable):
    """The record of an event type, a context or a composition of contexts.

    Records are immutable: another registration of a name makes another record. The id is made from
    what the record says, so that every process agrees on it; when and where it was said is no part
    of it.

    Args:
        kind: `event`, `context`, or `composed` of several contexts that were active together.
        name: of the event or the context.
        description: what happened, or under which conditions the context is there.
        fields: of the event's data, or of the context.
        context_fields: of the context, that every event of this type has.
        members: ids of the contexts that a composed one is made of, outermost first.
        owner: who answers for it.
        tags: words to find it by.
        examples: data of sample events.
        deprecated: what to use instead, where it should not be used any more.
        schema: JSON Schema 2020-12 of the data, where one was given.
        registered_at: when it was registered, in UTC.
        stack_trace: from where, innermost last: `path:line in function`.
    """

    kind: RecordKind = "event"
    name: str
    description: str = ""
    fields: tuple[FieldDoc, ...] = ()
    context_fields: tuple[FieldDoc, ...] = ()
    members: tuple[str, ...] = ()
    owner: str | None = None
    tags: tuple[str, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    deprecated: str | None = None
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    registered_at: datetime = UNREGISTERED
    stack_trace: tuple[str, ...] = ()

    _texts = (
        *("name", "description", "owner", "tags", "examples", "deprecated", "schema"),
        "stack_trace",
    )

    @cached_property
    def id(self) -> str:
        """The id, which is the head of the SHA-256 of kind, name, description and fields."""
        content = {
            "kind": self.kind,
            "name": self.name,
            "description": self.description,
            "fields": [doc.to_dict() for doc in sorted(self.fields, key=_NAME)],
            "context_fields": [doc.to_dict() for doc in sorted(self.context_fields, key=_NAME)],
            "members": self.members,
            "schema": self.schema,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return sha256(text.encode()).hexdigest()[:ID_LENGTH]

    def at(self, moment: datetime, stack_trace: Sequence[str]) -> EventType:
        """Return the same record, registered at that moment and place."""
        return replace(self, registered_at=as_utc(moment), stack_trace=tuple(stack_trace))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON holds it; what has its default is left out."""
        whole: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "description": self.description,
            "fields": [doc.to_dict() for doc in self.fields],
            "context_fields": [doc.to_dict() for doc in self.context_fields],
            "members": list(self.members),
            "owner": self.owner,
            "tags": list(self.tags),
            "examples": [dict(example) for example in self.examples],
            "deprecated": self.deprecated,
            "schema": self.schema,
            "registered_at": self.registered_at.isoformat().replace("+00:00", "Z"),
            "stack_trace": list(self.stack_trace),
        }
        return {key: value for key, value in whole.items() if value or key == "description"}

    def to_line(self) -> str:
        """Return the line that says in a log of events what some of them mean."""
        return json.dumps({"event_type": self.to_dict()}, separators=(",", ":"))

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> EventType:
        """Return the record that `to_dict` made.

        Raises:
            ValueError: it is none; the message says what is wrong.
        """
        try:
            parsed = cls(
                kind=record["kind"],
                name=record["name"],
                description=record.get("description", ""),
                fields=_fields(record, "fields"),
                context_fields=_fields(record, "context_fields"),
                members=tuple(record.get("members", ())),
                owner=record.get("owner"),
                tags=tuple(record.get("tags", ())),
                examples=tuple(record.get("examples", ())),
                deprecated=record.get("deprecated"),
                schema=record.get("schema"),
                registered_at=as_utc(datetime.fromisoformat(record["registered_at"])),
                stack_trace=tuple(record.get("stack_trace", ())),
            )
        except KeyError as error:
            raise ValueError(f"the record of an event type has no {error.args[0]}") from error
        except (TypeError, AttributeError) as error:
            raise ValueError("the record of an event type is malformed") from error
        if parsed.kind not in {"event", "context", "composed"} or not isinstance(parsed.name, str):
            raise ValueError("the record of an event type is of no known kind")
        return parsed


def _fields(record: Mapping[str, Any], key: str) -> tuple[FieldDoc, ...]:
    return tuple(FieldDoc.from_dict(doc) for doc in record.get(key, ()))


@runtime_checkable
class LoadsEventTypes(Protocol):
    """A source of records of event types, such as a store that has them beside its events."""

    def load_event_types(self) -> Iterable[EventType]:
        """Return every record, the oldest first; none where there is nothing yet."""


class MetadataStore(LoadsEventTypes, Protocol):
    """A store of records of event types: any sink that can store them beside its events.

    It opens what it needs on first use, and several threads may call it.
    """

    def save_event_type(self, record: EventType, /) -> None:
        """Keep a record; one whose id is there already changes nothing.

        Raises:
            RetryableError: it is not kept; a later attempt may succeed.
        """


@runtime_checkable
class DefinesTables(Protocol):
    """A backend that stores into tables which an operator may create."""

    def definitions(self, event_types: Iterable[EventType] = ()) -> str:
        """Return the statements that create them, without running any.

        `eventtracking schema --for` prints them.

        Args:
            event_types: registered ones, oldest first, for stores with a table for each.
        """


STACK_TRACES: Final = "EVENTTRACKING_STACK_TRACES"
"""The variable that switches them off: `0`, `false`, `no` or `off`."""

MAX_FRAMES: Final = 8
_OURS: Final = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120  as co_filename


def registration() -> dict[str, Any]:
    """Return when and from where a record is registered, by the names of its fields.

    That is the innermost frames outside of the framework, as `path:line in function`. Paths are
    relative to where Python found the file, so that no directory of the machine shows.
    """
    moment = as_utc(datetime.now(UTC))
    frames: list[str] = []
    if switched(STACK_TRACES) is not False:
        places: list[object] = [*sys.path]  # programs put paths, bytes and None there too
        with suppress(OSError):  # the current directory may be removed
            places.append(os.getcwd())  # noqa: PTH109  text, not a Path
        roots = [each.rstrip(os.sep) + os.sep for each in places if each and isinstance(each, str)]
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  no other way without reading source
        while frame is not None and len(frames) < MAX_FRAMES:
            code, path = frame.f_code, frame.f_code.co_filename
            if not path.startswith((_OURS, "<frozen ")):
                inside = [len(root) for root in roots if path.startswith(root)]
                if inside:
                    path = path[max(inside) :]
                elif os.path.isabs(path):  # noqa: PTH117
                    path = PurePath(path).name
                frames.append(f"{path}:{frame.f_lineno} in {code.co_name}")
            frame = frame.f_back
    return {"registered_at": moment, "stack_trace": tuple(reversed(frames))}
