"""One request and its answer, on connections that each process opens for itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from eventtracking_core import RetryableError
from eventtracking_core.http import DeadlineConnection, cause, retry_after, set_deadline

__all__ = ["Answer", "Exchange"]

_ANSWER_BYTES: Final = 1024 * 1024
"""What is read of an answer, so that its connection can be used again."""


class Answer(NamedTuple):
    """The answer to a request.

    Attributes:
        status: the HTTP status.
        body: its first bytes.
        retry_after: seconds to wait before the next request, if the server names them.
    """

    status: int
    body: bytes
    retry_after: float | None


class _Plain(DeadlineConnection, HTTPConnection):
    pass


class _Secure(DeadlineConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class Exchange:
    """Sends requests to one address; proxies are those of the environment.

    Args:
        url: the address.
        headers: of each request.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = dict(headers)
        self._pool: tuple[int, urllib3.PoolManager] | None = None

    def post(self, body: bytes, *, timeout: float) -> Answer:
        """Post a body, and return the answer.

        Raises:
            RetryableError: there was no answer within `timeout` seconds.
        """
        return self._send("POST", self._url, body, timeout)

    def get(self, query: Mapping[str, str], *, timeout: float) -> Answer:
        """Ask for statements, and return the answer.

        Raises:
            RetryableError: there was no answer within `timeout` seconds.
        """
        return self._send("GET", f"{self._url}?{urlencode(query)}", None, timeout)

    def _send(self, method: str, url: str, body: bytes | None, timeout: float) -> Answer:
        set_deadline(timeout)
        try:
            response = self._opened().request(
                method,
                url,
                body=body,
                headers=self._headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            text = self._read(response)
        except (TimeoutError, urllib3.exceptions.TimeoutError):
            raise RetryableError("the store did not answer in time") from None
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            # The error itself shows the address.
            raise RetryableError(
                f"the store cannot be reached ({cause(error)}): check url and the network"
            ) from None
        return Answer(response.status, text, retry_after(response.headers.get("Retry-After")))

    def close(self) -> None:
        """Close the connections of this process; the next request opens new ones."""
        pool, self._pool = self._pool, None
        if pool is not None and pool[0] == os.getpid():
            pool[1].clear()

    def _opened(self) -> urllib3.PoolManager:
        pool = self._pool
        if pool is None or pool[0] != os.getpid():  # a parent's connections are the parent's
            pool = self._pool = os.getpid(), _pool_manager(self._url)
        return pool[1]

    @staticmethod
    def _read(response: urllib3.BaseHTTPResponse) -> bytes:
        text = b""
        # The status is the decision: what is wrong with the rest of the answer changes nothing.
        with suppress(OSError, urllib3.exceptions.HTTPError):
            text = response.read(_ANSWER_BYTES, decode_content=True)
        if len(text) < _ANSWER_BYTES:
            response.release_conn()
        else:
            response.close()
        return text


def _pool_manager(url: str) -> urllib3.PoolManager:
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    manager: Any = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    found: urllib3.PoolManager = manager
    return found
