"""Messages in flight: one producer per process, and the outcome of each message.

A message that was not confirmed in time stays with the producer, which goes on sending it under the
same sequence number. So an event that is tried again is waited for, and not produced twice.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection, Iterable, Mapping
from time import monotonic
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer

from eventtracking_core import RetryableError
from eventtracking_kafka.attempts import Attempt, Unconfirmed
from eventtracking_kafka.failures import failure, not_started
from eventtracking_kafka.messages import Message
from eventtracking_kafka.settings import FIXED, Setting

__all__ = ["Producing"]

POLL: Final = 0.1
"""Seconds between two looks at the deadline."""

ANY_PARTITION: Final = -1
"""The one that the key, or chance, decides."""

MAX_UNCONFIRMED: Final = 100_000
"""Messages of earlier attempts whose outcomes are remembered."""


class _Open:
    """A producer of this process, and the events that it has."""

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self.process = os.getpid()
        self.error: KafkaError | None = None
        """The last one of the connection."""
        self.is_broken = False
        self.idle: list[Attempt] = []
        """Attempts that ended in time."""
        self.unconfirmed: dict[str, Unconfirmed] = {}
        """Messages of the others, by the ids of their events."""
        self.producer = Producer({**settings, "error_cb": self._failed})
        # Destroying it waits for its threads, which a forked child does not have.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.producer))

    def close(self) -> None:
        """Destroy the producer, which can be done in its own process only."""
        self.producer.purge()
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(self.producer))
        # Now: its callback refers to this object, and a collection may be a forked child's.
        del self.producer

    def attempt(self, size: int) -> Attempt:
        """Return an attempt to send so many events; it is for one thread."""
        try:
            attempt = self.idle.pop()
        except IndexError:
            attempt = Attempt()
        attempt.begin(size)
        return attempt

    def hand_over(self, messages: Iterable[Message], attempt: Attempt, deadline: float) -> None:
        """Hand messages over, except those that the producer has already."""
        callbacks, sent, unconfirmed = attempt.callbacks, attempt.sent, self.unconfirmed
        produce = self.producer.produce
        for index, event_id, topic, value, key, headers, timestamp in messages:
            if event_id in sent or event_id in unconfirmed:
                attempt.known[index] = event_id
                continue
            while True:
                try:
                    # By position: keywords take a third of its time.
                    produce(
                        topic,
                        value,
                        key,
                        ANY_PARTITION,
                        callbacks[index],
                        None,
                        timestamp,
                        headers,
                    )
                except BufferError:
                    if self._has_room(deadline):
                        continue
                    attempt.refused[index] = RetryableError(f"Kafka: no room{self._cause()}")
                except KafkaException as error:
                    attempt.refused[index] = failure(error.args[0])
                else:
                    sent[event_id] = index
                break

    def _has_room(self, deadline: float) -> bool:
        """Wait a moment for room in the producer; return False if the time is over."""
        left = deadline - monotonic()
        if left > 0:
            self.producer.poll(min(POLL, left))
        return left > 0

    def is_flushed(self, deadline: float) -> bool:
        """Wait a moment for the outcomes of all messages; return whether they are known."""
        left = deadline - monotonic()
        # Unlike `poll`, it waits for no fuller batch.
        return self.producer.flush(max(0.0, min(POLL, left))) == 0

    def wait(self, event_ids: Iterable[str], deadline: float) -> None:
        """Wait until the outcomes of unconfirmed messages are known, or the time is over."""
        messages = [self.unconfirmed[each] for each in event_ids if each in self.unconfirmed]
        while any(message.is_pending for message in messages):
            if self.is_flushed(deadline) or self.is_broken or deadline <= monotonic():
                return

    def failures(self, event_ids: Collection[str]) -> Mapping[str, Exception]:
        """Return the failures of unconfirmed messages; those with an outcome are forgotten."""
        failures: dict[str, Exception] = {}
        for event_id in event_ids:
            message = self.unconfirmed.get(event_id)
            if message is None:
                continue
            if message.is_pending:
                failures[event_id] = RetryableError(f"Kafka: not confirmed in time{self._cause()}")
                continue
            self.unconfirmed.pop(event_id, None)
            if message.error is not None:
                failures[event_id] = failure(message.error)
        return failures

    def forget(self) -> None:
        """Forget outcomes that came too late for their attempts, if there are many."""
        if len(self.unconfirmed) > MAX_UNCONFIRMED:
            for event_id, message in list(self.unconfirmed.items()):
                if not message.is_pending:
                    self.unconfirmed.pop(event_id, None)

    def _failed(self, error: KafkaError) -> None:
        self.error = error
        self.is_broken |= error.fatal()

    def _cause(self) -> str:
        return "" if self.error is None else f" ({self.error.name()})"


class Producing:
    """Sends messages, and waits until they are confirmed.

    Args:
        settings: of librdkafka, besides those that are fixed.
    """

    def __init__(self, settings: dict[str, Setting]) -> None:
        self._settings = settings | FIXED
        self._open: _Open | None = None

    def send(self, messages: Iterable[Message], size: int, timeout: float) -> dict[int, Exception]:
        """Send messages; return the failures of those that are not confirmed in time.

        Each is handed over as it comes, so that librdkafka sends while others are made.

        Args:
            messages: of the events of a batch.
            size: of the batch.
            timeout: in seconds.
        """
        deadline = monotonic() + timeout
        opened = self._opened()
        opened.forget()
        attempt = opened.attempt(size)
        is_confirmed = False
        try:
            opened.hand_over(messages, attempt, deadline)
            is_confirmed = not attempt.known and opened.is_flushed(deadline)
        finally:
            if not is_confirmed:
                opened.unconfirmed |= attempt.end()
        failures = dict(attempt.refused)
        if is_confirmed:
            failures |= {index: failure(error) for index, error in attempt.errors.items()}
            opened.idle.append(attempt)
        else:
            ids = {index: event_id for event_id, index in attempt.sent.items()} | attempt.known
            opened.wait(ids.values(), deadline)
            by_event_id = opened.failures(set(ids.values()))
            failures |= {
                index: by_event_id[each] for index, each in ids.items() if each in by_event_id
            }
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

    def _opened(self) -> _Open:
        opened = self._open
        if opened is None or opened.process != os.getpid():
            try:
                opened = self._open = _Open(self._settings)
            except KafkaException as error:
                raise not_started(error) from None
        return opened

    def _replace(self, opened: _Open) -> None:
        """Begin again with a new producer: this one can send nothing more."""
        if self._open is opened:
            self._open = None
            opened.close()
