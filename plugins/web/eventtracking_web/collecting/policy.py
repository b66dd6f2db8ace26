"""Who may send what: the checks of the endpoint, and what it adds to an event."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final, Literal, get_args

from eventtracking_core import Tracker, get_tracker
from eventtracking_core.contexts.request import Request, current_request
from eventtracking_core.delivery import BufferedLeaf
from eventtracking_core.providers.request import RequestProvider
from eventtracking_core.routing import Leaf, Ledger, RoutingBackend, walk_tree
from eventtracking_web.collecting.answers import RefusedError
from eventtracking_web.collecting.batch import Item, items, read
from eventtracking_web.collecting.buckets import Buckets

__all__ = ["Policy", "Unregistered"]

Unregistered = Literal["accept", "refuse", "namespace"]

RESERVED: Final = frozenset({"origin", "received_at", "ip", "user_id"})
"""Fields that only the server sets."""

_FULL: Final = frozenset({"queue_full", "spool_full", "shutdown", "error"})
"""Reasons of a drop after which the client is asked to send again."""

RETRY_AFTER: Final = 5.0
"""Seconds."""

_EXPOSED: Final = ("access-control-expose-headers", "retry-after")


class Policy:
    """The checks of the endpoint; for its arguments see `collector`."""

    def __init__(
        self,
        *,
        tracker: Tracker | None,
        keys: Mapping[str, Sequence[str]],
        origins: Sequence[str],
        context: Sequence[str],
        unregistered: Unregistered,
        rate: float,
        burst: int,
        trusted_proxies: int,
    ) -> None:
        if not keys or not all(keys):
            raise ValueError("keys must contain a write key, and no empty one")
        if not origins or isinstance(origins, str):
            raise ValueError("origins must be a list of origins, or ['*']")
        if isinstance(context, str) or RESERVED.intersection(context):
            raise ValueError(f"context must be a list without {', '.join(sorted(RESERVED))}")
        if unregistered not in get_args(Unregistered):
            raise ValueError("unregistered must be accept, refuse or namespace")
        if rate <= 0 or burst < 1:
            raise ValueError("rate must be positive, and burst at least 1")
        self._tracker = tracker
        self._keys = [(key.encode(), tuple(prefixes)) for key, prefixes in keys.items()]
        self._origins = frozenset(origins)
        self._context = tuple(context)
        self._unregistered = unregistered
        self._buckets = Buckets(rate, burst)
        self._sender = RequestProvider(("ip",), address="full", trusted_proxies=trusted_proxies)
        self._stamps = RequestProvider(("ip", "user_id"), trusted_proxies=trusted_proxies)

    @property
    def tracker(self) -> Tracker:
        """The tracker that gets the events."""
        return self._tracker or get_tracker()

    @property
    def only_stores(self) -> bool:
        """Whether sending an event takes no longer than storing it in queues and spools."""
        root = self.tracker.root
        nodes = _routers(root)
        return (
            all(type(node) is RoutingBackend for node in nodes)
            and all(map(_is_ours, [each for node in nodes for each in node.processors]))
            and all(map(_only_stores, root.leaves()))
        )

    def check_origin(self, origin: str | None) -> list[tuple[str, str]]:
        """Return the headers that let the page read the answer.

        Raises:
            RefusedError: pages of this origin may not send.
        """
        if "*" in self._origins:
            return [("access-control-allow-origin", "*"), _EXPOSED]
        if origin not in self._origins:
            raise RefusedError(403, "this origin may not send events")
        return [
            ("access-control-allow-origin", origin or ""),
            ("access-control-allow-credentials", "true"),
            _EXPOSED,
            ("vary", "Origin"),
        ]

    def admit(self, request: Request) -> str:
        """Count a request, and return the address whose requests are counted together.

        Raises:
            RefusedError: there are too many from its address.
        """
        address = self._address(request)
        self._take(("", address), 1)
        return address

    def accept(
        self, request: Request, address: str, body: bytes, received: datetime
    ) -> dict[str, Any]:
        """Send the events of a body; return what became of them.

        Args:
            request: without its body.
            address: as `admit` returned it.
            body: the batch.
            received: when it arrived.

        Raises:
            RefusedError: none of them is to be relied on.
        """
        surrounding = current_request()
        if surrounding is not None:  # the endpoint's own, which says nothing about the events
            surrounding.is_described = True
        batch = read(body)
        prefixes = self._prefixes(batch.key)
        self._take((batch.key, address), len(batch.events))
        stamps = {"origin": "client", "received_at": received.isoformat()}
        stamps |= self._stamps.describe(request)
        rejected: list[dict[str, object]] = []
        with self.tracker.context("client", stamps):
            send = self._sending()
            for index, item in enumerate(items(batch, received)):
                if isinstance(item, str):
                    error: str | None = item
                elif (error := self._error(item.name, prefixes)) is None:
                    send(item)
                    continue
                rejected.append({"index": index, "error": error})
        return {"accepted": len(batch.events) - len(rejected), "rejected": rejected}

    def _prefixes(self, key: str) -> tuple[str, ...]:
        sent_key = key.encode("utf-8", "replace")
        matching = [
            prefixes for known, prefixes in self._keys if hmac.compare_digest(known, sent_key)
        ]
        if not matching:
            raise RefusedError(403, "the write key is unknown")
        return matching[0]

    def _error(self, name: str, prefixes: tuple[str, ...]) -> str | None:
        if prefixes and not name.startswith(prefixes):
            return "this key may not send events of this name"
        if self._unregistered == "refuse" and self.tracker.event_types.get(name) is None:
            return "the name is not registered"
        return None

    def _sending(self) -> Callable[[Item], None]:
        """Return a function that sends an event, with the context of the request.

        Nothing is acknowledged where a backend had no room for one of the events: it raises
        `RefusedError` then. Ids are derived from the client's, so that a batch that is sent again
        is stored once.
        """
        tracker, fields, stored_name = self.tracker, self._context, self._stored_name
        added, root, forward = tracker.event_context(), tracker.root, tracker.forward
        ledgers = list(_ledgers(root))
        before = _lost(ledgers)

        def send(item: Item) -> None:
            sent_context = item.context
            context = {field: sent_context[field] for field in fields if field in sent_context}
            context |= added
            forward(item.id, stored_name(item.name), item.timestamp, context, item.data)
            lost = _lost(ledgers) - before
            present = tracker.root
            if present is not root:  # after a configuration
                lost += _lost(list(_ledgers(present)))
            if lost or not present.children:
                raise RefusedError(503, "there is no room, send it again", retry_after=RETRY_AFTER)

        return send

    def _stored_name(self, name: str) -> str:
        if self._unregistered == "namespace" and self.tracker.event_types.get(name) is None:
            return f"client.{name}"
        return name

    def _take(self, sender: tuple[str, str], tokens: int) -> None:
        wait = self._buckets.take(sender, max(1, tokens))
        if wait:
            raise RefusedError(429, "too many events from this address", retry_after=wait)

    def _address(self, request: Request) -> str:
        text: str = self._sender.describe(request).get("ip", "")
        if ":" not in text:
            return text
        return str(ip_network((ip_address(text), 64), strict=False))  # what one user has


def _lost(ledgers: Sequence[Ledger]) -> int:
    """Return how many events the backends had no room for, or failed to take at once.

    If those of another thread are among them, a client sends more again than it needs to.
    """
    lost = 0
    for ledger in ledgers:
        dropped = ledger.dropped
        if not _FULL.isdisjoint(dropped):
            lost += sum(dropped[reason].value for reason in _FULL if reason in dropped)
    return lost


def _ledgers(root: RoutingBackend) -> Iterator[Ledger]:
    """Yield the ledgers of backends, and of nodes that store events, such as an outbox."""
    yield from (leaf.ledger for leaf in root.leaves())
    # The drops of a plain router are those of its processors.
    yield from (node.ledger for node in _routers(root) if type(node) is not RoutingBackend)


def _routers(root: RoutingBackend) -> list[RoutingBackend]:
    return [node for _, node in walk_tree(root) if isinstance(node, RoutingBackend)]


def _is_ours(processor: object) -> bool:
    return type(processor).__module__.startswith("eventtracking_core.")


def _only_stores(leaf: Leaf) -> bool:
    """Return whether a leaf neither waits for room nor for the disk to sync each event."""
    if not isinstance(leaf, BufferedLeaf):
        return False
    options = leaf.options
    if "spool" in {options.mode, options.when_full}:
        return options.fsync_interval > 0
    return options.when_full == "drop_newest"
