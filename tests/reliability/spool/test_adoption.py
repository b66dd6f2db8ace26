"""Who comes later delivers what the dead left, and each event goes to one of them."""

from __future__ import annotations


def test_processes_that_compete_adopt_each_orphan_once(start, run, journals):
    run("leave_orphans", number=20, mode="spool", behaviour="black hole")
    assert len(journals.segments) == 20
    rivals = [start("drain", mode="spool") for _ in range(3)]
    for rival in rivals:
        _, errors = rival.communicate(timeout=60)
        assert rival.returncode == 0, errors
    assert sorted(journals.delivered) == sorted(journals.acknowledged)
    assert journals.segments == []


def test_directories_that_come_and_go_under_those_who_adopt_lose_nothing(start, run, journals):
    rivals = [start("come_and_go", mode="spool") for _ in range(3)]
    for rival in rivals:
        _, errors = rival.communicate(timeout=60)
        assert rival.returncode == 0, errors
        assert "cannot be written" not in errors
    run("drain", mode="spool")
    assert set(journals.delivered) == set(journals.acknowledged)
