"""The example of the documentation, as it is, with real servers: each event is everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "signup"
TRACES = [f"{number:032x}" for number in range(0xA1, 0xA6)]


@pytest.fixture
def signed_up(tmp_path):
    """Runs the example with a job for each trace; returns the lines of its log."""

    def run(**environment):
        shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
        jobs = [
            {"user_id": number, "plan": "pro", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
            for number, trace in enumerate(TRACES)
        ]
        ran = subprocess.run(
            [sys.executable, "signup.py"],
            cwd=tmp_path,
            env={
                **os.environ,
                "EVENTTRACKING_CONFIG_FILE": "eventtracking.toml",
                **environment,
            },
            input="\n".join(map(json.dumps, jobs)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return list(map(json.loads, ran.stdout.splitlines()))

    return run


def in_log(lines):
    return [
        (line["event_id"], line["event"], line["context"], line["data"])
        for line in lines
        if line["event"].startswith("edx.")
    ]


def in_mongo(database):
    return [
        (document["_id"], document["name"], document["context"], document["data"])
        for document in database["events"].find().sort("_id")
    ]


def in_otlp(tap, ids):
    """Wait for the events' records, and return them in the order of their ids."""

    def records():
        found = {each["attributes"].get("log.record.uid"): each for each in tap.logs}
        return [found[event_id] for event_id in ids if event_id in found]

    assert tap.wait_for(lambda _: len(records()) == len(ids)), "they did not all arrive"
    return [
        (
            record["attributes"]["log.record.uid"],
            record["eventName"],
            {
                "trace_id": record["traceId"],
                "user_id": record["attributes"]["user.id"],
                **record["attributes"]["context"],
            },
            record["attributes"]["data"],
        )
        for record in records()
    ]


@pytest.fixture
def servers(mongo_uri, mongo_database, rotel):
    return {
        "MONGO_URI": mongo_uri,
        "MONGO_DATABASE": mongo_database.name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": rotel.endpoint,
    }


def test_each_event_is_in_the_log_in_mongo_and_in_rotel_with_its_trace(
    signed_up, servers, mongo_database, otlp_tap
):
    lines = signed_up(**servers)
    logged = in_log(lines)
    arrived = {
        "log": logged,
        "mongo": in_mongo(mongo_database),
        "rotel": in_otlp(otlp_tap, [event_id for event_id, *_ in logged]),
    }
    assert sorted(arrived["mongo"]) == sorted(logged)
    for where, events in arrived.items():
        assert [event[:2] for event in events] == [event[:2] for event in logged], where
        assert [event[3] for event in events] == [event[3] for event in logged], where
        assert [name for _, name, _, _ in events] == [
            *("edx.account.created", "edx.mail.queued")
        ] * len(TRACES)
        for number, trace in enumerate(TRACES):
            for _, _, context, _ in events[2 * number : 2 * number + 2]:
                assert (int(context["user_id"]), context["trace_id"]) == (number, trace)
                assert context["queue"] == "accounts"


def test_a_line_and_its_event_know_each_other(signed_up, servers):
    lines = signed_up(**servers)
    created = {line["event_id"]: line for line in lines if line["event"] == "edx.account.created"}
    said = [line for line in lines if line["event"] == "signed up"]
    assert [line["trace_id"] for line in said] == TRACES
    for line in said:
        event = created.pop(line["event_id"])
        assert event["context"]["trace_id"] == line["trace_id"] == event["trace_id"]
        assert event["data"] == {"plan": "pro"}
    assert not created
