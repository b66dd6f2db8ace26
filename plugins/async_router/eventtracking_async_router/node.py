"""The node: its options, and what it becomes at its place in a tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from eventtracking_core import ByteSize, Seconds

if TYPE_CHECKING:
    from eventtracking_async_router.publisher import Publisher

__all__ = ["AsyncRouter"]

MIB: Final = 1024 * 1024

_APP: Final = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
_QUEUE: Final = re.compile(r"[\w.:-]{1,200}")


class AsyncRouter:
    """Hands events to Celery workers, where its `backends` run, with their processors.

    Its own `processors` run here, in the thread that emits. Events wait behind its `delivery` and
    go in batches, a message each. A worker reads the same configuration, finds the node in it by
    the names of its tracker and its path, and delivers the batch to each backend below.

    Without `app` and `broker`, messages go through the current Celery application.

    Args:
        app: the Celery application, as `package.module:attribute`; imported with the first event.
        broker: the broker's address, where there is no application: `redis://`, `amqp://`.
        queue: the Celery queue for messages of this node; several nodes may share one.
        visibility_timeout: seconds after which Redis gives a message to another worker, when the
            first one does not come back; more than a batch takes in a worker. RabbitMQ notices by
            itself. With `app`, the application's own setting holds.
        max_message_size: bytes of events in a message; a larger batch goes in several.

    Raises:
        ValueError: both `app` and `broker` are given, or one of the options is of another form.
    """

    runs_children_elsewhere: ClassVar[bool] = True

    def __init__(
        self,
        app: str | None = None,
        broker: str | None = None,
        queue: str = "events",
        visibility_timeout: Seconds = 300.0,
        max_message_size: ByteSize = 4 * MIB,
    ) -> None:
        if app is not None and broker is not None:
            raise ValueError("name the Celery application (app) or its broker, not both")
        if app is not None and not _APP.fullmatch(app):
            raise ValueError("app must be of the form package.module:attribute")
        if broker is not None and "://" not in broker:
            raise ValueError("broker must be an address, such as redis://localhost")
        if not _QUEUE.fullmatch(queue):
            raise ValueError("queue must be a name of letters, digits and . : - _")
        if not visibility_timeout >= 1:
            raise ValueError("visibility_timeout must be at least 1 second")
        if not 0 < max_message_size <= 64 * MIB:
            raise ValueError("max_message_size must be positive, and 64 MiB at most")
        self.app = app
        self.broker = broker
        self.queue = queue
        self.visibility_timeout = visibility_timeout
        self.max_message_size = max_message_size

    @property
    def send(self) -> None:
        """Not here: a tree that is built in code cannot be found by a worker.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "an async_router must come from a configuration that its workers read too:"
            ' {"type": "async_router", …}'
        )

    def carrier(self, tracker: str, path: str) -> Publisher:
        """Return what brings events to the workers."""
        from eventtracking_async_router.publisher import Publisher  # noqa: PLC0415  msgspec

        return Publisher(self, tracker, path)
