"""Deliver a message in a worker: find the node, route the events, deliver to each leaf."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import time
from typing import Any, Protocol

from msgspec.structs import replace

from eventtracking_async_router import unroutable
from eventtracking_async_router.leaf import RemoteLeaf, RetryLater
from eventtracking_async_router.messages import (
    VERSION,
    Message,
    MessageError,
    Parcel,
    item,
    origin,
    pack,
    unpack,
)
from eventtracking_async_router.router import RemoteRouter, remote_nodes
from eventtracking_core import ClosedError, RetryableError, get_tracker
from eventtracking_core.delivery.queued import QueuedEvent
from eventtracking_core.diagnostics import describe, report

__all__ = ["SupportsRequeue", "deliver", "find"]


class SupportsRequeue(Protocol):
    """Accepts events that must be retried later."""

    @property
    def is_exhausted(self) -> bool:
        """Whether the message was requeued too often."""

    def events(self, document: Mapping[str, Any], delay: float) -> None:
        """Requeue the remaining events of a message, to be retried after `delay` seconds."""

    def message(self, document: Any) -> None:
        """Requeue the message unchanged."""


def find(tracker: str, path: str) -> RemoteRouter | None:
    """Return the node at a path of this process's tree; None if there is none."""
    try:
        root = get_tracker(tracker).root
    except KeyError:
        return None
    return next((node for node in remote_nodes(root) if node.path == path), None)


def deliver(
    document: object,
    requeue: SupportsRequeue,
    *,
    message_id: str | None = None,
    find: Callable[[str, str], RemoteRouter | None] = find,
) -> None:
    """Deliver, drop, dead-letter or requeue each event of a message; then it may be acknowledged.

    Args:
        document: the message; untrusted.
        requeue: accepts events that must be retried later.
        message_id: the message's id, the same at each delivery; without it, no deaths are counted.
        find: returns the node, by its tracker's name and its path.

    Raises:
        RetryableError: events to retry could not be requeued.
    """
    if _is_newer(document) and not requeue.is_exhausted:
        report(
            logging.ERROR,
            "newer",
            "a message has a newer format than version %d: upgrade this worker; requeued",
            VERSION,
        )
        requeue.message(document)
        return
    try:
        message, items = _read(document)
    except MessageError as error:
        _log_rejected(document, str(error))
        return
    try:
        with _delivering(find(message.tracker, message.node), message, message_id) as route:
            _deliver(*route, items, requeue)
    except RetryableError:
        raise
    except Exception as error:  # noqa: BLE001  an incomplete message must not be acknowledged
        if requeue.is_exhausted and _is_dead_lettered(message, items, error):
            return
        level = logging.INFO if isinstance(error, ClosedError) else logging.ERROR
        text = "a message for node %s was requeued: %s"
        report(level, (message.node, type(error)), text, message.node, error)
        requeue.message(document)


def _is_dead_lettered(message: Message, items: list[QueuedEvent], error: Exception) -> bool:
    """Dead-letter a message; return False if the disk does not take it now."""
    try:
        unroutable.dead_letter(message, items, f"delivery failed: {describe(error)}")
    except OSError:
        return False
    return True


def _is_newer(document: object) -> bool:
    version = document.get("version") if isinstance(document, Mapping) else None
    return isinstance(version, int) and version > VERSION


def _read(document: object) -> tuple[Message, list[QueuedEvent]]:
    message = Message.read(document)
    if message.version != VERSION:
        raise MessageError(f"its version is not {VERSION}")
    items = []
    failed = 0
    for parcel in unpack(message.events):
        try:
            items.append(item(parcel))
        except Exception:  # noqa: BLE001  the bytes may be anything
            failed += 1
    if failed:
        _log_rejected(document, f"{failed} of its events are malformed")
    return message, items


def _log_rejected(document: object, reason: str) -> None:
    """Log a malformed message and its sender."""
    try:
        sender = str(Message.read(document).origin)
    except MessageError:
        sender = "an unknown sender"
    report(
        logging.ERROR,
        ("rejected", reason),
        "a message was rejected: %s; sent by %s",
        reason,
        sender,
    )


@contextmanager
def _delivering(
    node: RemoteRouter | None, message: Message, message_id: str | None
) -> Iterator[tuple[RemoteRouter | None, Message]]:
    """Note the delivery of a message; yield its node, and the message with its count of deaths."""
    deliveries = None if node is None or message_id is None else node.deliveries
    if deliveries is None or message_id is None:
        yield node, message
        return
    with deliveries.delivering(message_id) as deaths:
        yield node, replace(message, deaths=message.deaths + deaths)


def _deliver(
    node: RemoteRouter | None, message: Message, items: list[QueuedEvent], requeue: SupportsRequeue
) -> None:
    if node is None:
        unroutable.dead_letter(message, items, "this worker's configuration has no such node")
        return
    _log_origin(message)
    if message.deaths and len(items) > 1:
        _isolate(message, items, requeue)
    elif message.leaf is None:
        _deliver_below(node, message, items, requeue)
    else:
        leaf = next((leaf for leaf in _leaves(node) if leaf.path == message.leaf), None)
        if leaf is None:
            text = "this worker's configuration has no such backend"
            unroutable.dead_letter(message, items, text)
        else:
            _deliver_to(message, leaf, items, requeue)


def _deliver_below(
    node: RemoteRouter, message: Message, items: list[QueuedEvent], requeue: SupportsRequeue
) -> None:
    """Route events to the leaves below a node, and deliver them there."""
    if message.deaths >= min(leaf.options.max_worker_deaths for leaf in node.remote_leaves()):
        unroutable.dead_letter(message, items, _died(message), reason="worker_deaths")
        return
    batches = node.route(items)
    if message.deaths and len(batches) > 1:  # one of the leaves may be where processes die
        for leaf, reached in batches.items():
            _requeue(message, leaf, RetryLater(reached, time(), None, 0.0), requeue)
        return
    # Leaves that fail may block until a timeout, so they come last.
    for leaf in sorted(batches, key=lambda leaf: leaf.is_failing):
        _deliver_to(message, leaf, batches[leaf], requeue)


def _isolate(message: Message, items: list[QueuedEvent], requeue: SupportsRequeue) -> None:
    """Requeue each event of a message on its own: processes died, and one may be to blame."""
    report(
        logging.ERROR,
        ("deaths", message.node),
        "node %s: a process died while it delivered a message; its %d events are delivered alone",
        message.node,
        len(items),
    )
    for each in items:
        parcel = Parcel(each.wire, each.attempts, each.poison_strikes)
        requeue.events(replace(message, events=pack([parcel]), deaths=1).document(), 0.0)


def _died(message: Message) -> str:
    return f"{message.deaths} processes died while they delivered it"


def _leaves(node: RemoteRouter) -> list[RemoteLeaf]:
    return [leaf for leaf in node.remote.leaves() if isinstance(leaf, RemoteLeaf)]


def _deliver_to(
    message: Message, leaf: RemoteLeaf, items: list[QueuedEvent], requeue: SupportsRequeue
) -> None:
    if message.deaths >= leaf.options.max_worker_deaths:
        for each in items:
            each.error = _died(message)
        retry = leaf.dead_letter(items, "worker_deaths")
    else:
        retry = leaf.deliver_batch(items, since=message.since, last=message.last)
    _requeue(message, leaf, retry, requeue)


def _requeue(
    message: Message, leaf: RemoteLeaf, retry: RetryLater | None, requeue: SupportsRequeue
) -> None:
    if retry is None:
        return
    parcels = [Parcel(each.wire, each.attempts, each.poison_strikes) for each in retry.items]
    remaining = Message(
        VERSION,
        message.tracker,
        message.node,
        pack(parcels),
        origin=origin(),
        leaf=leaf.path,
        since=retry.since,
        last=retry.last,
        deaths=message.deaths,
    )
    requeue.events(remaining.document(), retry.delay)


def _log_origin(message: Message) -> None:
    report(
        logging.INFO,
        ("origin", message.node, message.origin),
        "node %s: events from %s",
        message.node,
        message.origin,
    )
