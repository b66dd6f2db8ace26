"""Classify librdkafka's errors: retry an event, or reject it."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from eventtracking_core import EventTrackingError, RejectedError, RetryableError

__all__ = ["failure", "not_started"]

_OF_THE_EVENT: Final = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.POLICY_VIOLATION,
    }
)

_HINTS: Final = {
    KafkaError._AUTHENTICATION: "check username, password and mechanism",  # noqa: SLF001  its name
    KafkaError._RESOLVE: "unknown host; check servers",  # noqa: SLF001
    KafkaError._SSL: "check tls, ca and certificate",  # noqa: SLF001
    KafkaError._TRANSPORT: "no broker can be reached; check servers and tls",  # noqa: SLF001
}


def failure(error: KafkaError) -> EventTrackingError:
    """Return the framework's error for one of librdkafka's, whose text may hold an address."""
    name = error.name()
    if error.code() in _OF_THE_EVENT:
        return RejectedError(f"Kafka rejects the event ({name})")
    hint = _HINTS.get(error.code())
    return RetryableError(f"Kafka: {name}{f' ({hint})' if hint else ''}")


def not_started(error: KafkaException) -> RetryableError:
    """Return the error for a client that librdkafka does not make of its settings."""
    name = error.args[0].name()
    return RetryableError(f"librdkafka does not start ({name}): check ca, certificate, private_key")
