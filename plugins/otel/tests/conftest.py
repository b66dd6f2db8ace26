"""OpenTelemetry's SDK in memory, programs that send to a real receiver, and events."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry._logs import get_logger_provider, set_logger_provider
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, get_value
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from otlp_tap import plain_attributes

from eventtracking_core.events import new_id

PROGRAMS = Path(__file__).with_name("programs.py")


class Pipeline(LogRecordProcessor):
    """What an SDK does with records: takes them, fails, is flushed, and exports over OTLP.

    Attributes:
        refuses: tells of a record whether the processor fails on it.
        answer: what it says when it is flushed.
        flushes: how many records it had whenever it was flushed.
        suppressed: whether instrumentation was suppressed, for each record.
        exported: the records, as a receiver reads them.
    """

    def __init__(self):
        self.refuses = lambda record: False
        self.answer = True
        self.flushes = []
        self.suppressed = []
        self.exported = []

    def on_emit(self, log_record):
        if self.refuses(log_record.log_record):
            raise ValueError("secret: the processor fails")
        self.suppressed.append(get_value(_SUPPRESS_INSTRUMENTATION_KEY) is True)

    emit = on_emit  # what it was called before

    def export(self, batch):
        wire = encode_logs(batch).SerializeToString()
        for resource in ExportLogsServiceRequest.FromString(wire).resource_logs:
            for scope in resource.scope_logs:
                self.exported += scope.log_records

    def force_flush(self, timeout_millis=30000):
        self.flushes.append(len(self.exported))
        return self.answer

    def shutdown(self):
        pass

    @property
    def attributes(self):
        """The attributes of each record, as plain values."""
        return [plain_attributes(MessageToDict(each)["attributes"]) for each in self.exported]


class Changing(Pipeline):
    """The provider is set once in a process; what it hands records to changes with each test."""

    target = Pipeline()

    def on_emit(self, log_record):
        self.target.on_emit(log_record)

    emit = on_emit

    def export(self, batch):
        self.target.export(batch)

    def force_flush(self, timeout_millis=30000):
        return self.target.force_flush(timeout_millis)


@pytest.fixture(scope="session")
def _sdk():
    provider = LoggerProvider(Resource({"service.name": "lms"}), shutdown_on_exit=False)
    provider.add_log_record_processor(Changing())
    provider.add_log_record_processor(SimpleLogRecordProcessor(Changing()))
    set_logger_provider(provider)
    assert get_logger_provider() is provider


@pytest.fixture
def pipeline(_sdk):
    """What the SDK does with records, for one test."""
    Changing.target = Pipeline()
    return Changing.target


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(name="edx.problem.check", data=None, **context):
        return {
            "id": new_id(),
            "name": name,
            "timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC),
            "context": context,
            "data": {"problem_id": "p1"} if data is None else data,
        }

    return make


@pytest.fixture
def program(tmp_path):
    """Runs a function of `programs.py` in a process of its own, and returns what it prints."""

    def run(function, *arguments, **environment):
        done = subprocess.run(
            [sys.executable, str(PROGRAMS), function, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env={"PATH": "", **environment},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr

    return run
