"""The backend: a batch becomes one object in each of its directories, written once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import ClassVar, Final, get_args

from eventtracking_core import (
    BatchError,
    Event,
    EventType,
    RejectedError,
    RetryableError,
    refuse_options,
)
from eventtracking_objects.batches import Batch, batch_of
from eventtracking_objects.client import Client
from eventtracking_objects.contents import Compression, Format
from eventtracking_objects.drafting import Drafting
from eventtracking_objects.drafts import Drafts
from eventtracking_objects.layout import Layout, path_problem
from eventtracking_objects.looking import Looking
from eventtracking_objects.operations import finish
from eventtracking_objects.reading import Reading

__all__ = ["ObjectsBackend"]

SAVE_TIMEOUT: Final = 5.0
"""Seconds for the record of an event type."""

SCHEMES: Final = ("file", "s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https")

_URI_RULE: Final = (
    "uri must be a directory, or an address such as s3://bucket/prefix that begins with one of: "
    + ", ".join(SCHEMES)
)


class ObjectsBackend(Reading):
    """Stores events as objects, in S3, Google Cloud Storage, Azure or a directory.

    Args:
        uri: `s3://bucket/prefix`, `gs://bucket/prefix`, `abfss://container@account/prefix`, or a
            directory. Credentials come from where the provider's own tools look for them.
        path: the directories of events below it. `{name}`, `{context.org}` and other fields in it
            are replaced, and `{timestamp:%Y-%m-%d}` by the time in UTC.
        format: `ndjson` (a line of JSON an event) or `parquet`, with a typed column for each
            documented field.
        compression: of `ndjson`: `gzip`, `zstd` or `none`.
        event_types: the directory of event-type records.
        options: of the store, by the names that obstore gives them, such as
            `{"endpoint": "https://…", "region": "eu-west-1"}`.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[str] = "queue"
    takes_json: ClassVar[bool] = True

    def __init__(
        self,
        uri: str,
        path: str = "events/name={name}/date={timestamp:%Y-%m-%d}",
        *,
        format: Format = "ndjson",  # noqa: A002  the option's natural name
        compression: Compression = "gzip",
        event_types: str = "event_types",
        options: Mapping[str, str] | None = None,
    ) -> None:
        wrong = path_problem(path)
        refuse_options(
            {
                _URI_RULE: not _is_address(uri),
                wrong: bool(wrong),
                f"format must be one of: {', '.join(get_args(Format))}": format
                not in get_args(Format),
                f"compression must be one of: {', '.join(get_args(Compression))}": compression
                not in get_args(Compression),
                "event_types must be a directory of its own, without fields": bool(
                    path_problem(event_types)
                )
                or "{" in event_types
                or (not wrong and Layout(path).root == event_types),
            }
        )
        self._layout = Layout(path)
        self._types_in = event_types
        self._drafting = Drafting(self._layout, format, compression, event_types)
        address = uri if "://" in uri else Path(uri).absolute().as_uri()
        self._client = Client(address, options or {})
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._drafts = Drafts()
        # Made with the first event: those that are older may be in the store.
        self._looking: Looking | None = None

    def probe(self, timeout: float, /) -> str:
        """Return that the store lists its objects.

        Raises:
            EventTrackingError: it cannot be reached, or refuses.
        """
        finish(self._client.list_keys(self._types_in, timeout))
        return "the store answers"

    async def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:  # noqa: ASYNC109  its signature
        """Store events that are not stored yet; `timeout` is in seconds.

        Raises:
            BatchError: some events are not stored, or never will be.
            RetryableError: nothing is known to be stored, and all may be tried again.
        """
        deadline = monotonic() + timeout
        batch, failures = batch_of(events)
        errors = await self._store(batch, deadline)
        if errors:
            ids = zip(batch.indexes, batch.ids, strict=True)
            failures |= {index: errors[each] for index, each in ids if each in errors}
        if not failures:
            return
        first = next(iter(failures.values()))
        if len(failures) == len(events) and isinstance(first, RetryableError):
            raise first
        raise BatchError(failures)

    def save_event_type(self, record: EventType) -> None:
        """Store an event-type record, unless its id is already stored.

        Raises:
            RetryableError: it was not stored; a later attempt may succeed.
        """
        key = f"{self._types_in}/{record.id}.json"
        data = json.dumps(record.to_dict()).encode()
        (error,) = finish(self._client.create([(key, data)], SAVE_TIMEOUT))
        if error is not None:
            raise RetryableError(str(error))
        self._drafting.add_event_type(record)

    def shutdown(self, timeout: float) -> bool:  # noqa: ARG002  closing waits for no one
        """Forget the store; the next event opens it again."""
        self._client.close()
        return True

    async def _store(self, batch: Batch, deadline: float) -> dict[str, Exception]:
        """Store events; return the errors of those that are not stored, by id."""
        if self._owner != os.getpid():
            self._reset()
        if self._looking is None:
            self._looking = Looking(self._client)
        errors: dict[str, Exception] = {}
        sent = frozenset(batch.ids)
        drafts, places = self._drafts.sorted(batch.ids, sent)
        drafts += await self._drafting.drafts(
            batch, places, self._client, self._looking, deadline=deadline, errors=errors
        )
        while drafts:
            self._drafts.add(drafts)
            objects = [(draft.key, draft.data) for draft in drafts]
            results = await self._client.create(objects, deadline - monotonic())
            rejected = []
            for draft, error in zip(drafts, results, strict=True):
                if error is None:
                    self._drafts.written(draft, sent)
                    continue
                if isinstance(error, RejectedError):
                    self._drafts.forget(draft)
                    if len(draft.ids) > 1:
                        rejected.append(draft)
                        continue
                errors |= {each: error for each in draft.ids if each in sent}
            drafts = [half for draft in rejected for half in self._drafting.halves(draft, errors)]
        return errors


def _is_address(uri: str) -> bool:
    """Return whether a store or a directory may be at an address."""
    scheme, is_address, _ = uri.partition("://")
    return bool(uri) and (not is_address or scheme in SCHEMES)
