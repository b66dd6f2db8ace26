"""`eventtracking ingest`: what of a log is stored, what is rejected, and what it says."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from waiting import DEADLINE

ROUTED = """
    [backends.course]
    processors = [
        { type = "redact", fields = ["context.ip"] },
        { type = "regex_filter", filter_type = "allowlist", regular_expressions = ["edx\\\\..*"] },
    ]
    [backends.course.backends.log]
    type = "file"
    path = "events.ndjson"
    [backends.course.backends.store]
    type = "sqlite"
    path = "events.db"
"""


SMALL_QUEUE = """
    [backends.log]
    type = "file"
    path = "events.ndjson"
    delivery = { mode = "queue", max_queue_size = 100, max_queue_bytes = "400 KiB" }
"""


def test_a_log_goes_through_filter_and_redactor_into_each_backend(run, config, mixed, tmp_path):
    ran = run("ingest", mixed, "--config", config(ROUTED))
    assert ran.code == 0
    expected = "6 lines read, 1 rejected, 2 filtered, 3 in course.log, 3 in course.store (3 new)"
    assert ran.out.splitlines()[-1] == expected
    assert f"{mixed}:3: rejected: not JSON" in ran.err
    for sink in tmp_path.glob("events.*"):
        assert b"192.0.2.9" not in sink.read_bytes()
    assert len((tmp_path / "events.ndjson").read_text().splitlines()) == 3


def test_ingesting_twice_stores_once(run, config, mixed):
    for _ in range(2):
        ran = run("ingest", mixed, "--config", config(ROUTED))
        assert ran.code == 0
    assert run("events", "count", "--from", "events.db").out == "3\n"


def test_a_repeat_says_how_many_events_were_new(run, config, log, edx):
    first = log(edx(name="a"), edx(name="b"))
    assert run("ingest", first, "--config", config(), "--json").json["new"] == {"store": 2}
    ran = run("ingest", log(edx(name="b"), edx(name="c")), "--config", config())
    assert ran.out.splitlines()[-1] == "2 lines read, 0 rejected, 2 in store (1 new)"


def test_a_file_without_a_single_event_makes_the_exit_code_1(run, config, log):
    assert run("ingest", log("a", "b"), "--config", config()).code == 1
    assert run("ingest", log(""), "--config", config()).code == 0


@pytest.mark.once
def test_an_interrupted_run_says_how_to_go_on_and_keeps_what_it_read(program, config, eventually):
    command = [program.path, "ingest", "-", "--config", config()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ran:
        line = '{"name": "n", "time": "2026-09-12T12:55:00Z", "event": {"n": %d}}'
        for number in range(5000):
            print(line % number, file=ran.stdin)
        ran.stdin.flush()
        eventually(Path("events.db").exists)
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate(timeout=DEADLINE)
    assert ran.returncode == 130
    assert "interrupted; run it again to continue" in err
    assert "Traceback" not in err
    stored = int(re.search(r"([\d,]+) in store", out)[1].replace(",", ""))
    assert stored > 0


@pytest.mark.once
def test_what_was_killed_is_stored_exactly_by_a_second_run(program, config, eventually, log, edx):
    written = log(*[edx(event={"n": number}) for number in range(12_000)])
    command = [program.path, "ingest", written, "--config", config()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        eventually(lambda: _stored() or killed.poll() is not None)
        killed.kill()
    assert _stored() <= 12_000
    assert program("ingest", written, "--config", config()).code == 0
    assert _stored() == 12_000


@pytest.mark.once
def test_a_line_of_a_pipe_is_stored_before_the_next_one_comes(program, config, eventually, edx):
    command = [program.path, "ingest", "-", "--config", config()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ran:
        for number in range(2):
            print(json.dumps(edx(event={"n": number})), file=ran.stdin, flush=True)
            eventually(lambda stored=number + 1: _stored() == stored)
        out, err = ran.communicate(timeout=DEADLINE)
    assert (ran.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "2 lines read, 0 rejected, 2 in store (2 new)"


def _stored():
    if not Path("events.db").exists():
        return 0
    with closing(sqlite3.connect("file:events.db?mode=ro", uri=True, timeout=DEADLINE)) as database:
        tables = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'events'")
        if not tables.fetchone()[0]:
            return 0
        return database.execute("SELECT count(*) FROM events").fetchone()[0]


def test_the_routing_tree_is_drawn_with_its_counters(run, config, mixed):
    out = run("ingest", mixed, "--config", config(ROUTED)).out
    assert "course  router  5 in, 2 filtered" in out
    assert "regex_filter, 2 dropped" in out
    assert "store  sqlite, inline  3 delivered" in out


def test_the_summary_comes_as_json_too(run, config, mixed):
    summary = run("ingest", mixed, "--config", config(ROUTED), "--json").json
    assert (summary["lines"], summary["events"], summary["rejected"]) == (6, 5, 1)
    assert summary["dropped"] == {"filtered": 2}
    assert summary["stored"] == {"course.log": 3, "course.store": 3}


def test_rejected_lines_are_written_with_their_number_and_the_reason(
    run, config, log, edx, tmp_path
):
    ran = run(
        "ingest", log(edx(), "no event", b"\xff\xfe", "[1]"), "--config", config(),
        "--rejects", "rejects.ndjson",
    )  # fmt: skip
    rejected = (tmp_path / "rejects.ndjson").read_text()
    rejects = [json.loads(line) for line in rejected.splitlines()]
    assert ran.code == 0
    assert [(reject["line"], reject["reason"], reject["text"]) for reject in rejects] == [
        (2, "not JSON: there is no object in the line", "no event"),
        (3, "not UTF-8 text (byte 1)", "\\xff\\xfe"),
        (4, "not JSON: there is no object in the line", "[1]"),
    ]
    assert {reject["file"] for reject in rejects} == {str(tmp_path / "tracking.log")}
    assert (tmp_path / "rejects.ndjson").stat().st_mode & 0o777 == 0o600


def test_many_rejected_lines_are_counted_not_listed(run, config, log):
    ran = run("ingest", log(*["?"] * 30), "--config", config())
    assert ran.err.count(": rejected: ") == 10
    assert "and 20 lines more" in ran.err


def test_strict_stops_at_the_first_rejected_line(run, config, mixed):
    ran = run("ingest", mixed, "--config", config(), "--strict")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "3 lines read, 1 rejected, 2 in store (2 new)"


def test_rejects_never_overwrite_what_is_read(run, config, mixed):
    before = mixed.read_bytes()
    assert run("ingest", mixed, "--config", config(), "--rejects", mixed).code == 2
    assert mixed.read_bytes() == before


def test_a_configuration_without_backends_is_refused_before_anything_is_read(run, config, mixed):
    ran = run("ingest", mixed, "--config", config("processors = []\n"))
    assert ran.code == 1
    assert "has no backend" in ran.err


def test_events_that_no_backend_could_keep_make_the_exit_code_1(run, config, mixed, tmp_path):
    (tmp_path / "blocked").write_text("a file, where a directory would be needed")
    broken = '[backends.store]\ntype = "sqlite"\npath = "blocked/events.db"\n'
    ran = run("ingest", mixed, "--config", config(broken))
    assert ran.code == 1
    assert "store  sqlite, inline  0 delivered, 5 error" in ran.out


@pytest.mark.once
def test_where_there_is_no_terminal_progress_is_a_plain_line(run, config, log, edx):
    line = json.dumps(edx())
    nowhere = config('[backends.nowhere]\ntype = "null"\n')
    ran = run("ingest", log(*[line] * 100_000), "--config", nowhere)
    assert ran.err == "100,000 lines read\n"


@pytest.mark.parametrize("sizes", [[50_000] * 40, [10] * 1000, [150_000, 300_000] * 5])
def test_lines_are_read_no_faster_than_a_queue_has_room_for_them(run, log, edx, config, sizes):
    lines = [edx(event={"n": n, "text": "x" * size}) for n, size in enumerate(sizes)]
    ran = run("ingest", log(*lines), "--config", config(SMALL_QUEUE), "--json")
    assert ran.json["stored"] == {"log": len(sizes)}
    assert ran.code == 0
