"""The Celery task; found by autodiscovery, or listed in `imports`."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task
from celery.exceptions import Reject

from eventtracking_async_router import lifecycle
from eventtracking_async_router.delivering import deliver
from eventtracking_async_router.messages import TASK
from eventtracking_async_router.requeue import PUBLISH_TIMEOUT, Requeue, queue_publisher
from eventtracking_core import RetryableError

__all__ = ["deliver_batch"]

lifecycle.connect()


@shared_task(
    name=TASK,
    bind=True,
    acks_late=True,
    acks_on_failure_or_timeout=False,
    reject_on_worker_lost=True,
    ignore_result=True,
)
def deliver_batch(self: Task[Any, Any], document: object) -> None:
    """Deliver a batch of events below its node.

    The message is acknowledged when this returns. By then, each event has been delivered, dropped
    by a processor, dead-lettered, or requeued.
    """
    request = self.request
    delivery = request.delivery_info or {}
    publisher = queue_publisher(self.app, delivery.get("routing_key") or "")
    try:
        deliver(document, Requeue(publisher, request.retries), message_id=str(request.id))
        publisher.complete(str(request.id), timeout=PUBLISH_TIMEOUT)
    except RetryableError as error:  # the remaining events could not be requeued
        raise Reject(requeue=True) from error
