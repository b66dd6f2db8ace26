"""Messages in flight: one producer per process, and the outcome of each message.

A message that was not confirmed in time stays with the producer, which goes on sending it under the
same sequence number. So an event that is tried again is waited for, and not produced twice.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Confirmed

from eventtracking_core import RetryableError
from eventtracking_kafka.failures import failure
from eventtracking_kafka.messages import Message

__all__ = ["Producing", "Setting"]

Setting = str | int | float | bool

POLL: Final = 0.1
"""Seconds between two looks at the deadline."""

ANY_PARTITION: Final = -1
"""The one that the key, or chance, decides."""

MAX_CONFIRMED: Final = 100_000
"""Confirmations that are remembered for attempts that ended before."""


class _Open:
    """A producer of this process, and the events that it has."""

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self.process = os.getpid()
        self.error: KafkaError | None = None
        """The last one of the connection."""
        self.is_broken = False
        self.outcomes: dict[str, KafkaError | None] = {}
        """Of messages that were confirmed or failed, by the ids of their events."""
        self.unconfirmed: set[str] = set()
        self.producer = Producer({**settings, "error_cb": self._failed})
        # Destroying it waits for its threads, which a forked child does not have.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.producer))

    def close(self) -> None:
        """Destroy the producer, which can be done in its own process only."""
        self.producer.purge()
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(self.producer))
        # Now: its callback refers to this object, and a collection may be a forked child's.
        del self.producer

    def produce(self, message: Message) -> None:
        """Hand a message over; `outcomes` will have what became of it.

        Raises:
            KafkaException: it cannot be sent.
            BufferError: the producer has no room for it now.
        """
        event_id = message.event_id

        def told(error: KafkaError | None, _: Confirmed) -> None:
            self.unconfirmed.discard(event_id)
            if len(self.outcomes) >= MAX_CONFIRMED:
                self.outcomes.clear()
            self.outcomes[event_id] = error

        self.unconfirmed.add(event_id)
        try:
            self.producer.produce(  # by position: keywords take a third of its time
                message.topic,
                message.value,
                message.key,
                ANY_PARTITION,
                told,
                None,
                message.timestamp,
                message.headers,
            )
        except BaseException:
            self.unconfirmed.discard(event_id)
            raise

    def _failed(self, error: KafkaError) -> None:
        self.error = error
        self.is_broken |= error.fatal()


class Producing:
    """Sends messages, and waits until they are confirmed.

    Args:
        settings: of librdkafka.
    """

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self._settings = settings
        self._open: _Open | None = None

    def send(self, messages: Iterable[tuple[int, Message]], timeout: float) -> dict[int, Exception]:
        """Send messages; return the failures of those that are not confirmed in time.

        Each is handed over as it comes, so that librdkafka sends while others are made.
        """
        deadline = monotonic() + timeout
        opened = self._opened()
        failures: dict[int, Exception] = {}
        ids: dict[int, str] = {}
        for index, message in messages:
            ids[index] = message.event_id
            error = self._hand_over(opened, message, deadline)
            if error is not None:
                failures[index] = error
        wanted = set(ids.values())
        while not wanted.isdisjoint(opened.unconfirmed) and not opened.is_broken:
            left = deadline - monotonic()
            if left <= 0:
                break
            opened.producer.flush(min(POLL, left))  # unlike `poll`, it waits for no fuller batch
        late = RetryableError(f"Kafka: not confirmed in time{_because(opened.error)}")
        unconfirmed = wanted & opened.unconfirmed
        outcomes = {event_id: opened.outcomes.pop(event_id, None) for event_id in wanted}
        for index, event_id in ids.items():
            outcome = outcomes[event_id]
            if event_id in unconfirmed:
                failures.setdefault(index, late)
            elif outcome is not None:
                failures.setdefault(index, failure(outcome))
        if opened.is_broken:
            self._replace(opened)
        return failures

    def flush(self, timeout: float) -> bool:
        """Wait for all messages; return whether they were confirmed in time."""
        opened = self._open
        if opened is None or opened.process != os.getpid():
            return True
        return opened.producer.flush(max(timeout, 0)) == 0

    def close(self, timeout: float) -> bool:
        """Wait for all messages, and let the producer go; return whether they were confirmed."""
        is_done = self.flush(timeout)
        opened, self._open = self._open, None
        if opened is not None and opened.process == os.getpid():
            opened.close()
        return is_done

    def _hand_over(self, opened: _Open, message: Message, deadline: float) -> Exception | None:
        if message.event_id in opened.unconfirmed or message.event_id in opened.outcomes:
            return None
        while True:
            try:
                opened.produce(message)
            except BufferError:
                left = deadline - monotonic()
                if left <= 0:
                    return RetryableError(f"Kafka: no room{_because(opened.error)}")
                opened.producer.poll(min(POLL, left))
            except KafkaException as error:
                return failure(error.args[0])
            else:
                return None

    def _opened(self) -> _Open:
        opened = self._open
        if opened is None or opened.process != os.getpid():
            try:
                opened = self._open = _Open(self._settings)
            except KafkaException as error:
                text = f"librdkafka refuses the settings ({error.args[0].name()}): check extra"
                raise RetryableError(text) from None
        return opened

    def _replace(self, opened: _Open) -> None:
        """Begin again with a new producer: this one can send nothing more."""
        if self._open is opened:
            self._open = None
            opened.close()


def _because(error: KafkaError | None) -> str:
    return "" if error is None else f" ({error.name()})"
