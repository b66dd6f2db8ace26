"""Fixtures for tests with OpenTelemetry: its SDK in memory, and real receivers; a pytest plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from otlp_rotel import RotelCollector
from otlp_tap import OtlpTap, ReceiverError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["finished_spans", "metrics", "otlp_tap", "rotel"]

# A provider can be set once in a process, and the SDK takes its time to import: hence the sessions.


@pytest.fixture(scope="session")
def metrics() -> Callable[..., dict[str, Mapping[str, Any]]]:
    """Read the metrics: those whose attributes hold what is asked for, by name.

    Each is its points by their other attributes, as text; a point is a number, of a histogram the
    count.
    """
    from opentelemetry.metrics import set_meter_provider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))

    def read(**wanted: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        data = reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                for point in metric.data.data_points:
                    others = dict(point.attributes or {})
                    if {others.pop(key.replace("_", "."), None) for key in wanted} == {
                        *wanted.values()
                    }:
                        value = getattr(point, "value", None)
                        points = found.setdefault(metric.name, {})
                        points[" ".join(map(str, others.values()))] = (
                            point.count if value is None else value
                        )
        return found

    return read


@pytest.fixture(scope="session")
def _span_exporter() -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import set_tracer_provider

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    return exporter


@pytest.fixture
def finished_spans(_span_exporter: Any) -> Callable[[], tuple[ReadableSpan, ...]]:
    """Return the spans that ended during the test."""
    _span_exporter.clear()
    return _span_exporter.get_finished_spans


@pytest.fixture(scope="session")
def otlp_tap() -> Iterator[OtlpTap]:
    """A receiver for the tests of a worker process; it keeps what it got before."""
    try:
        receiver = OtlpTap()
    except ReceiverError as error:
        pytest.skip(str(error))
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def rotel(tmp_path_factory: pytest.TempPathFactory, otlp_tap: OtlpTap) -> Iterator[RotelCollector]:
    """A collector that passes everything on to the receiver."""
    try:
        collector = RotelCollector(tmp_path_factory.mktemp("rotel"), otlp_tap.endpoint)
    except ReceiverError as error:
        pytest.skip(str(error))
    yield collector
    collector.close()
