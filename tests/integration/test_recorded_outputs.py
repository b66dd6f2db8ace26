"""The outputs that the documentation records: what may differ in another run, and what may not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "extension"))

from recording import commands, differences


@pytest.mark.parametrize(
    ("recorded", "real"),
    [
        ("emitted at 2026-11-22T18:20:11.547366Z", "emitted at 2027-01-02T03:04:05Z"),
        ("11-22 18:20  a.b", "01-02 03:04  a.b"),
        ("01a2047c-b59b-7000-8102-d5f5beb04017", "01a2ffff-0000-7fff-9fff-0000deadbeef"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 00f067aa0ba902b7a3ce929d0e0e4736"),
        ("5,174 a second", "23 a second"),
        ("took 1.5 s", "took 320 ms"),
        ("(installed: file, sqlite)", "(installed: file)"),
        ("a.b  3 ████", "a.b  3 █"),
        ("a.b ▁▂ █", "a.b █"),
        ("name   count", "name count  "),
    ],
)
def test_what_differs_in_each_run_is_not_compared(recorded, real):
    assert differences(recorded, real) == ""


@pytest.mark.parametrize(
    ("recorded", "real"),
    [
        ("3 events written", "4 events written"),
        ("a.b  3", "a.c  3"),
        ("ok", "Error: ok"),
        ("user 10938", "user 10939"),
        ("one", "one\ntwo"),
        ("version 1.2", "version 1.3"),
    ],
)
def test_everything_else_is_compared(recorded, real):
    lines = differences(recorded, real).splitlines()
    assert any(line.startswith("+ ") for line in lines)


def test_a_page_says_what_else_differs_in_each_run():
    assert differences("pid 17", "pid 4", also=r"pid \d+") == ""
    assert differences("pid 17, 3", "pid 4, 5", also=r"pid \d+") != ""


def test_a_secret_in_a_command_s_output_is_a_difference_from_its_mask():
    """A page never records a secret: the output has the mask that the program prints."""
    assert differences('write_key = "***"', 'write_key = "abc"') != ""


def test_a_block_with_prompts_has_the_output_of_each_command():
    first, second = commands(["$ a", "1", "2", "$ b"])
    assert (first.line, first.output) == ("a", ["1", "2"])
    assert (second.line, second.output) == ("b", [])
    assert [each.output for each in commands(["a", "b"])] == [None, None]
