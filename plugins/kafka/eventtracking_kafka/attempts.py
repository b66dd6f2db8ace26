"""The messages of one attempt, and how the outcome of each is found out.

librdkafka calls back for failures only, and drops a message's callback once its outcome is known:
a message whose callback is gone and was not called is confirmed.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import ref

from confluent_kafka import KafkaError
from confluent_kafka import Message as Confirmed

__all__ = ["Attempt", "Unconfirmed"]

Errors = dict[int, KafkaError]
"""Failures of an attempt's messages, by the indexes of their events."""


class _Callback:
    """The callback of a message; it lives as long as librdkafka has the message."""

    __slots__ = ("__weakref__", "_errors", "_index")

    def __init__(self, errors: Errors, index: int) -> None:
        self._errors = errors
        self._index = index

    def __call__(self, error: KafkaError | None, _: Confirmed) -> None:
        if error is not None:
            self._errors[self._index] = error


class Unconfirmed(NamedTuple):
    """A message whose attempt ended before its outcome was known."""

    callback: ref[_Callback]
    errors: Errors
    number: int
    """The index that its event had."""

    @property
    def is_pending(self) -> bool:
        """Whether its outcome is still unknown."""
        return self.callback() is not None

    @property
    def error(self) -> KafkaError | None:
        """Why it failed; None if it did not, or is pending."""
        return self.errors.get(self.number)


class Attempt:
    """The messages of a batch that are handed over together."""

    def __init__(self) -> None:
        self.errors: Errors = {}
        self.callbacks: list[_Callback] = []
        """By the indexes of events; another attempt uses them again if this one ends in time."""
        self.sent: dict[str, int] = {}
        """The indexes of events that were handed over, by their ids."""
        self.known: dict[int, str] = {}
        """The ids of events that had been handed over already, by their indexes."""
        self.refused: dict[int, Exception] = {}
        """Why events were not handed over, by their indexes."""

    def begin(self, size: int) -> None:
        """Forget the messages before, and be ready for so many events."""
        for each in (self.errors, self.sent, self.known, self.refused):
            each.clear()
        self.callbacks += [_Callback(self.errors, n) for n in range(len(self.callbacks), size)]

    def end(self) -> dict[str, Unconfirmed]:
        """Leave the callbacks to librdkafka alone; return the messages by the ids of events."""
        messages = {
            event_id: Unconfirmed(ref(self.callbacks[index]), self.errors, index)
            for event_id, index in self.sent.items()
        }
        self.callbacks.clear()
        return messages
