"""The backend of a node in the process that emits: publishes batches of events as messages."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, cast

from eventtracking_async_router.messages import VERSION, Message, Parcel, origin, pack
from eventtracking_async_router.settings import BrokerSettings
from eventtracking_core import BatchError, Event, RejectedError, RetryableError
from eventtracking_core.encoding import encode_msgpack, normal_from_msgpack

if TYPE_CHECKING:
    from celery import Celery

    from eventtracking_async_router.broker import QueuePublisher
    from eventtracking_async_router.router import RemoteRouter

__all__ = ["Publisher"]


class _Decoded(dict[str, Any]):
    """A queued event with its bytes, which are handed on as they are."""

    __slots__ = ("wire",)
    wire: bytes


class Publisher:
    """Publishes batches for the workers of one node.

    If the Celery application is eager (`task_always_eager`), batches are delivered in this process.

    Args:
        tracker: the name of the node's tracker.
        path: the node's path in the tree.
        settings: where the messages go.
        max_message_size: the maximum number of bytes of events in a message.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(
        self, tracker: str, path: str, settings: BrokerSettings, max_message_size: int
    ) -> None:
        self.settings = settings
        self._tracker = tracker
        self._path = path
        self._max_message_size = max_message_size
        is_named = settings.app is not None or settings.broker is not None
        self._app = None if is_named else _current()
        self._queue: QueuePublisher | None = None
        self._router: RemoteRouter | None = None

    def bind(self, router: RemoteRouter) -> None:
        """Set the node, whose children an eager application delivers to."""
        self._router = router

    def probe(self, timeout: float, /) -> str:
        """Return that the broker accepts connections; nothing is declared or published.

        Raises:
            RetryableError: the broker cannot be reached.
        """
        app = self._application()
        if app.conf.task_always_eager:
            return "no broker is needed: the application is eager"
        from eventtracking_async_router.broker import probe  # noqa: PLC0415

        return probe(app, timeout)

    def backlog(self, timeout: float, /) -> int | None:
        """Return how many messages wait in the broker's queue; None if the application is eager.

        Raises:
            RetryableError: the broker cannot be reached.
        """
        if self._application().conf.task_always_eager:
            return None
        return self._broker_queue().depth(timeout=timeout)

    @staticmethod
    def read_wire(wire: bytes, /) -> Event:
        """Return a queued event that still has its bytes."""
        event = _Decoded(normal_from_msgpack(wire))
        event.wire = wire
        return cast("Event", event)

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Publish a batch in one or more messages.

        Raises:
            BatchError: some events were not published, the others were.
            RejectedError: the only event is larger than a message may be.
            RetryableError: the broker did not accept the message.
        """
        self._publish(None, events, timeout)

    def send_to(self, leaf: str, events: Sequence[Event], *, timeout: float) -> None:
        """Publish a batch for one leaf only, past all processors.

        Raises:
            BatchError, RejectedError, RetryableError: as for `send_batch`.
        """
        self._publish(leaf, events, timeout)

    def shutdown(self, timeout: float) -> bool:
        """Close the connection; the next batch reopens it."""
        return self._queue is None or self._queue.close(timeout)

    def _publish(self, leaf: str | None, events: Sequence[Event], timeout: float) -> None:
        deadline = monotonic() + timeout
        failures: dict[int, Exception] = {}
        for batch in self._batches(events, failures):
            try:
                self._publish_one(leaf, list(batch.values()), deadline - monotonic())
            except RetryableError as error:
                failures |= dict.fromkeys(batch, error)
        if not failures:
            return
        if len(failures) == len(events) and len({id(error) for error in failures.values()}) == 1:
            raise failures[0]
        raise BatchError(failures)

    def _batches(
        self, events: Sequence[Event], failures: dict[int, Exception]
    ) -> Iterator[dict[int, Parcel]]:
        """Yield the events of each message by index; add those that fit none to `failures`."""
        limit = self._max_message_size
        batch: dict[int, Parcel] = {}
        size = 0
        for index, event in enumerate(events):
            wire = event.wire if isinstance(event, _Decoded) else encode_msgpack(event)
            if len(wire) > limit:
                failures[index] = RejectedError("the event is larger than a message may be")
                continue
            if batch and size + len(wire) > limit:
                yield batch
                batch, size = {}, 0
            batch[index] = Parcel(wire)
            size += len(wire)
        if batch:
            yield batch

    def _publish_one(self, leaf: str | None, parcels: list[Parcel], timeout: float) -> None:
        if timeout <= 0:
            raise RetryableError("no time left to publish the message")
        message = Message(
            VERSION, self._tracker, self._path, pack(parcels), origin=origin(), leaf=leaf
        )
        app = self._application()
        if self._router is not None and app.conf.task_always_eager:
            from eventtracking_async_router.in_place import deliver_in_place  # noqa: PLC0415

            deliver_in_place(message.document(), self._router, timeout=timeout)
            return
        self._broker_queue().publish(message.document(), timeout=timeout)

    def _broker_queue(self) -> QueuePublisher:
        if self._queue is None:
            from eventtracking_async_router.broker import QueuePublisher  # noqa: PLC0415

            self._queue = QueuePublisher(self._application, self.settings.queue)
        return self._queue

    def _application(self) -> Celery:
        if self._app is None:
            # Importing Celery is slow, so it waits for the first batch.
            from eventtracking_async_router.applications import application  # noqa: PLC0415

            self._app = application(self.settings)
        return self._app


def _current() -> Celery | None:
    """Return the current Celery application of this thread, if there is one."""
    if "celery.app.base" not in sys.modules:  # then there is none
        return None
    from eventtracking_async_router.applications import current  # noqa: PLC0415

    return current()
