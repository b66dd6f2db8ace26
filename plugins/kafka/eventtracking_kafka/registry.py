"""The schemas of event types at a registry that has the HTTP API of Confluent's.

The subject of a schema is the name of its record, as RecordNameStrategy has it, so that events of
several types can share a topic.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic
from types import ModuleType
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from eventtracking_core import (
    EventTrackingError,
    EventType,
    RejectedError,
    RetryableError,
)
from eventtracking_core.http.exchange import Answer, Exchange
from eventtracking_kafka.messages import Header, Row
from eventtracking_kafka.schemas import Form, Schema

__all__ = ["SchemaRegistry"]

MAX_ANSWER: Final = 64 * 1024
OK: Final = 200
UNREGISTERED: Final = "eventtracking.event"
"""The name in the schema of all events that have no registered type."""

_IDS: Final = range(2**31)
"""What an id can be: its place in a message has four bytes, with a sign in Java."""

_OF_THE_SCHEMA: Final = frozenset({400, 409, 422})
"""Statuses of a schema that the registry will not take: invalid, or not compatible."""

_HEADERS: Final = {
    "Accept": "application/vnd.schemaregistry.v1+json",
    "Content-Type": "application/vnd.schemaregistry.v1+json",
}


class SchemaRegistry:
    """Registers the schemas of events, and encodes events by them.

    Args:
        url: its address, with user and password if it asks for them.
        form: the format of values.

    Raises:
        ValueError: the address cannot be used, or a package is not installed.
    """

    def __init__(self, url: str, form: Form) -> None:
        self._urllib3 = _urllib3()
        parts = _parts(url)
        self._headers = dict(_HEADERS)
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        place = parts.netloc.rpartition("@")[2]
        self._url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
        self._form = form
        # For any thread, without a lock: a fork could come while one is held.
        self._records: dict[str, list[EventType]] = {}
        self._schemas: dict[tuple[str, int], Schema] = {}
        self._ids: dict[str, int] = {}

    def add(self, record: EventType) -> None:
        """Let the schema of an event type have its fields."""
        if record.kind == "event":
            known = self._records.setdefault(record.name, [])
            if record not in known:
                known.append(record)

    def register(self, names: Iterable[str], timeout: float) -> Mapping[str, EventTrackingError]:
        """Register the schemas of events of some names that are not registered yet.

        Returns:
            The errors of those that are not registered, by the names of their events.

        Raises:
            RetryableError: the registry cannot be reached, or refuses the login.
        """
        deadline = monotonic() + timeout
        failures: dict[str, EventTrackingError] = {}
        for name in names:
            schema = self._schema(name)
            if schema.text not in self._ids:
                try:
                    schema_id = self._register(schema, deadline - monotonic())
                except RejectedError as error:
                    failures[name] = error
                else:
                    self._ids[schema.text] = schema_id
        return failures

    def encoded(self, row: Row, _: str) -> tuple[list[Header], bytes]:
        """Return the value of an event whose schema is registered."""
        schema = self._schema(row.columns.name)
        number = self._ids.get(schema.text)
        if number is None:  # another thread has just added a record
            raise RetryableError("the schema of the event is not registered yet")
        head = b"\0" + number.to_bytes(4)
        return [], head + self._form.encode(row.text, schema)

    def _schema(self, name: str) -> Schema:
        records = self._records.get(name, ())
        if not records:  # there may be any number of such names
            name = UNREGISTERED
        key = name, len(records)
        schema = self._schemas.get(key)
        if schema is None:
            schema = self._schemas[key] = self._form.schema(name, records[: key[1]])
        return schema

    def probe(self, timeout: float) -> None:
        """Ask the registry for the kinds of schemas that it has, within `timeout` seconds.

        Raises:
            RetryableError: it cannot be reached, or refuses the login.
        """
        answer = self._request("GET", "/schemas/types", None, timeout)
        if answer.status != OK:
            raise RetryableError(
                f"the schema registry refuses the request (status {answer.status})"
            )

    def _register(self, schema: Schema, seconds: float) -> int:
        path = f"/subjects/{quote(schema.subject, safe='')}/versions"
        body = json.dumps({"schema": schema.text, "schemaType": self._form.name}).encode()
        return _id(self._request("POST", path, body, seconds), schema.subject)

    def _request(self, method: str, path: str, body: bytes | None, seconds: float) -> Answer:
        url = f"{self._url}{path}"
        exchange = Exchange(self._urllib3, url, server="the schema registry", max_bytes=MAX_ANSWER)
        try:
            return exchange.send(method, body, self._headers, timeout=seconds)
        finally:
            exchange.close()


def _parts(url: str) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        if is_whole and not parts.query:
            return parts
    raise ValueError("schema_registry must have the form https://user:password@host:port")


def _id(answer: Answer, subject: str) -> int:
    if answer.status in _OF_THE_SCHEMA:
        raise RejectedError(
            f"the schema registry rejects the schema {subject} (status {answer.status})"
        )
    try:
        schema_id = json.loads(answer.body)["id"] if answer.status == OK else None
    except (ValueError, KeyError, TypeError, RecursionError):
        schema_id = None
    if type(schema_id) is not int or schema_id not in _IDS:
        raise RetryableError(
            f"the schema registry did not register a schema (status {answer.status})",
            retry_after=answer.retry_after,
        )
    return schema_id


def _urllib3() -> ModuleType:
    try:
        import urllib3  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ValueError(
            "schema_registry needs urllib3: pip install 'eventtracking-kafka[registry]'"
        ) from error
    return urllib3
