"""A node, its emitter and its worker in one process, with a broker in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import celery.app
import pytest

import eventtracking_core as et
from eventtracking_async_router import messages
from eventtracking_async_router.leaf import RemoteLeaf
from eventtracking_core.encoding import encode_msgpack

NOW = datetime(2026, 9, 12, tzinfo=UTC)
# A flush publishes, so that each emit is one message.
QUICK = {"schedule_delay": 60, "initial_interval": 0.001, "max_interval": 0.002}


class Desk:
    """An emitting tracker, a broker in memory, and a worker that takes one message at a time."""

    def __init__(self, directory, name):
        self.directory = directory / "kept"
        self.queue = name
        self.app = celery.Celery(
            name, broker="memory://", include=["eventtracking_async_router.tasks"]
        )
        self.app.set_current()
        self.app.loader.import_default_modules()
        self.app.finalize()
        self.tracker = et.Tracker()
        et.register_tracker(self.tracker, name)

    def configure(self, processors=(), **children):
        delivery = {**QUICK, "directory": str(self.directory)}
        quick = {"delivery": delivery, "backends": children}
        node = {"type": "async_router", "queue": self.queue, "delivery": delivery}
        node |= {"processors": list(processors), "backends": {"r": quick}}
        self.tracker.configure({"backends": {"node": node}})

    def emit(self, *numbers):
        for n in numbers:
            self.tracker.emit("numbered", {"n": n})
        assert self.tracker.flush(60)

    def messages(self):
        """Take what is in the queue."""
        found = []
        with self.app.connection_for_read() as connection:
            queue = connection.SimpleQueue(self.queue)
            while len(queue):
                message = queue.get(block=False)
                message.ack()
                found.append(message)
            queue.close()
        return found

    def work(self, limit=1000):
        """Deliver what is in the queue, and what that puts there; tell in how many messages."""
        done = 0
        while done < limit and (found := self.messages()):
            for message in found:
                self.deliver(message.payload[0][0], retries=message.headers["retries"])
                done += 1
        return done

    def deliver(self, document, retries=0):
        task = self.app.tasks[messages.TASK]
        result = task.apply(args=[document], routing_key=self.queue, retries=retries, throw=True)
        assert result.state == "SUCCESS", result.state

    def leaf(self, name="store"):
        leaves = [leaf for leaf in self.tracker.root.leaves() if isinstance(leaf, RemoteLeaf)]
        return next(leaf for leaf in leaves if leaf.name == name)

    def ledger(self, name="store"):
        stats = self.leaf(name).stats()
        settled = stats["delivered"] + stats["dead_lettered"] + sum(stats["dropped"].values())
        assert stats["accepted"] == settled + stats["requeued"] + stats["pending"]
        assert stats["pending"] == 0
        return {key: stats[key] for key in ("accepted", "delivered", "dead_lettered", "requeued")}


@pytest.fixture
def desk(tmp_path, request):
    before = celery.app.app_or_default()
    made = Desk(tmp_path, request.node.name.partition("[")[0].replace(".", "_"))
    yield made
    made.tracker.shutdown(2)
    before.set_current()


def ledger(**counts):
    return {"accepted": 0, "delivered": 0, "dead_lettered": 0, "requeued": 0} | counts


def a_message(desk, *numbers, **changes):
    parcels = [messages.Parcel(wire) for wire in changes.pop("wires", ())]
    for n in numbers:
        event = {"id": "x", "name": "numbered", "timestamp": NOW, "context": {}}
        parcels.append(messages.Parcel(encode_msgpack({**event, "data": {"n": n}})))
    document = {
        "version": 1,
        "tracker": desk.queue,
        "node": "node",
        "events": messages.pack(parcels),
    }
    return document | changes
