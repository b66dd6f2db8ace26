"""Names and ids."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from eventtracking_core.events import clean_name, new_id


@pytest.fixture
def tiny_switch_interval():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.native
def test_ids_are_unique_and_increase_within_each_of_eight_threads(tiny_switch_interval):
    lists = [[] for _ in range(8)]
    threads = [
        threading.Thread(target=lambda ids: ids.extend(new_id() for _ in range(50_000)), args=[ids])
        for ids in lists
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one for ids in lists for one in ids}) == 8 * 50_000
    assert all(ids == sorted(ids) for ids in lists)


def test_a_name_of_megabytes_costs_milliseconds():
    name = "x\n" * 8_000_000
    before = time.process_time()

    assert len(clean_name(name)) == 255
    assert time.process_time() - before < 1
