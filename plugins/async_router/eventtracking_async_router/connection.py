"""A broker connection for publishing into one queue, with timeouts and confirmations."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from amqp.exceptions import ChannelError
from celery import Celery
from kombu import Connection, Producer

from eventtracking_async_router import risks
from eventtracking_async_router.messages import TASK

if TYPE_CHECKING:
    from eventtracking_async_router.redis_receipts import Outbox

__all__ = ["BrokerConnection"]

PERSISTENT: Final = 2


class BrokerConnection:
    """A broker connection of one process, opened on demand.

    Args:
        app: the Celery application that names the broker.
        queue: the queue's name.
        patience: seconds that one exchange with the broker may take.

    Attributes:
        outbox: records published messages; only Redis needs it.
    """

    def __init__(self, app: Celery, queue: str, patience: float) -> None:
        self.patience = patience
        self.outbox: Outbox | None = None
        self._app = app
        self._queue = queue
        self._amqp: Any = None
        self._producer: Producer | None = None
        self._connection: Connection = app.connection_for_write(
            connect_timeout=patience, heartbeat=0
        )
        self._kind = self._connection.transport.driver_type

    @property
    def is_open(self) -> bool:
        """Whether the connection was opened."""
        return self._producer is not None

    def open(self) -> None:
        """Connect."""
        connection = self._connection
        options: Any = connection.transport_options
        options["max_retries"] = 0  # Celery's default is to try for ever
        if self._kind == "redis":
            options |= {
                "socket_timeout": self.patience,
                "socket_connect_timeout": self.patience,
                "retry_on_timeout": False,
                "health_check_interval": 0,
            }
        elif self._kind == "amqp":
            options["confirm_publish"] = True
            transport: Any = connection.transport
            transport.Connection = self._capturing_amqp(transport.Connection)
        others = max(0, len(connection.alt or ()) - 1)
        connection.ensure_connection(max_retries=others, interval_start=0, interval_step=0)
        if self._kind == "amqp":
            # For operations without a timeout of their own, such as declaring the queue.
            self._amqp.transport.sock.settimeout(self.patience)
        producer: Producer = self._app.amqp.Producer(connection, auto_declare=False)
        if self._kind == "redis":
            from eventtracking_async_router.redis_receipts import Outbox  # noqa: PLC0415  an extra

            self.outbox = Outbox(producer.channel, self._queue)
            risks.warn(self._queue, risks.of_redis(self.outbox.client))
        elif self._kind == "amqp":
            risks.warn(self._queue, risks.of_queue(self._app.amqp.queues[self._queue]))
        self._producer = producer

    def send(self, document: Mapping[str, Any], timeout: float, options: Mapping[str, Any]) -> None:
        """Publish a message, and wait until the broker confirms it.

        Raises:
            Exception: the broker did not confirm it. RabbitMQ returns a message that no queue
                accepts; a new connection declares the queue again.
        """
        self._app.send_task(
            TASK,
            args=[document],
            queue=self._queue,
            producer=self._producer,
            add_to_parent=False,
            confirm_timeout=timeout,
            delivery_mode=PERSISTENT,
            expires=None,  # overrides the application's annotations: an expired message is lost
            ignore_result=True,
            mandatory=True,
            retry=False,
            serializer="json",
            timeout=timeout,
            **options,
        )

    def depth(self) -> int:
        """Return how many messages wait in the queue; none if it does not exist."""
        channel: Any = self._connection.channel()
        try:
            return int(channel.queue_declare(queue=self._queue, passive=True).message_count)
        except ChannelError:
            return 0
        finally:
            with suppress(Exception):  # RabbitMQ closes it if there is no such queue
                channel.close()

    def abort(self) -> None:
        """Shut down the socket that another thread uses, even if the broker answers byte by byte.

        Redis's replies are short, so there the timeouts are enough.
        """
        transport: Any = getattr(self._amqp, "transport", None)
        with suppress(OSError, AttributeError):
            transport.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, without waiting for the broker.

        For RabbitMQ, `close` would wait. For others, Kombu's `collect` changes the default timeout
        of all sockets of the process meanwhile; two threads that close at once leave it changed.
        """
        self._producer = None
        with suppress(Exception):
            if self._kind == "amqp":
                self._connection.collect()
            else:
                self._connection.close()

    def _capturing_amqp(self, make: Callable[..., Any]) -> Callable[..., Any]:
        # Kombu returns a connection only once it is established, which may take too long.
        def make_and_capture(**options: Any) -> Any:
            self._amqp = make(**options)
            return self._amqp

        return make_and_capture
