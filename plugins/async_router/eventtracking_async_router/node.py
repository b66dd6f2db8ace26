"""The type `async_router` and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from eventtracking_async_router.settings import BrokerSettings
from eventtracking_core import ByteSize, Seconds
from eventtracking_core.components import Backend, BatchBackend

if TYPE_CHECKING:
    from eventtracking_async_router.leaf import RemoteLeaf
    from eventtracking_async_router.publisher import Publisher
    from eventtracking_async_router.router import RemoteRouter
    from eventtracking_core.routing import CompositeParts, LeafPlace

__all__ = ["AsyncRouter"]

MIB: Final = 1024 * 1024

_APP: Final = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
_QUEUE: Final = re.compile(r"[\w.:-]{1,200}")


class AsyncRouter:
    """Sends events to Celery workers, which run its `backends` and their processors.

    Its own `processors` run in the thread that emits. Events wait behind its `delivery` and are
    published in batches, one message each. A worker reads the same configuration, finds the node by
    the name of its tracker and its path, and delivers the batch to each backend below it.

    Without `app` and `broker`, messages go through the current Celery application.

    Args:
        app: the Celery application, as `package.module:attribute`; imported with the first event.
        broker: the broker's address, if there is no application: `redis://`, `amqp://`.
        queue: the Celery queue for messages of this node; several nodes may share one.
        visibility_timeout: seconds after which Redis redelivers an unacknowledged message to
            another worker; must be longer than a worker needs for a batch. RabbitMQ detects dead
            workers itself. With `app`, the application's own setting applies.
        max_message_size: bytes of events in a message; a larger batch is split.

    Raises:
        ValueError: both `app` and `broker` are given, or an option is malformed.
    """

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
        self.settings = BrokerSettings(app, broker, queue, visibility_timeout)
        self.max_message_size = max_message_size

    @property
    def send(self) -> None:
        """Not available: a worker can't find a tree that is built in code.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "an async_router must come from a configuration that its workers read too:"
            ' {"type": "async_router", …}'
        )

    @staticmethod
    def build_leaf(
        backend: Backend | BatchBackend, place: LeafPlace, delivery: Mapping[str, Any], /
    ) -> RemoteLeaf:
        """Return the leaf for one backend below a node.

        Raises:
            ValueError: it can't have these delivery options.
        """
        from eventtracking_async_router import building  # noqa: PLC0415  msgspec

        return building.build_leaf(backend, place, delivery)

    def build_node(self, parts: CompositeParts, /) -> RemoteRouter:
        """Return the node for its place in a tree.

        Raises:
            ValueError: the tracker has no name.
        """
        from eventtracking_async_router import building  # noqa: PLC0415  msgspec

        return building.build_node(self.publisher, parts)

    def publisher(self, tracker: str, path: str) -> Publisher:
        """Return the backend that publishes events for the node at a path of a tracker's tree."""
        from eventtracking_async_router.publisher import Publisher  # noqa: PLC0415  msgspec

        return Publisher(tracker, path, self.settings, self.max_message_size)
