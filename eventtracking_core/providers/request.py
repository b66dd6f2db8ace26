"""The context provider `request`: fields of the current HTTP request in every event."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Final, Literal, get_args

from eventtracking_core.contexts.request import Request, current
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = ["FALLBACK", "RequestProvider"]

Field = Literal[
    "method",
    "path",
    "route",
    "user_id",
    "anonymous_id",
    "session",
    "ip",
    "agent",
    "referer",
    "host",
    "request_id",
    "accept_language",
]
Names = Literal["short", "opentelemetry"]
AddressForm = Literal["network", "full"]

DEFAULT_FIELDS: Final[tuple[Field, ...]] = (
    "method",
    "path",
    "route",
    "user_id",
    "anonymous_id",
    "ip",
    "request_id",
)

_OPENTELEMETRY: Final = {
    "method": "http.request.method",
    "path": "url.path",
    "route": "http.route",
    "user_id": "user.id",
    "anonymous_id": "user.anonymous_id",
    "session": "session.id",
    "ip": "client.address",
    "agent": "user_agent.original",
    "referer": "http.request.header.referer",
    "host": "server.address",
    "request_id": "http.request.header.x-request-id",
    "accept_language": "http.request.header.accept-language",
}
_HEADERS: Final = {
    "agent": "user-agent",
    "referer": "referer",
    "request_id": "x-request-id",
    "accept_language": "accept-language",
}
_PORT: Final = re.compile(r"^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$")
"""An address with a port, as some proxies write it; IPv6 is in brackets then."""

_MAX_ADDRESS: Final = 128
"""Characters of an address with a port and a zone that are looked at."""

_MAX_LENGTH: Final = 1024
"""Characters of a field that are kept where the client chooses it."""


class RequestProvider:
    """Adds fields of the current HTTP request to events; none outside of a request.

    It needs one of the middlewares of eventtracking-web or eventtracking-django. The query string,
    cookies and the body are never added.

    Args:
        fields: what to add: `method`, `path`, `route`, `user_id`, `anonymous_id`, `session`, `ip`,
            `agent`, `referer`, `host`, `request_id`, `accept_language`.
        names: `short` uses these words, as event-tracking does; `opentelemetry` uses the names of
            its semantic conventions, such as `http.request.method`.
        address: `network` keeps the network of the client's address (/24 of IPv4, /48 of IPv6),
            `full` all of it.
        trusted_proxies: how many proxies in front of the application append to `X-Forwarded-For`.
            With 0 that header is ignored, since clients can send it too.

    Raises:
        ValueError: a field is unknown, or `trusted_proxies` is negative.
    """

    def __init__(
        self,
        fields: tuple[Field, ...] = DEFAULT_FIELDS,
        names: Names = "short",
        address: AddressForm = "network",
        trusted_proxies: int = 0,
    ) -> None:
        unknown = sorted(set(fields) - _OPENTELEMETRY.keys())
        if unknown:
            known = ", ".join(sorted(_OPENTELEMETRY))
            raise ValueError(f"fields has unknown names (expected some of: {known})")
        if names not in get_args(Names):
            raise ValueError("names must be short or opentelemetry")
        if address not in get_args(AddressForm):
            raise ValueError("address must be network or full")
        if trusted_proxies < 0:
            raise ValueError("trusted_proxies must not be negative")
        self._is_full = address == "full"
        self._trusted_proxies = trusted_proxies
        self._readers = [
            (_OPENTELEMETRY[field] if names == "opentelemetry" else field, self._reader(field))
            for field in fields
        ]

    def __call__(self) -> Mapping[str, Any]:
        """Return the fields of the current request that have a value."""
        request = current.get()
        if request is None:
            return {}
        request.is_described = True
        return self.describe(request)

    def describe(self, request: Request) -> dict[str, Any]:
        """Return the fields of a request that have a value."""
        values: dict[str, Any] = {}
        for name, read in self._readers:
            try:
                value = read(request)
            except Exception as error:  # noqa: BLE001  the other fields matter all the same
                pass_on(error)
                message = "the field %s of the request failed: %s"
                report(ERROR, (name, type(error)), message, name, error, provider="request")
                continue
            if value is not None and value != "":
                values[name] = value
        return values

    def _reader(self, field: str) -> Callable[[Request], object]:
        if field in _HEADERS:
            header = _HEADERS[field]
            return lambda request: (request.header(header) or "")[:_MAX_LENGTH]
        special: dict[str, Callable[[Request], object]] = {
            "ip": self._address,
            "path": lambda request: request.path[:_MAX_LENGTH],
            "route": lambda request: request.route(),
            "session": lambda request: request.session(),
            "user_id": lambda request: request.user(),
        }
        return special.get(field) or (lambda request: (getattr(request, field) or "")[:_MAX_LENGTH])

    def _address(self, request: Request) -> str | None:
        text = request.address
        if self._trusted_proxies:
            forwarded = _addresses(request.header("x-forwarded-for"))
            # The last proxy appended the address before it, and so on: what is further left is
            # only what the client said.
            if len(forwarded) >= self._trusted_proxies:
                text = forwarded[-self._trusted_proxies]
        full, network = _parsed((text or "")[:_MAX_ADDRESS])
        return full if self._is_full else network


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[str | None, str | None]:
    """Return an address and that of its network; None twice if the text is no address."""
    try:
        address = ip_address(_PORT.sub(r"\1\2", text).partition("%")[0])
    except ValueError:  # a socket of the file system, or a name
        return None, None
    address = getattr(address, "ipv4_mapped", None) or address
    prefix = 24 if address.version == 4 else 48  # noqa: PLR2004  IP's versions
    return str(address), str(ip_network((address, prefix), strict=False).network_address)


def _addresses(header: str | None) -> list[str]:
    return [part.strip() for part in (header or "").split(",") if part.strip()]


class _Fallback(RequestProvider):
    """Describes requests that no configured provider describes."""

    def __call__(self) -> Mapping[str, Any]:
        request = current.get()
        return {} if request is None or request.is_described else self.describe(request)


FALLBACK: Final = _Fallback()
"""The provider that a middleware adds, so that events have a request without configuration."""
