"""P24: children of multiprocessing deliver what they emitted, whoever imports us first."""

from __future__ import annotations

import pytest

METHODS = pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])

WORK = """
    import importlib, os, sys
    def work(number):
        import eventtracking_core as et
        backend = {"type": "file", "path": "events.ndjson", "delivery": sys.argv[1]}
        et.configure({"backends": {"sink": backend}})
        for _ in range(10):
            et.emit("child")
        return number
"""
PROCESSES = """
    if __name__ == "__main__":
        context = importlib.import_module(sys.argv[3]).get_context(sys.argv[2])
        children = [context.Process(target=work, args=(number,)) for number in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0, 0, 0]
"""
POOL = """
    if __name__ == "__main__":
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        with ProcessPoolExecutor(2, mp_context=get_context(sys.argv[2])) as pool:
            assert list(pool.map(work, range(3))) == [0, 1, 2]
"""
IMPORTED = "\n    import eventtracking_core"


@METHODS
@pytest.mark.parametrize("first", ["", IMPORTED], ids=["child imports", "module imports"])
def test_a_process_delivers_when_it_ends(method, first, program, names):
    program(first + WORK + PROCESSES, "queue", method, "multiprocessing")
    assert names() == {"child": 30}


@METHODS
def test_workers_of_a_pool_deliver_when_they_end(method, program, names):
    program(WORK + POOL, "queue", method)
    assert names() == {"child": 30}


@pytest.mark.parametrize("first", ["", IMPORTED], ids=["child imports", "module imports"])
def test_celerys_own_multiprocessing_is_the_same(first, program, names):
    program(first + WORK + PROCESSES, "queue", "fork", "billiard")
    assert names() == {"child": 30}
