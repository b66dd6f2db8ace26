"""Trackers that are told of, and programs that set up the SDK in their own way."""

from __future__ import annotations

import json
import subprocess
import sys
from uuid import uuid4

import pytest

from eventtracking_core import Tracker

PROGRAM = """
import json, os, sys
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
import eventtracking_core as et

reader = InMemoryMetricReader()

def set_up():
    set_meter_provider(MeterProvider([reader]))

def read():
    data = reader.get_metrics_data()
    metrics = [
        metric
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]
    assert len(metrics) == len({metric.name for metric in metrics}), "an instrument twice"
    return {
        metric.name.removeprefix("eventtracking."): sum(
            getattr(point, "value", None) or getattr(point, "count", 0)
            for point in metric.data.data_points
        )
        for metric in metrics
    }

def tell(value):
    print(json.dumps(value), flush=True)

CONFIG = {"backends": {"memory": "memory"}}
"""


@pytest.fixture
def sink():
    """The name of a backend that no other test has."""
    return f"sink-{uuid4().hex}"


@pytest.fixture
def tracker():
    tracker = Tracker()
    yield tracker
    tracker.shutdown(5)


@pytest.fixture
def told():
    """Runs a program with an SDK; returns what it tells, line by line."""

    def run(lines):
        done = subprocess.run(
            # From 3.12 on, a fork beside threads warns: what is tested here is such a fork.
            [sys.executable, "-W", "ignore::DeprecationWarning:__main__", "-c", PROGRAM + lines],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def delivery(tmp_path):
    """A queue that delivers when it is flushed."""
    return {"mode": "queue", "directory": str(tmp_path), "schedule_delay": 60}
