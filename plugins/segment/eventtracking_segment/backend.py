"""The Segment backend: sends batches of messages, and classifies each event's outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import ClassVar, Final
from urllib.parse import urlsplit

from segment import analytics  # type: ignore[import-untyped]
from segment.analytics.consumer import BATCH_SIZE_LIMIT  # type: ignore[import-untyped]

from eventtracking_core import Event, EventTrackingError, RejectedError, RetryableError
from eventtracking_core.http.exchange import send_in_parts, split
from eventtracking_segment._http import MAX_OVERHEAD, Answer, Http
from eventtracking_segment._messages import Messages

__all__ = ["SegmentBackend"]

DEFAULT_HOST: Final = "https://api.segment.io"
MAX_MESSAGES: Final = 2500
"""Segment's limit for a request."""

# Statuses about a request's content: part of the batch may succeed.
_CONTENT: Final = frozenset({400, 413, 422})
_PASSING: Final = frozenset({408, 429, *range(500, 600)})
_REDIRECTS: Final = range(300, 400)
_SUCCESSES: Final = range(200, 300)
_HINTS: Final = {401: ": check the write key", 403: ": check the write key", 404: ": check host"}


class UnacknowledgedError(EventTrackingError):
    """A successful status with an error in the body: the event or Segment may be at fault.

    So it is neither retryable nor rejected: the framework retries the batch, then splits it.
    """


class SegmentBackend:
    """Sends events to Segment, as `track`, `identify` or `page` calls.

    The event's id is the call's `messageId`, so Segment counts a retried event once. The whole
    event becomes the call's `properties`. `agent`, `client_id`, `host`, `ip`, `page`, `path` and
    `referer` (or `referrer`) of the event's context become Segment's context.

    Args:
        write_key: the write key of the source in Segment; by default `segment.analytics.write_key`
            at the time of sending.
        host: the address to send to; by default `segment.analytics.host`, or else Segment's own.
        gzip: whether to compress requests.
        user_id_field: the dotted event field with the call's `userId`.
        anonymous_id_field: the one with its `anonymousId`; an event needs one of the two.
        identify_events: names of the events to send as `identify` calls, with their data as traits.
        page_events: names of the events to send as `page` calls.

    Raises:
        ValueError: an option is invalid; the message names it.
    """

    default_delivery: ClassVar[str] = "queue"
    takes_json: ClassVar[bool] = True

    def __init__(
        self,
        write_key: str | None = None,
        host: str | None = None,
        *,
        gzip: bool = False,
        user_id_field: str = "context.user_id",
        anonymous_id_field: str = "context.anonymous_id",
        identify_events: Sequence[str] = (),
        page_events: Sequence[str] = (),
    ) -> None:
        if write_key is not None and not _is_key(write_key):
            raise ValueError("write_key must be the write key of a source in Segment")
        if host is not None and not _is_address(host):
            raise ValueError(f"host must be an address such as {DEFAULT_HOST}")
        self._write_key = write_key
        self._host = host
        self._messages = Messages(
            user_id_field=user_id_field,
            anonymous_id_field=anonymous_id_field,
            identify_events=identify_events,
            page_events=page_events,
        )
        self._http = Http(compresses=gzip)

    def review(self) -> Iterator[str]:
        """Yield a warning if there is no write key yet."""
        if not _is_key(self._write_key or analytics.write_key):
            yield (
                "has no write_key: nothing is delivered unless the application sets"
                " segment.analytics.write_key"
            )

    def probe(self, timeout: float, /) -> str:
        """Return what Segment's host answers; the write key is not sent.

        Raises:
            RetryableError: the host cannot be reached.
        """
        return self._http.probe(self._host or analytics.host or DEFAULT_HOST, timeout)

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Send events, in as many requests as Segment's limits require.

        A request that Segment rejects for its content is split into halves and sent again, until
        the invalid events are alone.

        Args:
            events: any number of events.
            timeout: seconds for all requests together.

        Raises:
            BatchError: the listed events failed, the others are delivered. An event is rejected if
                it has no user, is larger than 32 KiB, or is rejected by Segment. It is retryable
                if Segment could not be reached or asks for a retry (408, 429, 5xx).
            RetryableError: nothing was delivered, and all events can be retried; also while there
                is no write key.
            UnacknowledgedError: Segment answered with a successful status and an error.
        """
        deadline = monotonic() + timeout
        messages, failures = self._messages.encode_all(events)

        def send(part: list[int]) -> Mapping[int, Exception] | None:
            answer = self._post([messages[index] for index in part], deadline - monotonic())
            if answer.status in _CONTENT and len(part) > 1:
                return None
            if answer.status not in _SUCCESSES:
                return dict.fromkeys(range(len(part)), _refusal(answer))
            if answer.is_error and len(part) == len(events):
                raise UnacknowledgedError(_denial(answer))
            if answer.is_error:  # sent alone in the next attempt
                return dict.fromkeys(range(len(part)), RetryableError(_denial(answer)))
            return {}

        parts = split(messages, size=BATCH_SIZE_LIMIT - MAX_OVERHEAD, count=MAX_MESSAGES)
        send_in_parts(len(events), parts, failures, send)

    def shutdown(self, _timeout: float) -> bool:
        """Close the connections; the next event opens new ones."""
        self._http.close()
        return True

    def _post(self, messages: Sequence[bytes], timeout: float) -> Answer:
        if timeout <= 0:
            raise RetryableError("no time left to send the event")
        write_key = self._write_key or analytics.write_key
        if not _is_key(write_key):
            raise RetryableError(
                "there is no write key: set the option write_key, or segment.analytics.write_key"
            )
        host = self._host or analytics.host or DEFAULT_HOST
        answer = self._http.post(host, write_key, messages, timeout=timeout)
        if answer.status in _PASSING:
            raise RetryableError(
                f"Segment answered with status {answer.status}", retry_after=answer.retry_after
            )
        if answer.status in _REDIRECTS:
            raise RetryableError("Segment answered with a redirect: check host")
        return answer


def _is_key(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _is_address(host: str) -> bool:
    try:
        parts = urlsplit(host)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _refusal(answer: Answer) -> RejectedError:
    hint = _HINTS.get(answer.status, "")
    return RejectedError(f"Segment rejected the event with status {answer.status}{hint}")


def _denial(answer: Answer) -> str:
    return f"Segment answered with status {answer.status}, but with an error in the body"
