"""Files that were made to break the reader: one kind of error, no value in it, no long wait."""

from __future__ import annotations

import json
from time import process_time

import pytest

import eventtracking_core as et

SECRET = "hunter2"

YAML = {
    "a tag of a truth value": "a: !!bool hunter2",
    "a tag of a number": "a: !!int hunter2",
    "a tag of a number without one": "a: !!int ''",
    "a tag of a fraction": "a: !!float hunter2",
    "a tag of a time": "a: !!timestamp hunter2",
    "a tag of bytes": "a: !!binary hunter2!",
    "a tag of a table": "a: !!map hunter2",
    "a tag of a set": "a: !!set hunter2",
    "a tag of pairs": "a: !!pairs {hunter2: 1}",
    "a time that is none": "a: 2026-99-99",
    "a number without end": f"a: {'9' * 5000}",
    "an unknown tag": "a: !hunter2 1",
    "a verbatim tag": "a: !<hunter<2> 1",
    "an unknown alias": "a: *hunter2",
    "an unknown handle": "a: !hunter2!x 1",
    "a key that is a list": "? [a]\n: 1",
    "a merge of a text": "a: {<<: hunter2}",
    "a merge of texts": "a: {<<: [hunter2]}",
    "a merge of itself": "a: &a {<<: *a}",
    "a tab": "a:\n\tb: hunter2",
    "a missing brace": "a: {b: hunter2",
    "a character that is not allowed": "a: \x00",
    "a directive": "%YAML hunter2\n---\na: 1",
    "two documents": "a: 1\n---\nb: 1",
}


@pytest.mark.parametrize("what", YAML)
def test_yaml_that_means_nothing_is_one_problem_without_its_values(what, refused, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(YAML[what])
    text = refused(file)

    assert text.startswith("c.yaml: 1 problem\n  is not well-formed: ")
    assert SECRET not in text


@pytest.mark.native
def test_a_problem_in_yaml_says_where_and_why(refused, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("backends:\n\ta: memory\n")

    assert "line 2, column 1: found character" in refused(file)
    assert "that cannot start any token (indent with spaces)" in refused(file)


MERGED = """
backends:
  plain: &plain {type: memory, max_events: 5}
  own: {max_events: 6, <<: *plain}
  earlier: {<<: [{max_events: 7}, *plain]}
  next: &next {<<: *plain, max_events: 8}
  again: {<<: *next}
"""


@pytest.mark.native
def test_yaml_merge_keys_are_read_and_own_and_earlier_keys_win(configured, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(MERGED)
    tracker = configured(file)
    for _ in range(10):
        tracker.emit("name")

    assert {name: len(backend.events) for name, backend in tracker.backends.items()} == {
        "plain": 5, "own": 6, "earlier": 7, "next": 8, "again": 8,
    }  # fmt: skip


@pytest.mark.native
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.toml", '[backends.m]\r\ntype = "memory"\r\n'),
        ("c.json", '{"backends": {"m": "memory"}}'),
        ("c.yaml", "backends:\r\n  m: memory\r\n"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_a_file(name, text, configured, tmp_path):
    file = tmp_path / name
    file.write_bytes(text.encode("utf-8-sig"))

    assert list(configured(file).backends) == ["m"]


@pytest.mark.native
def test_an_empty_file_of_yaml_is_an_empty_configuration(configured, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("# nothing yet\n")

    assert configured(file).backends == {}


@pytest.mark.parametrize("path", [r"C:\Users\me", r"C:\x\me", r"D:\new\data", r"C:\Program Files"])
def test_a_windows_path_in_double_quotes_gets_a_hint(path, refused, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(f'path = "{path}\\events"')

    assert "Windows path, in single quotes" in refused(file)


def a_document(size, make):
    return make([f"key_{number}" for number in range(size)])


LARGE = {
    "many keys": ("yaml", lambda keys: "\n".join(f"{key}: 1" for key in keys)),
    "many keys of json": ("json", lambda keys: json.dumps(dict.fromkeys(keys, 1))),
    "many backends": (
        "json",
        lambda keys: json.dumps({"backends": {key: {"type": "x", "y": 1} for key in keys}}),
    ),
    "a long name above many options": (
        "json",
        lambda keys: json.dumps({"backends": {"n." * len(keys): dict.fromkeys(keys, 1)}}),
    ),
    "many variables without an end": (
        "json",
        lambda keys: json.dumps({"backends": "${A:-" * 10 * len(keys)}),
    ),
    "many merges": (
        "yaml",
        lambda keys: "a: &a {b: 1}\nc:\n" + "\n".join(f"  {key}: {{<<: *a}}" for key in keys),
    ),
}


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("what", LARGE)
def test_the_time_to_read_grows_with_the_file_and_no_faster(what, tmp_path):
    suffix, make = LARGE[what]

    def seconds(size):
        file = tmp_path / f"c.{suffix}"
        file.write_text(a_document(size, make))
        best = 9.0
        for _ in range(3):
            begin = process_time()
            with pytest.raises(et.ConfigurationError):
                et.Tracker().configure(file)
            best = min(best, process_time() - begin)
        return best

    # Eight times the size: what is quadratic takes 64 times as long.
    assert seconds(2_000) < 20 * max(seconds(250), 0.01)


BOMBS = {
    "aliases": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
    "merges": "a0: &a0 {x0: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, x{n}: 1}}\n" for n in range(1, 600)),
    "itself": "a: &a [*a]",
    "depth": "a: " + "[" * 1000,
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BOMBS)
def test_little_text_cannot_take_the_memory_or_the_stack(what, refused, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(BOMBS[what])

    assert refused(file).startswith("c.yaml: 1 problem")


def test_a_file_that_is_too_large_is_not_read(refused, tmp_path):
    file = tmp_path / "c.json"
    with file.open("wb") as opened:
        opened.truncate(2**30)

    assert "is larger than 16 MiB" in refused(file)


def test_routers_that_are_nested_without_end_are_a_problem(problems):
    config = {"backends": {"m": "memory"}}
    for _ in range(400):
        config = {"backends": {"r": config}}

    assert problems(config) == [("", "is nested too deep")]


def test_names_cannot_act_on_a_terminal_or_forge_a_line(problems):
    name = "a\x1b[31m\n  b: ok\ud800" + "x" * 1000
    ((path, _),) = problems({"backends": {name: "nonsense"}})

    assert path.startswith(r"backends.a\x1b[31m\n  b: ok\ud800x")
    assert path.isprintable()
    assert len(path) < 200


def test_any_name_can_be_the_name_of_a_backend_with_a_queue(configured):
    name = "é/..\ud800\n"

    assert list(configured({"backends": {name: {"type": "memory", "delivery": "queue"}}}).backends)
