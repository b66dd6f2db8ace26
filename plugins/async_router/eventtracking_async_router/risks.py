"""Settings with which a broker can lose confirmed messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.diagnostics import report

if TYPE_CHECKING:
    from kombu import Queue

__all__ = ["of_queue", "of_redis", "warn"]

EVICTS_ANY_KEY: Final = "allkeys-"


def of_queue(queue: Queue) -> list[str]:
    """Return the risks in the settings of a RabbitMQ queue."""
    arguments: dict[str, Any] = queue.queue_arguments or {}

    def is_set(attribute: str, argument: str) -> bool:
        return getattr(queue, attribute) is not None or arguments.get(argument) is not None

    risks = []
    if not queue.durable:
        risks.append("the queue is not durable: RabbitMQ deletes it on restart")
    if queue.exclusive or queue.auto_delete or is_set("expires", "x-expires"):
        risks.append(
            "the queue is deleted while nothing consumes it (exclusive, auto_delete, expires)"
        )
    if is_set("message_ttl", "x-message-ttl"):
        risks.append("the queue drops messages that wait too long (message_ttl)")
    is_bounded = is_set("max_length", "x-max-length") or is_set(
        "max_length_bytes", "x-max-length-bytes"
    )
    if is_bounded and not str(arguments.get("x-overflow")).startswith("reject-publish"):
        risks.append("a full queue drops its oldest messages: set x-overflow to reject-publish")
    return risks


def of_redis(client: Any) -> list[str]:
    """Return the risks in the settings of a Redis or Valkey server.

    Raises:
        RedisError: the server did not answer.
    """
    from redis.exceptions import ResponseError  # noqa: PLC0415  an extra

    try:
        policy = str(client.info("memory").get("maxmemory_policy"))
    except ResponseError:  # this user has no permission
        report(logging.INFO, "maxmemory", "the broker's maxmemory-policy cannot be checked")
        return []
    if policy.startswith(EVICTS_ANY_KEY):
        return [f"maxmemory-policy {policy} evicts queues when memory runs low: set noeviction"]
    return []


def warn(queue: str, risks: list[str]) -> None:
    """Log each risk."""
    for risk in risks:
        text = "the broker can lose confirmed messages of queue %s: %s"
        report(logging.ERROR, (queue, risk), text, queue, risk)
