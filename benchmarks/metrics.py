"""What the framework's metrics cost an event: `python -m benchmarks.metrics`.

The same emit, to a null backend inline and into a queue: with `telemetry` off, with metrics and no
SDK, and with metrics and an SDK whose reader asks ten times a second, six hundred times as often as
by default.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)

from benchmarks.contestant import Contestant
from benchmarks.machine import machine
from benchmarks.ours import contestant
from benchmarks.rounds import Samples, nothing_swallowed, rounds

__all__ = ["main"]

MUST: Final = 0.3
"""µs an event that metrics may cost."""

ASKS_EVERY_MS: Final = 100
PATHS: Final = ("null", "queue")


class Discarding(MetricExporter):
    """Takes metrics, and counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.exports = 0

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002  the SDK's signature
        **_kwargs: object,
    ) -> MetricExportResult:
        """Count."""
        assert metrics_data.resource_metrics
        self.exports += 1
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002  as above
        """Have nothing to flush."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: object) -> None:
        """Hold nothing."""


def main() -> None:
    """Measure without an SDK, then set one up and measure again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=20_000, help="a contestant and round")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="eventtracking-benchmarks-") as name, nothing_swallowed():
        without = _measured(Path(name, "without"), options, "no SDK")
        exporter = Discarding()
        readers = [InMemoryMetricReader(), PeriodicExportingMetricReader(exporter, ASKS_EVERY_MS)]
        provider = MeterProvider(readers)
        set_meter_provider(provider)
        samples = without | _measured(Path(name, "with"), options, "SDK")
        provider.shutdown()
    assert exporter.exports > 1, "no metrics were exported"
    if options.json:
        print(json.dumps({"machine": machine(), "samples": samples}, indent=2))
    else:
        _print(samples)


def _measured(directory: Path, options: argparse.Namespace, sdk: str) -> Samples:
    with ExitStack() as stack:
        contestants = [
            _contestant(path, directory, stack, sdk, is_on=is_on)
            for path in PATHS
            for is_on in (False, True)
        ]
        return rounds(
            contestants, number=options.rounds, events=options.events, progress=lambda _text: None
        )


def _contestant(
    path: str, directory: Path, stack: ExitStack, sdk: str, *, is_on: bool
) -> Contestant:
    state = "metrics" if is_on else "off"
    sink: Any = "null"
    if path == "queue":
        delivery = {"mode": "queue", "directory": str(directory / state)}
        sink = {"type": "null", "delivery": delivery}
    config = {"telemetry": is_on, "backends": {"sink": sink}}
    return contestant(f"{path}, {sdk}, {state}", config, stack, pauses=path == "queue")


def _print(samples: Samples) -> None:
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print("| path | SDK | telemetry off, µs | metrics, µs | they cost, µs | must | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in PATHS:
        for sdk in ("no SDK", "SDK"):
            off, on = (samples[f"ours: {path}, {sdk}, {state}"] for state in ("off", "metrics"))
            # Both of a round were measured side by side.
            cost = median(b - a for a, b in zip(off, on, strict=True))
            verdict = "met" if cost <= MUST else "not met"
            figures = f"{median(off):.2f} | {median(on):.2f} | {cost:+.2f} | ≤ {MUST}"
            print(f"| {path} | {sdk} | {figures} | {verdict} |")


if __name__ == "__main__":
    main()
