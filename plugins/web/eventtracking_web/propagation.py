"""Contexts that cross services in HTTP headers, optionally signed."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Final, Protocol, TypeVar

from eventtracking_core import Tracker, get_tracker
from eventtracking_core.contexts import CARRIED_KEYS, extract, inject
from eventtracking_core.contexts.propagation import CONTEXT_HEADER

__all__ = ["SIGNATURE_HEADER", "Propagation", "inject_request"]

SIGNATURE_HEADER: Final = "eventtracking-signature"


class _HasHeaders(Protocol):
    @property
    def headers(self) -> MutableMapping[str, str]: ...


R = TypeVar("R", bound=_HasHeaders)


class Propagation:
    """Which fields of a context travel between services, and how they are authenticated.

    The trace travels beside them, as OpenTelemetry is configured to propagate it.

    Args:
        keys: the fields that travel; 4 KiB of them at most.
        secret: signs the header with HMAC-SHA256. With it, a header without a valid signature is
            ignored, so requests may come from anywhere.

    Raises:
        ValueError: the secret is empty.
    """

    def __init__(self, keys: Sequence[str] = CARRIED_KEYS, secret: str | None = None) -> None:
        self._keys = tuple(keys)
        if secret == "":
            raise ValueError("secret must not be empty: without one, use None")
        self._secret = None if secret is None else secret.encode()

    def inject(self, headers: MutableMapping[str, str], tracker: Tracker | None = None) -> None:
        """Write the current context and trace into the headers of a request."""
        carrier: dict[str, str] = {}
        inject(carrier, (tracker or get_tracker()).event_context(), self._keys)
        if self._secret is not None and CONTEXT_HEADER in carrier:
            carrier[SIGNATURE_HEADER] = self._signature(carrier[CONTEXT_HEADER])
        headers.update(carrier)

    @contextmanager
    def extract(self, tracker: Tracker, header: Callable[[str], str | None]) -> Iterator[None]:
        """Enter for a block what the headers of a request brought.

        Args:
            tracker: whose context is entered.
            header: returns a header's value by its lower-case name, or None.
        """
        from opentelemetry.propagate import get_global_textmap  # noqa: PLC0415  when it is used

        names = (CONTEXT_HEADER, *get_global_textmap().fields)
        carrier = {name: value for name in names if (value := header(name.lower())) is not None}
        if self._secret is not None and not self._is_signed(carrier, header(SIGNATURE_HEADER)):
            carrier.pop(CONTEXT_HEADER, None)
        with extract(carrier, self._keys, lambda values: tracker.context("carried", values)):
            yield

    def _signature(self, text: str) -> str:
        return "v1=" + hmac.new(self._secret or b"", text.encode(), sha256).hexdigest()

    def _is_signed(self, carrier: Mapping[str, str], signature: str | None) -> bool:
        expected = self._signature(carrier.get(CONTEXT_HEADER, ""))
        return hmac.compare_digest(expected.encode(), (signature or "").encode())


def inject_request(request: R) -> R:
    """Write the default tracker's context and the current trace into an outgoing request.

    It works as a hook of httpx, `httpx.Client(event_hooks={"request": [inject_request]})`, and as
    the `auth` of requests, `requests.get(url, auth=inject_request)`. For other fields or a secret,
    call `Propagation(…).inject(request.headers)`.

    Args:
        request: has a mapping `headers`.

    Returns:
        The same request.
    """
    Propagation().inject(request.headers)
    return request
