"""An adapter for requests that enforces a deadline, also through proxies."""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from eventtracking_core.http.connection import DeadlineConnection

__all__ = ["DeadlineAdapter"]


class _Plain(DeadlineConnection, HTTPConnection):
    pass


class _Secure(DeadlineConnection, HTTPSConnection):
    pass


class DeadlineAdapter(HTTPAdapter):
    """Uses connections that enforce the deadline of `set_deadline`."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """Return the pool of a host."""
        pool: HTTPConnectionPool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
        return pool
