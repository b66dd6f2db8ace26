"""A worker that signs people up: it reads jobs, a line of JSON each, and logs with structlog."""

import json
import os
import sys

import structlog
from opentelemetry import context
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.trace import format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import eventtracking_core as et
from eventtracking_structlog import TrackingLogger, merge_tracker_context, tracking_wrapper


def add_trace_id(_logger, _method_name, line):
    span = get_current_span().get_span_context()
    if span.is_valid:
        line["trace_id"] = format_trace_id(span.trace_id)
    return line


structlog.configure(
    wrapper_class=tracking_wrapper(structlog.make_filtering_bound_logger("info")),
    processors=[
        structlog.contextvars.merge_contextvars,
        merge_tracker_context,
        add_trace_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("iso"),
        structlog.processors.JSONRenderer(),
    ],
)
log: TrackingLogger = structlog.get_logger()


def sign_up(job):
    account = log.bind(user_id=job["user_id"])
    account.info("signed up", track="edx.account.created", plan=job["plan"])
    account.emit("edx.mail.queued", template="welcome")


def send_over_otlp():
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    set_logger_provider(provider)


def main():
    if "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ:
        send_over_otlp()
    et.configure()
    for text in sys.stdin:
        job = json.loads(text)
        token = context.attach(TraceContextTextMapPropagator().extract(job))
        with et.context("worker", {"queue": "accounts"}):
            sign_up(job)
        context.detach(token)


main()
