"""P11, P12: what becomes of events when the process ends, and that it ends."""

from __future__ import annotations

import signal
from time import monotonic

import pytest
from waiting import DEADLINE

WAYS = ["plain", "sys.exit in a thread", "SIGTERM, drained", "SIGTERM", "SIGINT"]
SIGNALS = {"SIGTERM, drained": signal.SIGTERM, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
SHUTDOWN_TIMEOUTS = {"healthy": 40.0, "refusing": 0.2, "black hole": 0.2}
A_BUSY_MACHINE = 40.0


def end(start, way, **options):
    """Have a program emit and end; return its code and the seconds its ending took."""
    program = start("exit_in_some_way", way=way, **options)
    assert program.stdout.readline() == "ready\n", program.stderr.read()
    began = monotonic()
    if way in SIGNALS:
        program.send_signal(SIGNALS[way])
    _, errors = program.communicate(timeout=DEADLINE)
    if way != "SIGINT":
        told = ("not delivered in time", "shutdown timed out", "trying again")
        assert errors == "" or any(words in errors for words in told)
    return program.returncode, monotonic() - began


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("behaviour", ["healthy", "refusing", "black hole"])
@pytest.mark.parametrize("way", WAYS)
def test_a_process_ends_in_bounded_time_and_loses_nothing_it_can_keep(
    way, behaviour, mode, start, journals
):
    timeout = SHUTDOWN_TIMEOUTS[behaviour]
    code, took = end(
        start, way, mode=mode, behaviour=behaviour, number=200, shutdown_timeout=timeout
    )
    assert code == -SIGNALS.get(way, 0)
    assert took < timeout + A_BUSY_MACHINE
    if behaviour == "healthy" and way != "SIGTERM":
        assert journals.delivered == journals.acknowledged
    if mode == "spool":
        end(start, "plain", mode="spool", number=0)
        assert set(journals.delivered) == set(journals.acknowledged)
        assert journals.segments == []


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_a_plain_exit_delivers_twenty_thousand_of_twenty_thousand(mode, start, journals):
    end(start, "plain", mode=mode, number=20_000, shutdown_timeout=60)
    assert journals.delivered == journals.acknowledged
    assert len(journals.delivered) == 20_000


BEFORE = ["threading", "before our exit handler"]
AFTER = ["after our exit handler", "a module's teardown", "daemon threads"]


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("stage", BEFORE + AFTER)
def test_an_event_emitted_at_any_stage_of_the_end_neither_hangs_nor_raises(
    stage, mode, start, journals
):
    program = start("emit_at_the_end", stage=stage, mode=mode, is_late=True)
    _, errors = program.communicate(timeout=DEADLINE)
    assert program.returncode == 0
    assert "Traceback" not in errors
    assert "Fatal" not in errors
    assert set(journals.acknowledged) <= set(journals.delivered)


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("stage", BEFORE)
def test_what_an_exit_handler_emits_before_ours_is_delivered(stage, mode, start, journals):
    program = start("emit_at_the_end", stage=stage, mode=mode, is_late=False)
    program.communicate(timeout=DEADLINE)
    assert len(journals.acknowledged) == 2
    assert journals.delivered == journals.acknowledged


def test_a_drain_that_interrupts_an_append_waits_for_nobody(start, run, journals):
    for _ in range(3):
        program = start("emit_until_killed", mode="spool", drains=True, shutdown_timeout=60)
        assert program.stdout.readline() == "ready\n", program.stderr.read()
        program.terminate()
        program.communicate(timeout=DEADLINE)
        assert program.returncode == -signal.SIGTERM
    run("drain", mode="spool")
    assert set(journals.acknowledged) <= set(journals.delivered)


def test_signal_handlers_emit_into_a_spool_that_they_interrupt(run, journals):
    counts = run("emit_from_signal_handlers", mode="spool", max_spool_bytes=1 << 28)
    assert counts["settled"]
    assert counts["dropped"] == {}
    assert counts["accepted"] == counts["delivered"] == len(journals.acknowledged)
    assert set(journals.acknowledged) == set(journals.delivered)
