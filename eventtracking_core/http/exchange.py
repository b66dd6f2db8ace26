"""Requests over HTTP that end in time, and batches that are sent in parts.

For backends that use urllib3, which they pass: the core does not depend on it.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from eventtracking_core.errors import BatchError, RetryableError
from eventtracking_core.http.connection import DeadlineConnection, cause, retry_after, set_deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import ModuleType

__all__ = ["Answer", "Exchange", "pool_manager", "send_in_parts", "split"]


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


class Exchange:
    """Sends requests to one address, on connections that each process opens for itself.

    Proxies are those of the environment.

    Args:
        urllib3: the library.
        url: the address.
        server: what errors call the other side.
        max_bytes: bytes that are read of an answer: an endless one must end.
    """

    def __init__(self, urllib3: ModuleType, url: str, *, server: str, max_bytes: int) -> None:
        self._urllib3 = urllib3
        self._url = url
        self._server = server
        self._max_bytes = max_bytes
        self._pool: tuple[int, Any] | None = None

    def send(
        self,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        timeout: float,
        query: str = "",
    ) -> Answer:
        """Send a request, and return the answer. Redirects are not followed.

        Args:
            method: of HTTP.
            body: the content, if there is any.
            headers: of the request.
            timeout: seconds, for all of it.
            query: what follows the `?` in the address.

        Raises:
            RetryableError: there was no answer within `timeout` seconds.
        """
        if timeout <= 0:
            raise RetryableError(f"there was no time left to send a request to {self._server}")
        set_deadline(timeout)
        try:
            response = self._opened().request(
                method,
                f"{self._url}?{query}" if query else self._url,
                body=body,
                headers=dict(headers),
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            text = self._read(response)
        except (OSError, ValueError, self._urllib3.exceptions.HTTPError) as error:
            if self._is_late(error):
                raise RetryableError(f"{self._server} did not answer in time") from None
            # The error itself shows the address, which may hold a secret.
            advice = "check its address and the network"
            message = f"{self._server} cannot be reached ({cause(error)}): {advice}"
            raise RetryableError(message) from None
        return Answer(response.status, text, retry_after(response.headers.get("Retry-After")))

    def close(self) -> None:
        """Close the connections of this process; the next request opens new ones."""
        pool, self._pool = self._pool, None
        if pool is not None and pool[0] == os.getpid():
            pool[1].clear()

    def _is_late(self, error: Exception) -> bool:
        # urllib3 counts a refused connection and an unknown host as timeouts.
        errors = self._urllib3.exceptions
        late = isinstance(error, TimeoutError | errors.TimeoutError)
        return late and not isinstance(error, errors.NewConnectionError)

    def _opened(self) -> Any:
        pool = self._pool
        if pool is None or pool[0] != os.getpid():  # a parent's connections are the parent's
            parts = urlsplit(self._url)
            manager = pool_manager(self._urllib3, parts.scheme, parts.hostname or "")
            pool = self._pool = os.getpid(), manager
        return pool[1]

    def _read(self, response: Any) -> bytes:
        text = b""
        # The status is the decision: what is wrong with the rest of the answer changes nothing.
        with suppress(OSError, self._urllib3.exceptions.HTTPError):
            text = response.read(self._max_bytes, decode_content=True)
        if len(text) < self._max_bytes:
            response.release_conn()
        else:
            response.close()
        return text


def pool_manager(urllib3: ModuleType, scheme: str, host: str, *, connections: int = 1) -> Any:
    """Return a `PoolManager` whose connections keep the deadline of `http.set_deadline`.

    Args:
        urllib3: the library.
        scheme: `http` or `https`.
        host: the server; the environment may name a proxy for it.
        connections: idle connections, at most.
    """
    proxy = None if proxy_bypass(host) else getproxies().get(scheme)
    manager = (
        urllib3.ProxyManager(proxy, maxsize=connections)
        if proxy
        else urllib3.PoolManager(maxsize=connections)
    )
    manager.pool_classes_by_scheme = {
        each: _with_deadlines(pool) for each, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


def _with_deadlines(pool: type[Any]) -> type[Any]:
    """Return a class of connection pools whose connections keep the deadline."""
    connection = type(pool.ConnectionCls.__name__, (DeadlineConnection, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def split(texts: Mapping[int, bytes], *, size: int, count: int) -> Iterator[list[int]]:
    """Yield the indexes of encoded events that go into one request each.

    Args:
        texts: the events, by their index in a batch.
        size: bytes of a request, at most, with one between two events.
        count: events of a request, at most.
    """
    part: list[int] = []
    part_size = 0
    for index, text in texts.items():
        is_full = part_size + len(text) + 1 > size or len(part) == count
        if part and is_full:
            yield part
            part, part_size = [], 0
        part.append(index)
        part_size += len(text) + 1
    if part:
        yield part


def send_in_parts(
    count: int,
    parts: Iterable[list[int]],
    failures: Mapping[int, Exception],
    send: Callable[[list[int]], Mapping[int, Exception] | None],
) -> None:
    """Send a batch in parts; halve a part until the events to blame stand alone.

    Args:
        count: events in the batch.
        parts: the indexes of the events that go into one request each.
        failures: by index, of the events in no part.
        send: sends a part; returns failures by index in the part, or None to halve it.

    Raises:
        BatchError: some events failed, the others are delivered.
        RetryableError: nothing was delivered, and all may be tried again.
    """
    failed = dict(failures)
    pending = deque(parts)
    while pending:
        part = pending.popleft()
        try:
            part_failures = send(part)
        except RetryableError as error:
            unsent = [*part, *chain.from_iterable(pending)]
            if len(unsent) == count:
                raise
            failed |= dict.fromkeys(unsent, error)
            break
        if part_failures is None:
            middle = len(part) // 2
            pending.extendleft((part[middle:], part[:middle]))
        else:
            failed |= {part[index]: error for index, error in part_failures.items()}
    if failed:
        raise BatchError(failed)
