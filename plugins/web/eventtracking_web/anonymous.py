"""A first-party cookie that gives anonymous visitors a stable id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

__all__ = ["AnonymousCookie"]

_MAX_AGE: Final = 365 * 24 * 3600
"""Seconds."""

_NAME: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
_ID: Final = re.compile(r"[0-9a-f]{32}")


class AnonymousCookie:
    """Reads the cookie of a visitor, and makes one for a new visitor.

    Args:
        name: the cookie's name.

    Raises:
        ValueError: the name has other characters than letters, digits, `_` and `-`.
    """

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError("anonymous_cookie must consist of letters, digits, _ and -")
        self._name = name

    def read(self, header: str | None) -> tuple[str, bool]:
        """Return the visitor's id, and whether it is a new one."""
        # Cookies of others may be anything, such as JSON, which `http.cookies` refuses as a whole.
        for cookie in (header or "").split(";"):
            name, _, value = cookie.partition("=")
            visitor = value.strip(' "')
            if name.strip() == self._name and _ID.fullmatch(visitor):
                return visitor, False
        return uuid4().hex, True

    def value(self, visitor: str, *, is_secure: bool) -> str:
        """Return the value of a `Set-Cookie` header."""
        secure = "; Secure" if is_secure else ""
        return f"{self._name}={visitor}; Max-Age={_MAX_AGE}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def header(self, visitor: str, scope: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Return the header that sets the cookie, for an ASGI response."""
        value = self.value(visitor, is_secure=scope.get("scheme") in {"https", "wss"})
        return b"set-cookie", value.encode("ascii")
