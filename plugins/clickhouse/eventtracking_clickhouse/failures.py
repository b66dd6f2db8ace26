"""Translate the errors of ClickHouse into the framework's.

Their own texts contain values and addresses, so ours name only a code.
"""

from __future__ import annotations

import re
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from eventtracking_core import EventTrackingError, RejectedError, RetryableError
from eventtracking_core.http.connection import cause

__all__ = ["failure", "is_missing"]

UNKNOWN_TABLE: Final = 60

_CODE: Final = re.compile(r"\b[Cc]ode:? (\d+)")

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_OF_THE_EVENTS: Final = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        131,  # TOO_LARGE_STRING_SIZE
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
        469,  # VIOLATED_CONSTRAINT
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)
_HINTS: Final = {
    16: "the table lacks a column: compare it with `eventtracking schema --for clickhouse`",
    UNKNOWN_TABLE: "the table does not exist: create it as `eventtracking schema --for clickhouse`"
    " shows, or set create = true",
    81: "the database does not exist",
    164: "the user may not change settings or data",
    202: "the server is busy",
    241: "the server lacks memory",
    242: "the table is read-only",
    243: "the server lacks disk space",
    252: "the table has too many parts",
    497: "check the rights of the user",
    516: "check user and password",
}


def failure(error: Exception) -> EventTrackingError:
    """Return the framework's error for one of the driver's or of the network's."""
    code = _code(error)
    if code is None:
        return RetryableError(
            f"ClickHouse: the connection failed, or took too long ({cause(error)})"
        )
    if code in _OF_THE_EVENTS:
        return RejectedError(f"ClickHouse rejects an event (code {code})")
    hint = _HINTS.get(code)
    return RetryableError(f"ClickHouse: code {code}{f'; {hint}' if hint else ''}")


def is_missing(error: Exception) -> bool:
    """Return whether a table does not exist."""
    return _code(error) == UNKNOWN_TABLE


def _code(error: Exception) -> int | None:
    if not isinstance(error, ClickHouseError):
        return None
    match = _CODE.search(str(error))
    return int(match[1]) if match else None
