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
        self.outcomes: dict[str, KafkaError | bool] = {}
        """Of events by their ids: an error, True if confirmed, False if neither yet."""
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
        event_id, topic, value, key, headers, timestamp = message
        outcomes = self.outcomes

        def told(error: KafkaError | None, _: Confirmed) -> None:
            outcomes[event_id] = error or True

        outcomes[event_id] = False
        try:
            # By position: keywords take a third of its time.
            self.producer.produce(topic, value, key, ANY_PARTITION, told, None, timestamp, headers)
        except BaseException:
            del outcomes[event_id]
            raise

    def wait(self, event_ids: Collection[str], deadline: float) -> None:
        """Wait until all of some events have their outcome, or the time is over."""
        while True:
            left = deadline - monotonic()
            # Unlike `poll`, it waits for no fuller batch.
            unsent = self.producer.flush(max(0.0, min(POLL, left)))
            if not unsent or left <= 0 or self.is_broken:
                return
            if all(self.outcomes.get(event_id) for event_id in event_ids):
                return

    def failures(self, event_ids: Collection[str]) -> Mapping[str, Exception]:
        """Return the failures of events by their ids; what has an outcome is forgotten."""
        outcomes = [(event_id, self.outcomes.pop(event_id, False)) for event_id in event_ids]
        found: dict[str, Exception] = {}
        for event_id, outcome in outcomes:
            if outcome is False:
                self.outcomes.setdefault(event_id, False)  # it may just have come
                text = f"Kafka: not confirmed in time{_because(self.error)}"
                found[event_id] = RetryableError(text)
            elif outcome is not True:
                found[event_id] = failure(outcome)
        return found

    def forget(self) -> None:
        """Forget outcomes that came too late for their attempts, if there are many."""
        if len(self.outcomes) > MAX_CONFIRMED:
            for event_id, outcome in list(self.outcomes.items()):
                if outcome:
                    self.outcomes.pop(event_id, None)

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
        opened.forget()
        failures: dict[int, Exception] = {}
        ids: dict[int, str] = {}
        outcomes, produce = opened.outcomes, opened.produce
        for index, message in messages:
            ids[index] = event_id = message[0]
            if event_id in outcomes:
                continue
            try:
                produce(message)
            except (BufferError, KafkaException) as error:
                refusal = _handed_over(opened, message, deadline, error)
                if refusal is not None:
                    failures[index] = refusal
                    del ids[index]
        opened.wait(ids.values(), deadline)
        found = opened.failures(set(ids.values()))
        if found:
            failures |= {index: found[each] for index, each in ids.items() if each in found}
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
                text = f"librdkafka refuses the settings ({error.args[0].name()}): check extra"
                raise RetryableError(text) from None
        return opened

    def _replace(self, opened: _Open) -> None:
        """Begin again with a new producer: this one can send nothing more."""
        if self._open is opened:
            self._open = None
            opened.close()


def _handed_over(
    opened: _Open, message: Message, deadline: float, error: Exception
) -> Exception | None:
    """Hand a message over that was refused, once there is room for it; return why it was not."""
    while isinstance(error, BufferError):
        left = deadline - monotonic()
        if left <= 0:
            return RetryableError(f"Kafka: no room{_because(opened.error)}")
        opened.producer.poll(min(POLL, left))
        try:
            opened.produce(message)
        except (BufferError, KafkaException) as again:
            error = again
        else:
            return None
    return failure(error.args[0])


def _because(error: KafkaError | None) -> str:
    return "" if error is None else f" ({error.name()})"
