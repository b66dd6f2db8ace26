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
MISSED = """
    import ctypes, os, signal, sys, threading, time
    from multiprocessing import get_context

    if "import first" in sys.argv:
        import eventtracking_core

    def end(main, descriptor):
        # Python's handler has to run in the main thread, whose wait this does not end.
        while hex(descriptor) not in open(f"/proc/self/task/{main}/syscall").read().split()[1:2]:
            os.sched_yield()
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    def work():
        import eventtracking_core as et
        if "spawn" in sys.argv:
            configure()
        if "event" in sys.argv:
            et.emit("child")
        if "fork in C" in sys.argv:
            child = ctypes.PyDLL(None).fork()
            while child == 0:  # a signal just before `signal.pause` would not end that
                time.sleep(0.01)
            os.kill(child, signal.SIGHUP)
            assert os.waitpid(child, 0)[1] == signal.SIGHUP
        reader, _ = os.pipe()
        threading.Thread(target=end, args=(threading.get_native_id(), reader), daemon=True).start()
        os.read(reader, 1)

    def configure():
        import eventtracking_core as et
        backend = {"type": "file", "path": "events.ndjson", "delivery": "queue"}
        et.configure({"backends": {"sink": backend}})

    if __name__ == "__main__":
        configure()
        child = get_context(sys.argv[1]).Process(target=work)
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGTERM, child.exitcode
"""
OWN_HANDLER = """
    import signal, sys, threading, time
    from multiprocessing import get_context

    def send(main):
        # As the system may do: the handlers have to run in the main thread, whose wait this does
        # not end.
        sleeping = 0
        while sleeping < 5:
            time.sleep(0.01)
            state = open(f"/proc/self/task/{main}/stat").read().rpartition(")")[2].split()[0]
            sleeping = sleeping + 1 if state == "S" else 0
        for number in NUMBERS:
            signal.pthread_kill(threading.get_ident(), number)

    def work():
        import eventtracking_core as et
        backend = {"type": "file", "path": "events.ndjson", "delivery": "queue"}
        et.configure({"backends": {"sink": backend}})
        handled = []
        end = threading.Lock()
        end.acquire()
        def handle(number, frame):
            handled.append(number)
            et.emit("handled")
            if len(handled) == len(NUMBERS):
                end.release()
        for number in NUMBERS:
            signal.signal(number, handle)
        threading.Thread(target=send, args=(threading.get_native_id(),), daemon=True).start()
        end.acquire()
        assert handled == sorted(NUMBERS), handled

    NUMBERS = [getattr(signal, name) for name in sys.argv[2:]]
    if __name__ == "__main__":
        child = get_context(sys.argv[1]).Process(target=work)
        child.start()
        child.join()
        assert child.exitcode == 0, child.exitcode
"""
TERMINATED = """
    from multiprocessing import get_context
    import eventtracking_core as et

    def work(number):
        et.emit("child")
        et.get_tracker().flush(timeout=60.0)

    if __name__ == "__main__":
        backend = {"type": "file", "path": "events.ndjson", "delivery": "queue"}
        et.configure({"backends": {"sink": backend}})
        with get_context("fork").Pool(2) as pool:
            pool.map(work, range(4))
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


@pytest.mark.parametrize(
    ("arguments", "delivered"),
    [
        (["fork"], {}),
        (["fork", "event"], {"child": 1}),
        (["spawn", "event"], {"child": 1}),
        (["spawn", "event", "import first"], {"child": 1}),
        (["fork", "event", "fork in C"], {"child": 1}),
    ],
)
def test_a_signal_just_before_a_wait_ends_the_wait(arguments, delivered, program, names):
    program(MISSED, *arguments)
    assert names() == delivered


def test_a_pool_ends_its_workers(program, names):
    program(TERMINATED)
    assert names() == {"child": 4}


@pytest.mark.parametrize(
    ("method", "signals"),
    [("fork", ["SIGTERM"]), ("fork", ["SIGTERM", "SIGINT"]), ("spawn", ["SIGTERM"])],
)
def test_a_server_that_waits_handles_a_signal_that_another_thread_received(
    method, signals, program, names
):
    """granian's WSGI worker waits like this."""
    program(OWN_HANDLER, method, *signals)
    assert names() == {"handled": len(signals)}
