"""Our own backends pass the suite that we give to others."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing, contextmanager

import pytest

from eventtracking_core import Tracker
from eventtracking_core.encoding import decode_json
from eventtracking_core.plugins import plugins
from eventtracking_core.testing import BackendConformance, EventStoreConformance, hostile


class OurConformance(BackendConformance):
    """Finds a backend by its name, and options for it in a directory of the test's own."""

    name = ""

    @pytest.fixture(autouse=True)
    def directory(self, tmp_path):
        self.path = tmp_path / "events"

    def options(self):
        return {}

    def make_backend(self):
        return plugins.find("backend", self.name)(**self.options())

    def test_whatever_is_emitted_arrives(self):
        """No input reaches the application as an exception, or is lost on the way."""
        tracker = Tracker({"tested": self.make_backend()})

        values = dict(hostile.VALUES)
        del values["shared lists that explode"]  # the suite sends it, from a child

        for make in values.values():
            tracker.emit("edx.problem.check", make())
            with tracker.context("hostile", {"user_id": make()}):
                tracker.emit("edx.problem.check", {"value": make()})
        for make in hostile.KEYS.values():
            tracker.emit("edx.problem.check", {make(): 1})
        for make in hostile.NAMES.values():
            tracker.emit(make())

        emitted = 2 * len(values) + len(hostile.KEYS) + len(hostile.NAMES)
        (node,) = tracker.stats()["tree"]["backends"]
        assert (node["accepted"], node["delivered"]) == (emitted, emitted)
        assert tracker.shutdown(60)


class TestMemory(OurConformance):
    name = "memory"

    def stored(self, backend):
        return backend.events


class TestNull(OurConformance):
    name = "null"


class TestLogger(OurConformance):
    name = "logger"

    @pytest.fixture(autouse=True)
    def log(self, tmp_path):
        """The log is a file: what children write to it is checked too."""
        handler = logging.FileHandler(tmp_path / "log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger = logging.getLogger("tests.conformance")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        self.log_path = tmp_path / "log"
        yield
        logger.removeHandler(handler)
        handler.close()

    def options(self):
        return {"name": "tests.conformance"}

    def stored(self, backend):
        return lines_of(self.log_path)


class TestFile(OurConformance):
    name = "file"

    def options(self):
        return {"path": str(self.path)}

    def stored(self, backend):
        return lines_of(self.path)


class TestSqlite(OurConformance, EventStoreConformance):
    name = "sqlite"

    def options(self):
        return {"path": str(self.path)}

    def faults(self):
        return [self._locked()]

    @contextmanager
    def _locked(self):
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield


def lines_of(path):
    """Return the events of a file, each line of which is RFC 8259 JSON and an event."""
    for line in path.read_bytes().splitlines():
        json.loads(line, parse_constant=pytest.fail)
        yield decode_json(line)
