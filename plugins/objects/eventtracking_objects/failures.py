"""Translate the errors of obstore into the framework's.

Their own texts contain addresses, keys and answers of servers, so ours name only a code.
"""

from __future__ import annotations

import re
from typing import Final

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from eventtracking_core import EventTrackingError, RejectedError, RetryableError

__all__ = ["DeniedError", "failure"]

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_OF_THE_OBJECT: Final = frozenset({"EntityTooLarge", "KeyTooLongError", "RequestBodyTooLarge"})
TOO_LARGE: Final = "413"
NOT_FOUND: Final = "404"
FORBIDDEN: Final = frozenset({"401", "403"})


class DeniedError(RetryableError):
    """The store refuses the credentials, or this kind of request with them."""


def failure(error: Exception) -> EventTrackingError:
    """Return the framework's error for one of obstore's."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    number = status[1] if status else ""
    name = code[1] if code else ""
    detail = " ".join(part for part in (number and f"status {number}", name) if part)
    if number == TOO_LARGE or name in _OF_THE_OBJECT:
        return RejectedError(f"the store rejects an object ({detail})")
    denied = PermissionDeniedError | UnauthenticatedError | PermissionError
    if isinstance(error, denied) or number in FORBIDDEN:
        return DeniedError(
            f"the store refuses the request ({detail or 'no rights'}); check credentials and rights"
        )
    if isinstance(error, FileNotFoundError) or number == NOT_FOUND:
        return RetryableError(f"there is no such bucket or directory ({detail or 'not found'})")
    if detail:
        return RetryableError(f"the store failed ({detail})")
    if not isinstance(error, BaseError | OSError):
        return RetryableError(f"the store failed ({type(error).__name__})")
    return RetryableError("the store cannot be reached, or did not answer")
