"""What stands at the node in the process that emits: batches of events become messages."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from eventtracking_async_router.messages import VERSION, Message, Parcel, origin, pack
from eventtracking_core import BatchError, Event, RejectedError, RetryableError
from eventtracking_core.encoding import encode_msgpack

if TYPE_CHECKING:
    from celery import Celery

    from eventtracking_async_router.broker import QueuePublisher
    from eventtracking_async_router.node import AsyncRouter
    from eventtracking_core.delivery import RemoteRouter

__all__ = ["Publisher"]


class Publisher:
    """Publishes batches for the workers of one node.

    Where the Celery application is eager (`task_always_eager`), the batches are delivered here.

    Args:
        node: its options.
        tracker: the name of its tracker.
        path: its path in the tree.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(self, node: AsyncRouter, tracker: str, path: str) -> None:
        self.node = node
        self.tracker = tracker
        self.path = path
        self._app = _current() if node.app is None and node.broker is None else None
        self._queue: QueuePublisher | None = None
        self._router: RemoteRouter | None = None

    def bind(self, router: RemoteRouter) -> None:
        """Take the node, whose children are those of an eager application."""
        self._router = router

    def warm_up(self) -> None:
        """Import what Celery needs and what cannot be imported at the interpreter's end."""
        import concurrent.futures.thread  # noqa: F401, PLC0415

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Publish a batch, in a message or in several.

        Raises:
            BatchError: some events were not published, the others were.
            RejectedError: the one event there is, is larger than a message may be.
            RetryableError: the broker did not take the message.
        """
        self._publish(None, events, timeout)

    def send_to(self, leaf: str, events: Sequence[Event], *, timeout: float) -> None:
        """Publish a batch for one of the leaves alone, past all processors.

        Raises:
            as `send_batch` does.
        """
        self._publish(leaf, events, timeout)

    def shutdown(self, timeout: float) -> bool:
        """Close the connection; the next batch opens it again."""
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
        """Yield what goes into one message each, by index; note what goes into none."""
        limit = self.node.max_message_size
        batch: dict[int, Parcel] = {}
        size = 0
        for index, event in enumerate(events):
            wire = encode_msgpack(event)
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
            raise RetryableError("there was no time left to publish the message")
        message = Message(
            VERSION, self.tracker, self.path, pack(parcels), origin=origin(), leaf=leaf
        )
        app = self._application()
        if self._router is not None and app.conf.task_always_eager:
            from eventtracking_async_router.in_place import deliver_in_place  # noqa: PLC0415

            deliver_in_place(message.document(), self._router, timeout=timeout)
            return
        if self._queue is None:
            from eventtracking_async_router.broker import QueuePublisher  # noqa: PLC0415

            self._queue = QueuePublisher(self._application, self.node.queue)
        self._queue.publish(message.document(), timeout=timeout)

    def _application(self) -> Celery:
        if self._app is None:
            # Celery is imported when there is something to send: it takes as long as all the rest.
            from eventtracking_async_router.applications import application  # noqa: PLC0415

            self._app = application(self.node)
        return self._app


def _current() -> Celery | None:
    """Return the current Celery application, which is current in this thread alone."""
    if "celery.app.base" not in sys.modules:  # nobody has made one
        return None
    from eventtracking_async_router.applications import current  # noqa: PLC0415

    return current()
