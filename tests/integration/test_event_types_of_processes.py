"""Processes agree on what events mean, without a database between them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

REGISTER = """
import json, sys
import eventtracking_core as et

description, seed = sys.argv[1:]
tracker = et.Tracker()
names = ["problem_id", "attempts"]
fields = {name: f"means {name}" for name in (names if seed == "0" else reversed(names))}
record = tracker.register("edx.problem.check", description, fields)


@et.event("edx.problem.show_answer")
class ShowAnswer:
    "An answer was shown."
    problem_id: str


with tracker.context("a", {}, "one"), tracker.context("b", {}, "two"):
    pass
json.dump(
    {
        "registered": record.id,
        "declared": ShowAnswer.__event_type__.id,
        "composed": tracker.event_types.compose(
            tuple(each.id for each in tracker.event_types.records()[1:])
        ),
        "record": record.to_dict(),
    },
    sys.stdout,
)
"""


@pytest.fixture(scope="module")
def process():
    """Registers types in a process of its own; tells their ids."""

    def process(description, seed):
        ran = subprocess.run(
            [sys.executable, "-c", REGISTER, description, seed],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
            text=True,
            timeout=60,
        )
        return json.loads(ran.stdout)

    return process


def test_two_processes_that_register_the_same_type_get_the_same_id(process):
    one, other = process("A problem was checked.", "0"), process("A problem was checked.", "1")

    for kind in ("registered", "declared", "composed"):
        assert one[kind] == other[kind]
    assert one["record"]["registered_at"] != other["record"]["registered_at"]


def test_one_changed_description_is_a_new_id_and_the_old_record_is_there_still(process):
    one, other = process("A problem was checked.", "0"), process("A problem was graded.", "0")

    assert one["registered"] != other["registered"]
    assert one["declared"] == other["declared"]
    assert one["record"]["description"] == "A problem was checked."
