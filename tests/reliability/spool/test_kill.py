"""P2: what `emit` acknowledged survives `kill -9` of the emitter."""

from __future__ import annotations

from random import uniform
from threading import Event as Signal

import pytest


def kill_while_emitting(start, **options):
    emitters = [start("emit_until_killed", mode="spool", **options) for _ in range(2)]
    for emitter in emitters:
        assert emitter.stdout.readline() == "ready\n"
    Signal().wait(uniform(0.02, 0.2))
    for emitter in emitters:
        emitter.kill()
    for emitter in emitters:
        emitter.wait()


def check_nothing_lost(journals):
    assert journals.segments == []
    assert journals.acknowledged
    assert set(journals.acknowledged) - set(journals.delivered) == set()


@pytest.mark.parametrize("behaviour", ["healthy", "refusing", "black hole"])
def test_nothing_acknowledged_is_lost_when_emitters_are_killed(behaviour, start, run, journals):
    for _ in range(2):
        kill_while_emitting(start, behaviour=behaviour)
    run("drain", mode="spool")
    check_nothing_lost(journals)


def test_nothing_that_threads_acknowledged_is_lost_when_their_process_is_killed(
    start, run, journals
):
    for _ in range(2):
        kill_while_emitting(start, threads=7)
    run("drain", mode="spool")
    check_nothing_lost(journals)


def test_a_killed_process_that_was_adopting_loses_nothing_either(start, run, journals):
    kill_while_emitting(start, behaviour="refusing")
    for _ in range(3):
        kill_while_emitting(start, max_batch_size=50)  # they adopt what the first ones left
    run("drain", mode="spool")
    check_nothing_lost(journals)


@pytest.mark.soak
def test_twenty_rounds_of_kills_lose_nothing(start, run, journals):
    for _ in range(20):
        kill_while_emitting(start)
    run("drain", mode="spool")
    check_nothing_lost(journals)
    counts = len(journals.acknowledged), len(journals.delivered)
    print("acknowledged and delivered: {}, {}; lost: 0".format(*counts))  # noqa: T201  the figure
