"""Classify pymongo's errors: retry an event, or reject it.

pymongo's messages contain documents and addresses, so ours name only an error's type and code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import (
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.topology_description import TopologyDescription

from eventtracking_core import RejectedError, RetryableError

__all__ = [
    "UNAUTHORIZED",
    "explain",
    "failed_documents",
    "is_login_failure",
    "is_malformed",
]

# Codes of https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
DUPLICATE_KEY: Final = 11000

UNAUTHORIZED: Final = 13

LOGIN: Final = frozenset({18, 8000})  # AuthenticationFailed, and Atlas's own

MALFORMED: Final = frozenset(
    {
        15,  # Overflow: nested too deeply
        22,  # InvalidBSON
        10334,  # BSONObjectTooLarge
    }
)
"""Codes that reject a whole command because one of its documents cannot be read."""

TRANSIENT: Final = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        24,  # LockTimeout
        46,  # LockBusy
        50,  # MaxTimeMSExpired
        63,  # StaleShardVersion
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        133,  # FailedToSatisfyReadPreference
        189,  # PrimarySteppedDown
        262,  # ExceededTimeLimit
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11601,  # Interrupted
        11602,  # InterruptedDueToReplStateChange
        13388,  # StaleConfig
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        14031,  # OutOfDiskSpace
    }
)
"""Codes that reject one document because of the server's state, not the document's content."""


def is_login_failure(error: OperationFailure) -> bool:
    """Return whether the server rejected the user name or password."""
    return error.code in LOGIN


def is_malformed(error: PyMongoError) -> bool:
    """Return whether the server rejects a whole batch because it cannot read one document."""
    return isinstance(error, OperationFailure) and error.code in MALFORMED


def explain(error: PyMongoError, topology: TopologyDescription) -> RetryableError | RejectedError:
    """Return the error to raise for a whole batch.

    Errors that an operator can fix, such as wrong credentials, are retryable.

    Args:
        error: pymongo's error.
        topology: the client's view of the servers.
    """
    if isinstance(error, ServerSelectionTimeoutError):
        # After a failed login, pymongo leaves a server alone for a while.
        for server in topology.server_descriptions().values():
            if isinstance(server.error, OperationFailure):
                return _of_operation(server.error)
        return RetryableError("MongoDB: no primary server was found in time")
    if isinstance(error, OperationFailure):
        return _of_operation(error)
    kind = type(error).__name__
    if isinstance(error, ConnectionFailure):
        return RetryableError(f"MongoDB: the connection failed, or took too long ({kind})")
    return RetryableError(f"MongoDB: {kind}")


def _of_operation(error: OperationFailure) -> RetryableError | RejectedError:
    if is_malformed(error):
        return RejectedError(f"MongoDB cannot read a document of the batch (code {error.code})")
    if error.code == UNAUTHORIZED or is_login_failure(error):
        return RetryableError(
            f"MongoDB: not allowed (code {error.code}); check user, password, authSource and roles"
        )
    return RetryableError(f"MongoDB: {type(error).__name__}, code {error.code}")


def failed_documents(
    result: Mapping[str, Any] | None, positions: Sequence[int]
) -> dict[int, Exception]:
    """Return the errors of the documents that an unordered write did not store, by position.

    Args:
        result: pymongo's result of the write.
        positions: the position of each document's event in the batch.

    Raises:
        RetryableError: no document counts as stored.
    """
    result = result or {}
    failures: dict[int, Exception] = {}
    for refused in result.get("writeErrors", ()):
        if not _is_stored_already(refused):
            failures[positions[refused["index"]]] = _refusal(refused.get("code"))
    unmet = result.get("writeConcernErrors")
    if unmet:
        # Written, but not durably yet. A retry finds the duplicate, and waits for the same
        # acknowledgement.
        error = RetryableError(
            f"MongoDB: the write concern was not met (code {unmet[0].get('code')})"
        )
        if not failures:
            raise error
        return dict.fromkeys(positions, error) | failures
    return failures


def _is_stored_already(refused: Mapping[str, Any]) -> bool:
    if refused.get("code") != DUPLICATE_KEY:
        return False
    pattern = refused.get("keyPattern")
    if pattern is None:  # servers before 4.4 name the index only in the message
        return " index: _id_ " in refused.get("errmsg", "")
    return list(pattern) == ["_id"]


def _refusal(code: object) -> RetryableError | RejectedError:
    if code in TRANSIENT:
        return RetryableError(f"MongoDB: code {code}")
    if code == DUPLICATE_KEY:
        return RejectedError("another document has the same key in a unique index")
    return RejectedError(f"MongoDB rejects the event (code {code})")
