"""Stores of the tests' own, in a directory and on a real S3, and events to put into them."""

from __future__ import annotations

import asyncio
import gzip
import json

import obstore
import pytest
from making import make_event
from obstore.store import from_url

import eventtracking_objects.tables  # noqa: F401  once here, and not in each forked child
from eventtracking_core.events import new_id
from eventtracking_objects import ObjectsBackend

HTTP = {"allow_http": "true"}


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""
    return make_event


@pytest.fixture(scope="session")
def send():
    """Sends events, as the worker of a leaf does."""

    def send_now(store, *events, timeout=60):
        asyncio.run(store.send_batch(events, timeout=timeout))

    return send_now


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "lake"


@pytest.fixture
def keys(directory):
    """Lists the objects of the directory, as any other program might."""

    def found():
        files = (path for path in directory.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(directory)) for path in files)

    return found


@pytest.fixture
def a_bucket(s3):
    """Makes stores in a bucket that no other test uses."""
    name = f"b{new_id()[-12:]}{new_id()[:8]}"
    s3.make_bucket(name)

    def make(*, port=None, **options):
        return ObjectsBackend(f"s3://{name}/lake", options=s3.options(port), **options)

    def stored():
        """Return the ids in the bucket's objects, as any other program might read them."""
        bucket = from_url(f"s3://{name}/lake/events", client_options=HTTP, **s3.options())
        keys = [found["path"] for part in obstore.list(bucket) for found in part]
        found = (gzip.decompress(obstore.get(bucket, key).bytes()) for key in keys)
        return sorted(json.loads(line)["id"] for text in found for line in text.splitlines())

    make.port = s3.port
    make.uri = f"s3://{name}/lake"
    make.stored = stored
    return make
