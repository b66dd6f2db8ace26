"""Post requests to Segment's batch endpoint.

The official client's `segment.analytics.request.post` is not used: it shares one session with
forked processes, its timeout applies to each read instead of the whole request, it repeats a
redirected POST as a GET that stores nothing, and it logs the body, including the write key. The
HTTP library, the endpoint, the format of the body and the authentication are the same as there.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final, NamedTuple

import requests
import urllib3

from eventtracking_core import RetryableError
from eventtracking_core.http.connection import cause, retry_after, set_deadline
from eventtracking_segment._deadlines import DeadlineAdapter

__all__ = ["MAX_OVERHEAD", "Answer", "Http"]

_LIBRARY: Final = "eventtracking-segment"
_VERSION: Final = version(_LIBRARY)
_TAIL: Final = (
    b'],"context":{"library":{"name":"%b","version":"%b"}},"sentAt":"%%b"}'
    % (_LIBRARY.encode(), _VERSION.encode())
)  # fmt: skip
_HEAD: Final = b'{"batch":['

MAX_OVERHEAD: Final = len(_HEAD) + len(_TAIL) + len("2026-09-12T12:55:00.123450+00:00")
"""Size of a request's body in bytes, without its messages and their commas."""

_ANSWER_BYTES: Final = 64 * 1024
"""Maximum bytes read from a response, so that its connection can be reused."""

_GZIP_LEVEL: Final = 1
"""A quarter of the time of level 9, for a quarter more bytes."""


class Answer(NamedTuple):
    """Segment's response to a request.

    Attributes:
        status: the HTTP status.
        retry_after: seconds to wait before the next request, if the response says so.
        is_error: whether the body reports an error, whatever the status.
    """

    status: int
    retry_after: float | None
    is_error: bool


class Http:
    """Posts batches; each process opens its own connections."""

    def __init__(self, *, compresses: bool) -> None:
        self._compresses = compresses
        # Any thread may replace it; if two threads do so at once, one instance is used only once.
        self._line: _Line | None = None

    def post(
        self, host: str, write_key: str, messages: Sequence[bytes], *, timeout: float
    ) -> Answer:
        """Post messages and return the response.

        Raises:
            RetryableError: there was no response in time.
        """
        body = b"".join(
            (_HEAD, b",".join(messages), _TAIL % datetime.now(UTC).isoformat().encode())
        )
        if self._compresses:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        with _retryable():
            response, content = self._opened(host, write_key).post(body, timeout)
        wait = retry_after(response.headers.get("Retry-After"))
        return Answer(response.status_code, wait, _is_error(content))

    @staticmethod
    def probe(host: str, timeout: float) -> str:
        """Return that the host answers, without its credentials.

        Raises:
            RetryableError: there is no answer, or none in time.
        """
        with _retryable(), requests.head(host, timeout=timeout, allow_redirects=False) as answer:
            return f"the host answers (status {answer.status_code})"

    def close(self) -> None:
        """Close the connections of this process; the next request opens new ones."""
        line, self._line = self._line, None
        if line is not None and line.owner == os.getpid():
            line.close()

    def _opened(self, host: str, write_key: str) -> _Line:
        line = self._line
        if (
            line is None
            or line.owner != os.getpid()  # its connections are the parent's too
            or line.target != (host, write_key)
        ):
            line = self._line = _Line(host, write_key, compresses=self._compresses)
        return line


class _Line:
    """The connections of one process to one address, and the state that its requests share.

    Without it, each request would look up proxies in the environment and prepare its address,
    headers and authentication again, which takes half of its time.
    """

    def __init__(self, host: str, write_key: str, *, compresses: bool) -> None:
        self.owner = os.getpid()
        self.target = (host, write_key)
        headers = {"Content-Type": "application/json", "User-Agent": f"{_LIBRARY}/{_VERSION}"}
        if compresses:
            headers["Content-Encoding"] = "gzip"
        url = f"{host.rstrip('/')}/v1/batch"
        self._request = requests.Request(
            "POST", url, headers=headers, auth=(write_key, "")
        ).prepare()
        with requests.Session() as session:
            self._settings = session.merge_environment_settings(url, {}, None, None, None)
        self._adapter = DeadlineAdapter()

    def post(self, body: bytes, timeout: float) -> tuple[requests.Response, bytes]:
        request = self._request.copy()
        request.prepare_body(body, None)
        set_deadline(timeout)
        # An adapter follows no redirects.
        response = self._adapter.send(
            request,
            stream=True,
            timeout=timeout,
            verify=self._settings["verify"],
            cert=self._settings["cert"],
            proxies=self._settings["proxies"],
        )
        with response:
            return response, response.raw.read(_ANSWER_BYTES, decode_content=True)

    def close(self) -> None:
        self._adapter.close()


@contextmanager
def _retryable() -> Iterator[None]:
    """Raise a `RetryableError` if there is no response, or none in time."""
    try:
        yield
    except requests.Timeout:
        raise RetryableError("Segment did not answer in time") from None
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
        # The error's own text contains the address, which may contain a password.
        raise RetryableError(
            f"Segment cannot be reached ({cause(error)}): check host and the network"
        ) from None


def _is_error(body: bytes) -> bool:
    """Return whether a body reports an error: in JSON, or as a page that Segment never sends."""
    if body.lstrip().startswith(b"<"):  # from a proxy, or a captive portal
        return True
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(content, dict):
        return False
    is_denied = content.get("success") is False or content.get("ok") is False
    return is_denied or bool(content.get("error") or content.get("errors"))
