"""The backend: batches of statements become requests, and answers become outcomes of events."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from time import monotonic
from typing import ClassVar, Final
from urllib.parse import urlencode, urlsplit

import urllib3

from eventtracking_core import ByteSize, Event, RejectedError, RetryableError
from eventtracking_core.encoding import encode_each
from eventtracking_core.http.exchange import Answer, Exchange, send_in_parts, split
from eventtracking_lrs.statements import contains, encoded, statement

__all__ = ["LrsBackend"]

_ANSWER_BYTES: Final = 1024 * 1024
"""Bytes that are read of an answer, so that its connection can be used again."""

_SUCCESS: Final = range(200, 300)
_RETRYABLE: Final = frozenset({401, 403, 404, 408, 425, 429, *range(300, 400), *range(500, 600)})
"""Statuses that an operator or time can mend: wrong credentials or addresses lose no statement."""


class LrsBackend:
    """Posts the xAPI statement in each event's data to a Learning Record Store, in batches.

    A statement without an id takes the event's, and one without a timestamp the event's, so a retry
    sends the same statement, which the store keeps once. A request that is refused for its content
    is sent again in halves, until the statements to blame stand alone.

    Args:
        url: the address of the xAPI endpoint, without `/statements`.
        username: for basic authentication, with `password`.
        password: see `username`.
        token: for bearer authentication.
        headers: further headers of each request.
        version: of xAPI.
        max_statements: statements of a request.
        max_bytes: bytes of a request; a statement that is larger alone is rejected.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        version: str = "1.0.3",
        max_statements: int = 100,
        max_bytes: ByteSize = 1024 * 1024,
    ) -> None:
        _check_url(url)
        if max_statements < 1 or max_bytes < 1:
            raise ValueError("max_statements and max_bytes must be positive")
        self._max_statements = max_statements
        self._max_bytes = max_bytes
        self._headers = {
            "Content-Type": "application/json",
            "X-Experience-API-Version": version,
            **_authorization(username, password, token),
            **(headers or {}),
        }
        self._exchange = Exchange(
            urllib3,
            f"{url.rstrip('/')}/statements",
            server="the store",
            max_bytes=_ANSWER_BYTES,
        )

    def probe(self, timeout: float, /) -> str:
        """Return that the store answers with these credentials.

        Raises:
            RetryableError: it cannot be reached, or refuses them.
        """
        answer = self._get({"limit": "1"}, timeout)
        if answer.status in _RETRYABLE:
            raise _refused(answer)
        return f"the store answers (status {answer.status})"

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Send statements, in as many requests as the limits ask for.

        Args:
            events: any number of them.
            timeout: seconds, for all requests together.

        Raises:
            BatchError: some events failed, the others are delivered.
            RetryableError: nothing was delivered, and all may be tried again.
        """
        deadline = monotonic() + timeout
        texts, failures = encode_each(events, self._encode)

        def send(part: list[int]) -> Mapping[int, Exception] | None:
            sent = [texts[index] for index in part]
            answer = self._post(sent, deadline - monotonic())
            if len(part) > 1:
                return {} if answer.status in _SUCCESS else None
            refusal = self._refusal(answer, sent[0], deadline)
            return {} if refusal is None else {0: refusal}

        parts = split(texts, size=self._max_bytes - 2, count=self._max_statements)
        send_in_parts(len(events), parts, failures, send)

    def shutdown(self, _timeout: float) -> bool:
        """Close the connections; the next event opens new ones."""
        self._exchange.close()
        return True

    def _encode(self, event: Event) -> bytes:
        text = encoded(statement(event))
        if len(text) + 2 > self._max_bytes:
            raise RejectedError("the statement is larger than max_bytes")
        return text

    def _post(self, texts: Sequence[bytes], timeout: float) -> Answer:
        answer = self._exchange.send(
            "POST", b"[" + b",".join(texts) + b"]", self._headers, timeout=timeout
        )
        if answer.status in _RETRYABLE:
            raise _refused(answer)
        body = answer.body.strip()
        if answer.status in _SUCCESS and body and not body.startswith(b"["):  # of a proxy, say
            raise RetryableError("the store answered without the ids of statements: check url")
        return answer

    def _get(self, query: Mapping[str, str], timeout: float) -> Answer:
        """Ask for statements."""
        return self._exchange.send(
            "GET", None, self._headers, timeout=timeout, query=urlencode(query)
        )

    def _refusal(self, answer: Answer, text: bytes, deadline: float) -> RejectedError | None:
        """Return why a statement is not stored; None if it is.

        Raises:
            RetryableError: the store does not say what it has.
        """
        if answer.status in _SUCCESS:
            return None
        if answer.status != HTTPStatus.CONFLICT:
            return RejectedError(f"the store refused the statement with status {answer.status}")
        sent = json.loads(text)
        lookup = self._get({"statementId": sent["id"]}, deadline - monotonic())
        try:
            stored: object = json.loads(lookup.body)
        except (ValueError, RecursionError):
            raise _refused(lookup) from None
        if contains(stored, sent):  # as after an answer that was lost
            return None
        return RejectedError("the store has another statement with this id")


def _refused(answer: Answer) -> RetryableError:
    reason = f"the store answered with status {answer.status}"
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        reason += ": check its credentials"
    elif answer.status == HTTPStatus.NOT_FOUND or answer.status < HTTPStatus.BAD_REQUEST:
        reason += ": check url"
    return RetryableError(reason, retry_after=answer.retry_after)


def _authorization(username: str | None, password: str | None, token: str | None) -> dict[str, str]:
    if (username is None) is not (password is None):
        raise ValueError("username and password go together")
    if token is not None and username is not None:
        raise ValueError("give either username and password, or token")
    if username is not None:
        pair = b64encode(f"{username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("url must be an address with http:// or https://")
    if parts.username or parts.password or parts.query:
        raise ValueError("url must have no credentials and no query: use username and password")
