"""Programs that the tests run: applications with an SDK that sends to a receiver."""

from __future__ import annotations

import gzip
import json
import os
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import eventtracking_core as et
from eventtracking_otel import ConfirmedExporter, Resource

DELIVERY = {"schedule_delay": 0.05, "initial_interval": 0.01, "max_interval": 0.02}
OTEL = {"type": "otel", "delivery": {"mode": "queue", **DELIVERY}}


def sdk(endpoint, *processors):
    """Set up what an application sets up: logs, metrics and traces, to one receiver."""
    logs = LoggerProvider()
    for processor in processors:
        logs.add_log_record_processor(processor)
    exporter = OTLPLogExporter(f"{endpoint}/v1/logs")
    logs.add_log_record_processor(BatchLogRecordProcessor(exporter))
    set_logger_provider(logs)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics"))
    metrics.set_meter_provider(MeterProvider([reader]))
    traces = TracerProvider()
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(traces)


def one_event(endpoint):
    """Emit an event in a span, and end."""
    sdk(endpoint)
    et.configure(
        {"context": ["trace"], "telemetry": {"spans": True}, "backends": {"otel": OTEL}},
    )
    with trace.get_tracer("app").start_as_current_span("request") as span:
        data = {"problem_id": "p1", "answer": {"grade": 0.5, "choices": ["a", "b"], "note": None}}
        with et.context("request", {"user_id": 10938, "session": "s1", "course_id": "c1"}):
            event_id = et.emit("edx.problem.check", data)
    identity = span.get_span_context()
    return {
        "id": event_id,
        "trace_id": trace.format_trace_id(identity.trace_id),
        "span_id": trace.format_span_id(identity.span_id),
    }


def burst(endpoint, order):
    """Emit more than the SDK's queue holds, and end; the SDK is set up before us, or after."""
    if order == "sdk first":
        sdk(endpoint)
    et.configure({"backends": {"otel": OTEL}, "shutdown_timeout": 60})
    if order == "sdk last":
        sdk(endpoint)
    return [et.emit("edx.burst", {"number": number}) for number in range(5_000)]


class Refusing(LogRecordProcessor):
    """A processor of the application's that fails on some records."""

    def on_emit(self, log_record):
        if log_record.log_record.attributes["data"].get("poison") == "refused":
            raise ValueError("this record is not taken")

    emit = on_emit

    def shutdown(self):
        pass

    def force_flush(self, timeout_millis=30000):
        return True


def poison(endpoint, kind):
    """Emit a hundred events, one of them poison; return their ids, and the ledger."""
    sdk(endpoint, Refusing())
    et.configure({"backends": {"otel": OTEL}})
    ids = []
    for number in range(100):
        data = {"number": number}
        timestamp = None
        if number == 50:
            data["poison"] = kind
            if kind == "deep":
                for _ in range(60):
                    data = {"poison": data}
            if kind == "early":
                timestamp = datetime(1066, 10, 14, tzinfo=UTC)
            if kind == "late":
                timestamp = datetime(9999, 1, 1, tzinfo=UTC)
            if kind == "values":
                data |= {"mixed": [1, "a", {}], "big": 2**70, "": 1, "text": "\ud800", "nan": 1e999}
        ids.append(et.emit("edx.poison", data, timestamp=timestamp))
    assert et.get_tracker().flush(60)
    (leaf,) = et.get_tracker().stats()["tree"]["backends"]
    return {"ids": ids, "leaf": leaf}


def fork(endpoint):
    """Emit in a parent and in a child."""
    sdk(endpoint)
    et.configure({"backends": {"otel": OTEL}})
    ids = [et.emit("edx.fork", {"in": "parent, before"})]
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, et.emit("edx.fork", {"in": "child"}).encode())
        sys.exit()
    os.wait()
    ids.append(os.read(reading, 100).decode())
    return [*ids, et.emit("edx.fork", {"in": "parent, after"})]


def waiting():
    """Emit before there is an SDK; tell what became of the event when there is one."""
    et.configure({"backends": {"otel": OTEL}})
    et.emit("edx.early")
    flushed = et.get_tracker().flush(0.2)
    assert not flushed
    (before,) = et.get_tracker().stats()["tree"]["backends"]
    set_logger_provider(LoggerProvider())
    assert et.get_tracker().flush(60)
    (after,) = et.get_tracker().stats()["tree"]["backends"]
    return {"pending before": before["pending"], "delivered after": after["delivered"]}


def resource():
    """Tell what the resource is, without an SDK and with one."""
    provider, named = Resource(), Resource(["deployment.environment.name"])
    found = {"before": provider(), "named": named()}
    set_logger_provider(LoggerProvider(SdkResource.create()))
    found["unnamed"] = Resource()()
    attributes = {"service.name": "sdk", "service.version": "3"}
    trace.set_tracer_provider(TracerProvider(resource=SdkResource(attributes)))
    return found | {"after": provider()}


class Recovering(BaseHTTPRequestHandler):
    """A receiver that refuses the first three requests, and counts the records of the others."""

    requests = 0
    ids: ClassVar[list[str]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        Recovering.requests += 1
        is_refused = self.requests <= 3
        if not is_refused:
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
                for record in resource.scope_logs[0].log_records:
                    values = {each.key: each.value.string_value for each in record.attributes}
                    self.ids.append(values["log.record.uid"])
        self.send_response(400 if is_refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


def confirmed():
    """Emit to a receiver that recovers; return the ids that were emitted and those it got."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recovering)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    logs = LoggerProvider()
    exporter = OTLPLogExporter(f"http://127.0.0.1:{server.server_port}/v1/logs")
    logs.add_log_record_processor(BatchLogRecordProcessor(ConfirmedExporter(exporter)))
    set_logger_provider(logs)
    et.configure({"backends": {"otel": OTEL}})
    emitted = [et.emit("edx.burst", {"number": number}) for number in range(1_000)]
    assert et.get_tracker().flush(60)
    [leaf] = et.get_tracker().stats()["tree"]["backends"]
    return {"emitted": emitted, "received": Recovering.ids, "leaf": leaf}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))  # noqa: T201
