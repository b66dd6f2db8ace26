"""What `eventtracking ingest` reads: files of any form, pipes, logs with records of event types."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import sqlite3
from contextlib import closing

import pytest
import zstandard

from eventtracking_core import EventType


@pytest.mark.parametrize(
    "compress", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress]
)
def test_compressed_logs_are_told_by_their_first_bytes(run, config, mixed, tmp_path, compress):
    half = len(mixed.read_bytes()) // 2
    content = mixed.read_bytes()
    packed = tmp_path / "tracking.log.1"
    packed.write_bytes(compress(content[:half]) + compress(content[half:]))
    ran = run("ingest", packed, "--config", config())
    assert ran.out.splitlines()[-1] == "6 lines read, 1 rejected, 5 in store (5 new)"


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_compressed_log_that_is_cut_off_is_said_to_be(run, config, log, edx, compress):
    cut = log(*[edx(session=os.urandom(500).hex()) for _ in range(200)], name="cut")
    for length in (-20, 20):
        cut.write_bytes(compress(cut.read_bytes())[:length])
        ran = run("ingest", cut, "--config", config())
        assert ran.code == 1
        assert "cut: the compressed file is damaged or cut off after line" in ran.err


def test_a_damaged_file_costs_no_line_before_the_damage_and_no_other_file(
    run, config, log, edx, tmp_path
):
    events = [edx(session=os.urandom(100).hex()) for _ in range(200)]
    cut = log(*events, name="cut.gz")
    cut.write_bytes(gzip.compress(cut.read_bytes())[:-100])
    archive = tmp_path / "logs.zip"
    archive.write_bytes(b"PK\x03\x04")
    ran = run("ingest", archive, cut, log(edx()), "--config", config(), "--json")
    assert ran.code == 1
    assert f"{archive}: the file is a zip archive: unpack it first" in ran.err
    assert ran.json["rejected"] == 0
    assert 190 < ran.json["stored"]["store"] < 201


@pytest.mark.once
def test_the_standard_input_is_read_where_a_file_is_called_dash(program, config, mixed):
    content = gzip.compress(mixed.read_bytes())
    ran = program("ingest", "-", "--config", config(), input=content)
    assert ran.out.splitlines()[-1] == "6 lines read, 1 rejected, 5 in store (5 new)"
    assert ran.err.startswith("-:3: rejected: ")


def test_a_huge_line_is_rejected_and_the_next_one_read(run, config, log, edx, tmp_path):
    huge = json.dumps(edx(page="x" * (20 << 20)))
    ran = run("ingest", log(huge, edx()), "--config", config(), "--rejects", "rejects")
    assert ran.out.splitlines()[-1] == "2 lines read, 1 rejected, 1 in store (1 new)"
    assert "longer than 16,777,216 bytes" in ran.err
    assert (tmp_path / "rejects").stat().st_size < 5000


def test_several_files_are_read_in_their_order(run, config, log, edx):
    first = log(edx(name="first"), name="a.log")
    second = log("?", edx(name="second"), name="b.log")
    ran = run("ingest", second, first, "--config", config())
    assert f"{second}:1: rejected" in ran.err
    assert ran.out.splitlines()[-1] == "3 lines read, 1 rejected, 2 in store (2 new)"


def test_nothing_is_read_where_one_of_the_files_is_missing(run, config, mixed, tmp_path):
    ran = run("ingest", mixed, "missing.log", "--config", config())
    assert ran.code == 2
    assert "missing.log" in ran.err
    assert not (tmp_path / "events.db").exists()


def test_a_directory_is_no_log(run, config, tmp_path):
    ran = run("ingest", tmp_path, "--config", config())
    assert ran.code == 2
    assert "is a directory" in ran.err


def test_names_of_files_cannot_act_on_the_terminal(run, config, log):
    ran = run("ingest", log("?", name="a\x1b[31m.log"), "--config", config())
    assert "a\\x1b[31m.log:1: rejected" in ran.err
    assert "\x1b" not in ran.err + ran.out


def test_what_is_read_may_be_a_pipe(run, config, mixed):
    reader, writer = os.pipe()
    with io.FileIO(writer, "w") as pipe:
        pipe.write(mixed.read_bytes())
    ran = run("ingest", f"/dev/fd/{reader}", "--config", config())
    os.close(reader)
    assert ran.out.splitlines()[-1] == "6 lines read, 1 rejected, 5 in store (5 new)"


def test_the_records_of_a_log_that_documents_itself_are_no_rejected_lines(run, config, log):
    record = EventType(name="edx.video.played", description="A video began to play.")
    event = {"name": "edx.video.played", "timestamp": "2026-09-12T12:55:03Z", "name_id": record.id}
    ran = run("ingest", log(record.to_line(), event), "--config", config(), "--strict")
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        "2 lines read, 0 rejected, 1 in store (1 new)",
    )


def test_the_records_of_a_log_reach_every_sink_that_keeps_records(run, config, log, tmp_path):
    context = EventType(kind="context", name="request", description="A request.")
    played = EventType(name="edx.video.played", description="A video began to play.")
    newer = EventType(name="edx.video.played", description="A video was started by a person.")
    event = {
        "name": "edx.video.played",
        "timestamp": "2026-09-12T12:55:03Z",
        "name_id": played.id,
        "context_type_id": context.id,
    }
    lines = [record.to_line() for record in (context, played, newer)]
    written = log(*lines, event, {**event, "name_id": newer.id})
    both = config(
        """
        [backends.store]
        type = "sqlite"
        path = "events.db"
        [backends.queued]
        type = "file"
        path = "queued.ndjson"
        delivery = "queue"
        [backends.copy]
        type = "file"
        path = "copy.ndjson"
        """
    )
    assert run("ingest", written, "--config", both).code == 0

    with closing(sqlite3.connect(tmp_path / "events.db")) as database:
        ids = {row[0] for row in database.execute("SELECT id FROM event_types")}
    assert ids == {context.id, played.id, newer.id}
    for copy in ("copy.ndjson", "queued.ndjson"):
        entries = [json.loads(line) for line in (tmp_path / copy).read_text().splitlines()]
        known = set()
        for entry in entries:
            if "event_type" in entry:
                known.add(entry["event_type"]["id"])
            else:
                assert {entry["name_id"], entry["context_type_id"]} <= known
        assert known == ids
