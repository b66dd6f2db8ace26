"""`eventtracking events export`: files that other tools read."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from datetime import UTC, datetime
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from eventtracking_cli.flattening import flatten
from eventtracking_cli.tabulating import write_csv

EVENTS = [
    {
        "name": "a",
        "timestamp": "2026-09-12T12:55:00.123456Z",
        "context": {"user_id": 7, "course": {"id": "c1"}},
        "data": {"n": 1, "ok": True, "mixed": 1, "text": 'a "quoted"\nline; é'},
    },
    {
        "name": "b",
        "timestamp": "2026-09-12T12:55:01Z",
        "context": {"user_id": 8},
        "data": {"n": 2.5, "ok": False, "mixed": "x", "tags": ["a", {"b": None}]},
    },
    {
        "name": "b",
        "timestamp": "2026-09-12T12:55:02Z",
        "context": {"user_id": 9},
        "data": {"n": None, "big": 2**70, "exact": 2**60, "empty": {}},
    },
    {"name": "c", "timestamp": "2026-09-12T12:55:03Z", "data": {"exact": 0.5}},
]


@pytest.fixture
def source(log):
    return log(*EVENTS, name="events.ndjson")


def test_csv_has_a_column_for_each_field(run, source, tmp_path):
    ran = run("events", "export", "--from", source, "-o", "out.csv")
    assert (ran.code, ran.out, ran.err) == (0, "", "4 events written to out.csv\n")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["id", "name", "timestamp", "context.user_id", "context.course.id"]
    first, second, third, _ = rows
    assert first["timestamp"] == "2026-09-12T12:55:00.123456Z"
    assert (first["context.user_id"], first["context.course.id"]) == ("7", "c1")
    assert (first["data.ok"], second["data.ok"], third["data.ok"]) == ("true", "false", "")
    assert first["data.text"] == EVENTS[0]["data"]["text"]
    assert json.loads(second["data.tags"]) == ["a", {"b": None}]
    assert third["data.big"] == str(2**70)


def test_parquet_has_columns_with_the_types_of_their_values(run, source, tmp_path):
    ran = run("events", "export", "--from", source, "-o", "out.parquet")
    assert ran.code == 0, ran.err
    table = parquet.read_table(tmp_path / "out.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types["timestamp"] == "timestamp[us, tz=UTC]"
    assert types["context.user_id"] == "int64"
    assert (types["data.n"], types["data.ok"]) == ("double", "bool")
    assert types["data.mixed"] == types["data.big"] == types["data.exact"] == "string"
    columns = table.to_pydict()
    assert columns["timestamp"][0] == datetime(2026, 9, 12, 12, 55, 0, 123456, tzinfo=UTC)
    assert columns["context.user_id"] == [7, 8, 9, None]
    assert columns["data.n"] == [1.0, 2.5, None, None]
    assert columns["data.mixed"] == ["1", "x", None, None]
    assert columns["data.exact"] == [None, None, str(2**60), "0.5"]


def test_ndjson_has_each_event_whole_and_is_read_again(run, source, tmp_path):
    assert run("events", "export", "--from", source, "-o", "out.ndjson").code == 0
    first = run("events", "list", "--from", source, "--json").events
    assert run("events", "list", "--from", "out.ndjson", "--json").events == first
    assert run("events", "export", "--from", source).events == first[::-1]


def test_filters_choose_what_is_exported(run, source):
    ran = run("events", "export", "--from", source, "--format", "csv", "--where", "data.n=2.5")
    assert len(ran.out.splitlines()) == 2
    ran = run("events", "export", "--from", source, "--format", "csv", "--name", "nothing")
    assert (ran.code, ran.out) == (0, "\n")


def test_a_file_is_there_only_once_it_is_complete(run, log, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("before")
    fields = {f"f{number}": number for number in range(1001)}
    wide = log({"name": "a", "timestamp": "2026-09-12T12:55:00Z", "data": fields}, name="w.log")
    ran = run("events", "export", "--from", wide, "-o", "out.csv")
    assert ran.code == 1
    assert "more than 1,000 fields" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "w.log"]
    assert out.read_text() == "before"
    assert run("events", "export", "--from", "missing.log", "-o", "out.csv").code == 1
    assert out.read_text() == "before"


def test_an_export_replaces_neither_what_it_reads_nor_a_database(run, source, config, tmp_path):
    stored = '[backends.b]\ntype = "sqlite"\npath = "events.db"\n'
    assert run("ingest", source, "--config", config(stored)).code == 0
    (tmp_path / "link.csv").symlink_to("events.ndjson")
    for origin, output, reason in (
        ("events.ndjson", "events.ndjson", "is read from"),
        ("events.ndjson", "link.csv", "is read from"),
        ("events.ndjson", "events.db", "is a database"),
        ("events.db", "events.db", "is a database"),
    ):
        before = (tmp_path / output).read_bytes()
        ran = run("events", "export", "--from", origin, "--format", "csv", "-o", output)
        assert (ran.code, ran.err) == (1, f"Error: {output} {reason}: name another output\n")
        assert (tmp_path / output).read_bytes() == before


def test_an_export_to_a_pipe_goes_through_it(source, program, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with subprocess.Popen(
        ["cat", tmp_path / "pipe.csv"], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert program("events", "export", "--from", source, "-o", "pipe.csv").code == 0
        assert reader.communicate(timeout=60)[0].startswith("id,name,timestamp,")
    assert (tmp_path / "pipe.csv").is_fifo()


def test_a_directory_that_is_missing_is_said_by_the_name_of_the_output(run, source):
    ran = run("events", "export", "--from", source, "-o", "missing/out.csv")
    assert (ran.code, ran.err) == (1, "Error: missing/out.csv: No such file or directory\n")


def test_parquet_needs_a_file(run, source):
    assert run("events", "export", "--from", source, "--format", "parquet").code == 2


def test_columns_that_only_late_events_have_stand_in_order(run, log, tmp_path):
    long = "é" * 200_000
    late = [
        {"name": "b", "context": {"late": 1}, "data": {"n": long, "zero": {"deep": True}}},
        {"name": "b", "data": {"n": None}},
    ]
    usual = [{"name": "a", "context": {"user_id": 7}, "data": {"n": 1, "ok": False}}] * 10_001
    events = [{**event, "timestamp": "2026-09-12T12:55:00Z"} for event in usual + late]
    ran = run("events", "export", "--from", log(*events, name="e.ndjson"), "-o", "out.csv")
    assert (ran.code, ran.err) == (0, "10,003 events written to out.csv\n")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        header, first, *_, other, last = _long_rows(file)
    assert header[3:] == ["context.user_id", "context.late", "data.n", "data.ok", "data.zero.deep"]
    assert first[3:] == ["7", "", "1", "false", ""]
    assert other[3:] == ["", "1", long, "", "true"]
    assert last[3:] == [""] * 5


def _long_rows(file):
    limit = csv.field_size_limit(1_000_000)
    try:
        return list(csv.reader(file))
    finally:
        csv.field_size_limit(limit)


_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1, 1) | st.text()
_KEYS = st.sampled_from(["a", "b", "a.b", 'c, "d"'])
_VALUES = st.recursive(_SCALARS, lambda values: st.lists(values) | st.dictionaries(_KEYS, values))
_FIELDS = st.dictionaries(_KEYS, _VALUES, max_size=3)


EVENT = {"id": "1", "name": "a", "timestamp": datetime(2026, 9, 12, tzinfo=UTC)}


@pytest.mark.drivers
@given(st.lists(st.tuples(_FIELDS, _FIELDS), max_size=5))
def test_each_row_has_the_values_of_its_event(events):
    file = BytesIO()
    write_csv([{**EVENT, "context": context, "data": data} for context, data in events], file)
    rows = csv.DictReader(StringIO(file.getvalue().decode(), newline=""))
    for row, (context, data) in zip(rows, events, strict=True):
        expected = flatten({"context": context, "data": data})
        given_ = {column: text for column, text in row.items() if column.startswith(("c", "d"))}
        assert given_ == {column: _text(expected.get(column)) for column in given_}
        assert expected.keys() <= row.keys()


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
