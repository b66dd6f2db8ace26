"""Delivery to a leaf's backend: buffers, workers, retries, so that no accepted event is lost."""

from eventtracking_core.delivery.batch_leaf import BatchLeaf
from eventtracking_core.delivery.collecting import CollectingLeaf, collect_batches
from eventtracking_core.delivery.leaf import BufferedLeaf
from eventtracking_core.delivery.options import MODES, DeliveryOptions
from eventtracking_core.delivery.storage.dead_letters import DeadLetter, DeadLetters
from eventtracking_core.delivery.storage.status import ProcessSpool, SegmentStatus, spool_status

__all__ = [
    "MODES",
    "BatchLeaf",
    "BufferedLeaf",
    "CollectingLeaf",
    "DeadLetter",
    "DeadLetters",
    "DeliveryOptions",
    "ProcessSpool",
    "SegmentStatus",
    "collect_batches",
    "spool_status",
]
