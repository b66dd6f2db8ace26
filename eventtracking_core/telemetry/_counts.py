"""The counters of a routing tree as values of metrics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from eventtracking_core.delivery import BufferedLeaf
from eventtracking_core.routing import Leaf, RoutingBackend, walk_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BACKEND_NAME",
    "BACKEND_TYPE",
    "CAPACITY",
    "DURATION",
    "EMITTED",
    "EXPORTED",
    "PROCESSED",
    "SIZE",
    "WARNINGS",
    "Series",
    "counts",
    "queues",
]

EMITTED: Final = "eventtracking.event.emitted"
PROCESSED: Final = "eventtracking.processor.processed"
EXPORTED: Final = "eventtracking.backend.exported"
DURATION: Final = "eventtracking.backend.operation.duration"
SIZE: Final = "eventtracking.queue.size"
CAPACITY: Final = "eventtracking.queue.capacity"
WARNINGS: Final = "eventtracking.validation.warnings"

BACKEND_NAME: Final = "eventtracking.backend.name"
BACKEND_TYPE: Final = "eventtracking.backend.type"

Attributes = tuple[tuple[str, str], ...]


class Series(NamedTuple):
    """A metric with one set of attributes."""

    metric: str
    attributes: Attributes = ()


def counts(root: RoutingBackend, emitted: int) -> Counter[Series]:
    """Return the counts of a tree: events emitted, processed, exported."""
    totals = Counter({Series(EMITTED): emitted})
    for names, node in walk_tree(root, everywhere=True):
        path = ".".join(names)
        series = _exported(path, node) if isinstance(node, Leaf) else _processed(path, node)
        for each, number in series:
            totals[each] += number
    return totals


def queues(root: RoutingBackend) -> Counter[Series]:
    """Return the sizes and capacities of a tree's queues."""
    sizes: Counter[Series] = Counter()
    for names, leaf in walk_tree(root, everywhere=True):
        if not isinstance(leaf, BufferedLeaf):
            continue
        where = (BACKEND_NAME, ".".join(names)), (BACKEND_TYPE, leaf.type_name)
        memory = (*where, ("eventtracking.queue.type", "memory"))
        sizes[Series(SIZE, memory)] += leaf.buffer.in_memory
        sizes[Series(CAPACITY, memory)] += leaf.options.max_queue_size
        if leaf.buffer.spool is not None:
            spool = (*where, ("eventtracking.queue.type", "spool"))
            sizes[Series(SIZE, spool)] += leaf.buffer.spool.unread
    return sizes


def _exported(path: str, leaf: Leaf) -> Iterator[tuple[Series, int]]:
    where = (BACKEND_NAME, path), (BACKEND_TYPE, leaf.type_name)
    delivered, failed = leaf.ledger.outcomes()
    yield Series(EXPORTED, where), delivered
    for reason, number in failed.items():
        yield Series(EXPORTED, (*where, ("error.type", reason))), number


def _processed(path: str, router: RoutingBackend) -> Iterator[tuple[Series, int]]:
    left = router.ledger.accepted.value
    for step in router.steps:
        counts = step.stats()
        failed, dropped = counts["errors"], counts["dropped"]
        where: Attributes = (
            ("eventtracking.router.name", path),
            ("eventtracking.processor.name", str(step.name)),
        )
        outcome = "eventtracking.processor.outcome"
        yield Series(PROCESSED, (*where, (outcome, "dropped"))), dropped
        for reason, number in failed.items():
            failure = ((outcome, "failed"), ("error.type", reason))
            yield Series(PROCESSED, (*where, *failure)), number
        passed = left - dropped - sum(failed.values())
        yield Series(PROCESSED, (*where, (outcome, "passed"))), passed
        left += counts["added"] - dropped
        left -= sum(failed.values()) if step.on_error == "drop" else 0
