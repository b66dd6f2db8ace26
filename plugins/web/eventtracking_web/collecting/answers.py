"""The answers of the endpoint."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import NamedTuple

import msgspec

__all__ = ["Answer", "RefusedError"]


class Answer(NamedTuple):
    """A status, headers and a body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def line(self) -> str:
        """The status with its phrase, as WSGI wants it."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @classmethod
    def of(cls, status: int, value: object, headers: list[tuple[str, str]]) -> Answer:
        """Return an answer in JSON."""
        body = msgspec.json.encode(value)
        typed = [("content-type", "application/json"), ("content-length", str(len(body)))]
        return cls(status, [*typed, ("x-content-type-options", "nosniff"), *headers], body)


class RefusedError(Exception):
    """A request is refused.

    Args:
        status: of the response.
        message: says why; never a value of the request.
        retry_after: seconds after which the request may be sent again.
    """

    def __init__(self, status: int, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers: list[tuple[str, str]] = []
        if retry_after is not None:
            self.headers.append(("retry-after", str(max(1, ceil(retry_after)))))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.headers.append(("allow", "POST, OPTIONS"))

    def answer(self, headers: list[tuple[str, str]]) -> Answer:
        """Return the answer."""
        return Answer.of(self.status, {"error": str(self)}, [*self.headers, *headers])
