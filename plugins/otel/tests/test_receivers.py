"""Events, metrics and spans end to end: from `emit` to a real receiver of OTLP over HTTP."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.drivers


@pytest.fixture(params=["otlp_tap", "rotel"])
def endpoint(request):
    """The address of a receiver, or of a collector before it."""
    return request.getfixturevalue(request.param).endpoint


def uids(tap):
    return [record["attributes"].get("log.record.uid") for record in tap.logs]


def arrived(tap, ids):
    """Wait for events, and return their records in the order of the ids."""
    assert tap.wait_for(lambda tap: set(ids) <= set(uids(tap))), "they did not all arrive"
    by_id = {record["attributes"]["log.record.uid"]: record for record in tap.logs}
    return [by_id[event_id] for event_id in ids]


def test_an_event_arrives_as_a_record_of_its_span(program, otlp_tap, endpoint):
    emitted, _ = program("one_event", endpoint)
    (record,) = arrived(otlp_tap, [emitted["id"]])
    assert record["eventName"] == "edx.problem.check"
    assert record["traceId"] == emitted["trace_id"]
    assert record["spanId"] == emitted["span_id"]
    assert (record["severityText"], record["severityNumber"]) == ("INFO", 9)
    assert not record["body"]
    assert record["attributes"] == {
        "data": {
            "problem_id": "p1",
            "answer": {"grade": 0.5, "choices": ["a", "b"], "note": None},
        },
        "context": {"course_id": "c1"},
        "user.id": "10938",
        "session.id": "s1",
        "log.record.uid": emitted["id"],
    }


def test_metrics_and_a_linked_span_arrive_with_it(program, otlp_tap, endpoint):
    emitted, _ = program("one_event", endpoint)

    def span(tap):
        links = [(span, link) for span in tap.spans for link in span["links"]]
        return next((span for span, link in links if link["spanId"] == emitted["span_id"]), None)

    assert otlp_tap.wait_for(span)
    assert span(otlp_tap)["name"] == "deliver otel"
    assert span(otlp_tap)["traceId"] != emitted["trace_id"]
    expected = {
        "eventtracking.event.emitted",
        "eventtracking.backend.exported",
        "eventtracking.backend.operation.duration",
        "eventtracking.queue.size",
        "eventtracking.queue.capacity",
    }
    assert otlp_tap.wait_for(lambda tap: expected <= {metric["name"] for metric in tap.metrics})


@pytest.mark.parametrize("order", ["sdk first", "sdk last"])
def test_a_burst_larger_than_the_queue_of_the_sdk_arrives_at_exit(program, otlp_tap, order):
    ids, complaints = program("burst", otlp_tap.endpoint, order)
    arrived(otlp_tap, ids)
    assert len(uids(otlp_tap)) == len(set(uids(otlp_tap)))
    assert not complaints


def test_one_event_of_a_hundred_that_the_sdk_refuses_is_a_dead_letter(program, otlp_tap, endpoint):
    """P13: the other 99 arrive, and the ledger knows of each."""
    poisoned, _ = program("poison", endpoint, "refused")
    poison = poisoned["ids"].pop(50)
    assert len(arrived(otlp_tap, poisoned["ids"])) == 99
    assert poison not in uids(otlp_tap)
    leaf = poisoned["leaf"]
    assert (leaf["accepted"], leaf["delivered"], leaf["dead_lettered"]) == (100, 99, 1)
    assert (leaf["dropped"], leaf["pending"]) == ({}, 0)


@pytest.mark.parametrize("kind", ["deep", "early", "late", "values"])
def test_what_otlp_has_no_room_for_does_not_take_its_request_along(
    program, otlp_tap, endpoint, kind
):
    """Each of these fails the whole request, where it is not put into another form."""
    poisoned, complaints = program("poison", endpoint, kind)
    record = arrived(otlp_tap, poisoned["ids"])[50]
    assert kind in json.dumps(record["attributes"]) or kind in {"early", "late"}
    assert poisoned["leaf"]["delivered"] == 100
    assert "Traceback" not in complaints


def test_a_fork_neither_loses_nor_doubles_an_event(program, otlp_tap):
    ids, _ = program("fork", otlp_tap.endpoint)
    arrived(otlp_tap, ids)
    assert [uids(otlp_tap).count(event_id) for event_id in ids] == [1, 1, 1]
