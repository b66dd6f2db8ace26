"""The backend: batches of events become requests, and answers become outcomes of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, ClassVar, Final, Literal

import urllib3

from eventtracking_core import ByteSize, Event, RejectedError, RetryableError
from eventtracking_core.encoding import with_parts
from eventtracking_core.http.exchange import Answer, Exchange, send_in_parts
from eventtracking_http.answers import Failures
from eventtracking_http.options import Options
from eventtracking_http.requests import Requests

__all__ = ["HttpBackend"]

Format = Literal["array", "ndjson", "single"]

_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""Bytes that are read of an answer: outcomes by event may be long."""

_CONTENT: Final = frozenset({400, 413, 422})
"""Statuses that are about the content: parts of a request may fare better than the whole."""

_RETRYABLE: Final = frozenset({408, 425, 429, *range(500, 600)})
_SUCCESS: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)


class HttpBackend:
    """Sends events to an HTTP endpoint, in batches or one by one.

    A request that is refused for its content is sent again in halves, until the events to blame
    stand alone. Redirects are not followed.

    Args:
        url: the address; `{key}` in it is replaced by `key`.
        profile: options that suit a service: `posthog`, `amplitude`, `mixpanel`, `rudderstack`,
            `elasticsearch`, `loki`, `honeycomb` or `cloudevents`. Options that are given win.
        key: the service's key, which the profile puts where the service expects it.
        method: the request's method.
        format: `array` sends a JSON array of events, `ndjson` a line each, `single` one event a
            request.
        event: the form of an event, with placeholders such as `{context.user_id}`; the event as it
            is, if not given.
        action: with `ndjson`, the form of a line before each event.
        envelope: the form of the body around the events, which stand at `{events}`.
        headers: headers of each request; with `single` they may have placeholders.
        username: for basic authentication, with `password`.
        password: see `username`.
        token: for bearer authentication.
        secret: signs requests as Standard Webhooks says: base64, with or without `whsec_`.
        answer: where an answer with a successful status tells of failures: `status` nowhere,
            `items` as Elasticsearch does, `failed_records` as Mixpanel does.
        retry: further statuses, from 300 to 599, after which a request is sent again; 408, 425, 429
            and 5xx are.
        gzip: whether to compress requests.
        max_events: events of a request.
        max_bytes: bytes of a request, before compression.
        max_event_bytes: bytes of an event; a larger one is rejected. Without it, `max_bytes`.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(
        self,
        url: str,
        profile: str | None = None,
        key: str | None = None,
        *,
        method: Literal["POST", "PUT", "PATCH"] = "POST",
        format: Format | None = None,  # noqa: A002  the option's natural name
        event: Mapping[str, Any] | Sequence[Any] | str | None = None,
        action: Mapping[str, Any] | None = None,
        envelope: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        secret: str | None = None,
        answer: Literal["status", "items", "failed_records"] | None = None,
        retry: Sequence[int] = (),
        gzip: bool = False,
        max_events: int | None = None,
        max_bytes: ByteSize | None = None,
        max_event_bytes: ByteSize | None = None,
    ) -> None:
        options = Options.of(
            url,
            profile,
            key,
            retry,
            format=format,
            event=event,
            action=action,
            envelope=envelope,
            headers=headers,
            username=username,
            password=password,
            token=token,
            answer=answer,
            max_events=max_events,
            max_bytes=max_bytes,
            max_event_bytes=max_event_bytes,
        )
        self._requests = Requests(options, secret=secret, compresses=gzip)
        self.takes_json = self._requests.takes_json
        self._failures = options.read_answer
        self._retryable = _RETRYABLE | frozenset(retry)
        self._method = method
        self._exchange = Exchange(
            urllib3, options.url, server="the server", max_bytes=_ANSWER_BYTES
        )

    def probe(self, timeout: float, /) -> str:
        """Return what the server answers to a request without events and credentials.

        Raises:
            RetryableError: the server cannot be reached.
        """
        answer = self._exchange.send("HEAD", None, {}, timeout=timeout)
        return f"the server answers (status {answer.status})"

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Send events, in as many requests as the limits ask for.

        Args:
            events: any number of them.
            timeout: seconds, for all requests together.

        Raises:
            BatchError: some events failed, the others are delivered.
            RetryableError: nothing was delivered, and all may be tried again.
        """
        deadline = monotonic() + timeout
        events = with_parts(events)
        texts, failures = self._requests.encode_each(events)

        def send(part: list[int]) -> Failures | None:
            body, headers = self._requests.request(events, part, texts)
            left = deadline - monotonic()
            answer = self._exchange.send(self._method, body, headers, timeout=left)
            return self._outcome(answer, len(part))

        send_in_parts(len(events), self._requests.parts(texts), failures, send)

    def shutdown(self, _timeout: float) -> bool:
        """Close the connections; the next event opens new ones."""
        self._exchange.close()
        return True

    def _outcome(self, answer: Answer, count: int) -> Failures | None:
        """Return the failures of a request by index; None if it should be sent in halves.

        Raises:
            RetryableError: the whole request may be sent again.
        """
        if answer.status in self._retryable:
            raise RetryableError(
                f"the server answered with status {answer.status}", retry_after=answer.retry_after
            )
        if answer.status in _REDIRECT:
            raise RetryableError("the server answered with a redirect: check url")
        if answer.status in _SUCCESS:
            return self._failures(answer.body, count)
        if answer.status in _CONTENT:
            listed = self._listed(answer, count)
            if listed:
                return listed
            if count > 1:
                return None
        refusal = RejectedError(f"the server refused the event with status {answer.status}")
        return dict.fromkeys(range(count), refusal)

    def _listed(self, answer: Answer, count: int) -> Failures:
        try:
            return self._failures(answer.body, count)
        except RetryableError:  # it is no list of failures
            return {}
