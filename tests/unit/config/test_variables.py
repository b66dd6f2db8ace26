"""Variables of the environment in a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventtracking_core.config import read


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    values = {"HOST": "db", "PORT": "5432", "YES": "true", "RATE": "0.5", "EMPTY": ""}
    values |= {"SIZE": "64 KiB", "NESTED": "${TEST_HOST}"}
    for name, value in values.items():
        monkeypatch.setenv(f"TEST_{name}", value)
    monkeypatch.delenv("TEST_UNSET", raising=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${TEST_HOST}", "db"),
        ("mongodb://${TEST_HOST}:${TEST_PORT}/", "mongodb://db:5432/"),
        ("${TEST_UNSET:-localhost}", "localhost"),
        ("${TEST_UNSET:-}", ""),
        ("${TEST_UNSET:-a:b-c}", "a:b-c"),
        ("${TEST_HOST:-localhost}", "db"),
        ("${TEST_EMPTY}", ""),
        ("${TEST_NESTED}", "${TEST_HOST}"),
        ("$TEST_HOST", "$TEST_HOST"),
        ("${1}", "${1}"),
        ("$", "$"),
    ],
)
def test_a_variable_stands_for_its_value(text, expected, shown):
    assert shown(text=text) == {"text": expected}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"number": "${TEST_PORT}"}, 5432),
        ({"share": "${TEST_RATE}"}, 0.5),
        ({"on": "${TEST_YES}"}, True),
        ({"on": "${TEST_UNSET:-0}"}, False),
        ({"text": "${TEST_PORT}"}, "5432"),
        ({"anything": "${TEST_PORT}"}, "5432"),
        ({"numbers": ["${TEST_PORT}", 1]}, [5432, 1]),
        ({"size": "${TEST_SIZE}"}, 65536),
        ({"limit": "${TEST_PORT}"}, 5432),
        ({"path": "${TEST_HOST}/log"}, Path("db/log")),
        ({"table": {"deep": {"${TEST_HOST}": "${TEST_HOST}"}}}, {"deep": {"${TEST_HOST}": "db"}}),
    ],
)
def test_a_value_becomes_what_is_expected(given, expected, shown):
    (made,) = shown(**given).values()

    assert made == expected
    assert type(made) is type(expected) or isinstance(made, Path)


def test_a_text_that_was_written_as_text_does_not_become_a_number(problems):
    assert problems({"backends": {"a": {"type": "testing.showing", "number": "5432"}}}) == [
        ("backends.a.number", "expected int, got str")
    ]


def test_a_value_that_is_no_number_is_a_problem_and_not_printed(problems, monkeypatch):
    monkeypatch.setenv("TEST_PORT", "hunter2")
    node = {"type": "testing.showing", "number": "${TEST_PORT}"}
    ((path, message),) = problems({"backends": {"a": node}})

    assert path == "backends.a.number"
    assert "hunter2" not in message


def test_a_variable_that_is_not_set_is_a_problem_at_its_place(problems):
    config = {
        "processors": [{"type": "name_allowlist", "names": ["a", "${TEST_UNSET}"]}],
        "backends": {"a": {"type": "testing.showing", "text": "x${TEST_UNSET}${TEST_GONE}"}},
    }
    found = problems(config)

    assert [path for path, _ in found] == [
        "processors[0].names[1]", "backends.a.text", "backends.a.text",
    ]  # fmt: skip
    assert all("is not set in the environment" in message for _, message in found)
    assert "${TEST_GONE:-default}" in found[2][1]


def test_variables_are_read_where_files_are(tmp_path):
    file = tmp_path / "eventtracking.toml"
    file.write_text('[backends.a]\ntype = "${TEST_HOST}"\n')

    assert read(file).tree == {"backends": {"a": {"type": "db"}}}
