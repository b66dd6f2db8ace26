"""The built-in context providers."""

from __future__ import annotations

import gc
import os
import socket
import threading
from weakref import ref

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.plugins import plugins
from eventtracking_core.providers.process import Process
from eventtracking_core.providers.static import Environment, Origin, Static
from eventtracking_core.providers.trace import Trace


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("environment", Environment),
        ("origin", Origin),
        ("process", Process),
        ("static", Static),
        ("trace", Trace),
    ],
)
def test_it_is_known_to_configurations_by_its_name(name, kind):
    assert plugins.find("context provider", name) is kind


def test_events_say_which_process_emitted_them(monkeypatch):
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)

    assert Process()() == {"host": socket.gethostname(), "pid": os.getpid()}


def test_and_which_service(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "lms")

    assert Process()()["service_name"] == "lms"
    values = Process(service_name="cms", service_version="1.2")()
    assert (values["service_name"], values["service_version"]) == ("cms", "1.2")


@pytest.mark.native
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_is_another_process():
    process = Process(service_name="lms")
    child = os.fork()
    if not child:
        values = process()
        os._exit(0 if (values["pid"], values["service_name"]) == (os.getpid(), "lms") else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert process()["pid"] == os.getpid()


def test_events_say_that_they_come_from_the_server_unless_a_context_says_otherwise(tracker):
    memory = MemoryBackend()
    tracker.configure({"context": ["origin"], "backends": {"memory": memory}})
    tracker.emit("seen")
    with tracker.context(origin="client"):
        tracker.emit("seen")

    assert [event["context"] for event in memory.events] == [
        {"origin": "server"},
        {"origin": "client"},
    ]


def test_static_values_are_those_that_were_given():
    values = {"region": "eu", "tags": ["a"]}
    static = Static(values)
    values["region"] = "us"

    assert static() == {"region": "eu", "tags": ["a"]}


def test_variables_of_the_environment_are_read_once_and_those_not_set_left_out(monkeypatch):
    monkeypatch.setenv("TEST_REGION", "eu")
    monkeypatch.delenv("TEST_MISSING", raising=False)
    environment = Environment({"region": "TEST_REGION", "missing": "TEST_MISSING"})
    monkeypatch.setenv("TEST_REGION", "us")

    assert environment() == {"region": "eu"}


@pytest.mark.parametrize("provider", [Process(), Static({"a": 1}), Environment({"a": "HOME"})])
def test_a_processor_that_changes_the_context_does_not_change_the_next_events(provider, tracker):
    memory = MemoryBackend()
    clearing = [lambda event: event["context"].clear()]
    below = {"processors": clearing, "backends": {"null": "null"}}
    tracker.configure({"context": [provider], "backends": {"a": below, "b": memory}})
    tracker.emit("name")
    tracker.emit("name")

    first, second = (event["context"] for event in memory.events)
    assert first == second == provider()


def a_span(number, flags=TraceFlags.SAMPLED):
    context = SpanContext(
        trace_id=0xABC, span_id=number, is_remote=False, trace_flags=TraceFlags(flags)
    )
    return trace.use_span(NonRecordingSpan(context))


def test_events_say_in_which_span_they_were_emitted():
    with a_span(0xDEF):
        assert Trace()() == {
            "trace_id": "00000000000000000000000000000abc",
            "span_id": "0000000000000def",
            "trace_flags": 1,
        }


def test_outside_a_span_and_in_an_invalid_one_there_is_no_trace():
    provider = Trace()

    assert provider() == {}
    with a_span(0):
        assert provider() == {}


def test_the_span_is_the_one_of_the_moment():
    provider = Trace()
    with a_span(1):
        with a_span(2, flags=0):
            assert (provider()["span_id"], provider()["trace_flags"]) == ("0" * 15 + "2", 0)
        assert (provider()["span_id"], provider()["trace_flags"]) == ("0" * 15 + "1", 1)
    assert provider() == {}


def test_a_span_that_ended_is_not_kept_alive():
    provider = Trace()
    span = NonRecordingSpan(SpanContext(0xABC, 1, is_remote=False))
    alive = ref(span)
    with trace.use_span(span):
        provider()
    del span
    gc.collect()
    assert alive() is None


@pytest.mark.native
def test_each_thread_finds_its_own_span():
    provider, found = Trace(), {}

    def look(number):
        for _ in range(500):
            with a_span(number):
                found.setdefault(number, set()).add(provider()["span_id"])

    threads = [threading.Thread(target=look, args=[number]) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: {f"{number:016x}"} for number in range(1, 5)}
