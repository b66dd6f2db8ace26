"""The common part of outboxes: events wait in a database until their transaction commits.

The plugins for Django and SQLAlchemy have the tables; this package has the nodes of the routing
tree, the delivery of committed rows, and the command that runs it.
"""

from __future__ import annotations

from eventtracking_core.outbox.command import CommandFailedError, run
from eventtracking_core.outbox.delivering import (
    BusyError,
    NotDeliveredError,
    Table,
    deliver,
    only_deliverer,
)
from eventtracking_core.outbox.nodes import CommitRouter, DeferringRouter, nodes_below

__all__ = [
    "BusyError",
    "CommandFailedError",
    "CommitRouter",
    "DeferringRouter",
    "NotDeliveredError",
    "Table",
    "deliver",
    "nodes_below",
    "only_deliverer",
    "run",
]
