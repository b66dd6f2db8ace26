"""Our backends for servers pass the suite that we give to others, with and without the server."""

from __future__ import annotations

import socket

import pytest

from eventtracking_core.testing import BackendConformance, EventStoreConformance
from eventtracking_mongo import MongoBackend
from eventtracking_segment import SegmentBackend


@pytest.fixture
def nobody():
    """A port on which nobody listens, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class TestMongo(EventStoreConformance):
    @pytest.fixture(autouse=True)
    def server(self, mongo_uri, mongo_database, nobody):
        self.uri, self.database, self.nobody = mongo_uri, mongo_database, nobody

    def make_backend(self):
        return MongoBackend(self.uri, database=self.database.name, indexes=[])

    def make_unreachable(self):
        return MongoBackend(f"mongodb://127.0.0.1:{self.nobody}", database=self.database.name)

    def make_backend_at(self, port):
        return MongoBackend(f"mongodb://user:{self.secret}@127.0.0.1:{port}/?authSource=admin")

    def stored(self, backend):
        return [{"id": found["_id"]} for found in self.database["events"].find({}, {"_id": 1})]


class TestSegment(BackendConformance):
    @pytest.fixture(autouse=True)
    def server(self, segment, nobody):
        self.segment, self.nobody = segment, nobody

    def make_backend(self):
        return SegmentBackend(self.segment.write_key, self.segment.host)

    def make_unreachable(self):
        return SegmentBackend("a-write-key", f"http://127.0.0.1:{self.nobody}")

    def stored(self, backend):
        return [{"id": id_} for id_ in self.segment.messages]
