"""P3: power loss costs at most what was written since the last sync."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.spool import Spool


class Cache(Disk):
    """A disk whose writes are in a cache until they are synced; the cache can be lost.

    A file is found after the loss where its directory was synced, and so every directory above.
    """

    def __init__(self):
        self.cached = {}
        self.files = {}
        self.directories = {}

    def write(self, descriptor, record, offset):
        written = Disk.write(descriptor, record, offset)
        self.cached[_path(descriptor)] = None
        return written

    def sync(self, descriptor):
        path = _path(descriptor)
        self.files[path] = path.read_bytes()
        self.cached.pop(path, None)

    def sync_directory(self, descriptor):
        path = _path(descriptor)
        self.directories[path] = {entry.name for entry in path.iterdir()}

    def lose(self, directory, after):
        """Build in another place what is on the disk below a directory."""
        for path, content in self.files.items():
            place = after / path.relative_to(directory)
            if all(self._is_named(each) for each in _up_to(path, directory)):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                (place.parent / "lock").touch()

    def _is_named(self, path):
        return path.name in self.directories.get(path.parent, ())


def _path(descriptor):
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def _up_to(path, directory):
    while path != directory:
        yield path
        path = path.parent


@pytest.fixture(scope="module")
def after_power_loss(tmp_path_factory):
    """Returns what is read after the power was lost."""

    def survivors(disk, directory):
        after = tmp_path_factory.mktemp("after")
        disk.lose(directory, after)
        spool = spool_on(Disk(), after, fsync_interval=0.1)
        spool.seek_orphans()
        taken, _ = spool.take(10_000, 1 << 30)
        spool.close()
        return [wire for wire, _ in taken]

    return survivors


def spool_on(disk, directory, **options):
    defaults = {"max_bytes": 1 << 20, "lost": print}
    return Spool(directory / "leaf" / "spool", disk=disk, **(defaults | options))


def test_with_an_interval_of_zero_no_acknowledged_event_is_lost(tmp_path, after_power_loss):
    disk = Cache()
    spool = spool_on(disk, tmp_path, fsync_interval=0, max_bytes=4000)
    for number in range(100):
        if not spool.append(b"event %d" % number):
            break
        assert len(after_power_loss(disk, tmp_path)) == number + 1
    assert number > 50


def test_a_sync_brings_everything_before_it_to_the_disk(tmp_path, after_power_loss, eventually):
    disk = Cache()
    spool = spool_on(disk, tmp_path, fsync_interval=0.02, max_bytes=4000)
    written = []
    for number in range(60):
        written.append(b"event %d" % number)
        assert spool.append(written[-1])
        if number % 20 == 0:
            eventually(lambda: after_power_loss(disk, tmp_path) == written)
    spool.close()
    assert after_power_loss(disk, tmp_path) == written


@given(
    payloads=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=30), data=st.data()
)
def test_whatever_part_of_an_unsynced_tail_reached_the_disk_the_rest_is_read(
    payloads, data, tmp_path_factory, after_power_loss
):
    """A disk may keep any prefix of what was not synced: here, all of it but some bytes."""
    directory = tmp_path_factory.mktemp("before")
    disk = Cache()
    spool = spool_on(disk, directory, fsync_interval=0)
    for payload in payloads:
        spool.append(payload)
    path, content = disk.files.popitem()
    kept = data.draw(st.integers(0, len(content)))
    disk.files[path] = content[:kept]
    survivors = after_power_loss(disk, directory)
    assert survivors == payloads[: len(survivors)]
    assert (
        len(survivors) == len(payloads) if kept == len(content) else len(survivors) < len(payloads)
    )
    spool.close()
