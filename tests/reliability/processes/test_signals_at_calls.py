"""P23: a signal at any call of the first `emit`, which starts the worker, loses nothing."""

from __future__ import annotations

import pytest

PROGRAM = """
    import _thread, os, signal, sys
    import eventtracking_core as et

    way, mode, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
    number = children = 0

    def shut_down_and_exit(*_):
        et.get_tracker().shutdown()
        os._exit(0)

    def emit_in_a_thread(name):
        emitted = _thread.allocate_lock()
        emitted.acquire()
        def emit():
            et.emit(name)
            with open("acknowledged", "a") as file:
                print(name, file=file)
            emitted.release()
        _thread.start_new_thread(emit, ())
        emitted.acquire(timeout=0.1)  # the call may have a lock that it needs

    def end_at_call(number):
        name = f"at {number}"
        def count(frame, kind, _):
            nonlocal number
            number -= kind in ("call", "c_call")
            if number == 0:
                sys.setprofile(None)
                if mode == "queue":
                    emit_in_a_thread(name)
                os.kill(os.getpid(), signal.SIGTERM)
        return count

    def emit_first(number):
        delivery = {"mode": mode, "directory": f"spool {number}"}
        sink = {"type": "file", "path": "events.ndjson", "delivery": delivery}
        et.configure({"shutdown_timeout": 60, "backends": {"sink": sink}})
        if way == "drain_on_sigterm":
            et.drain_on_sigterm()
        if way == "SystemExit":
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        if way == "shutdown":
            signal.signal(signal.SIGTERM, shut_down_and_exit)
        sys.setprofile(end_at_call(number))
        et.emit("first")
        sys.setprofile(None)
        os._exit(99)

    while True:
        number += step
        child = os.fork()
        if child == 0:
            emit_first(number)
            os._exit(1)
        status = os.waitpid(child, 0)[1]
        if os.waitstatus_to_exitcode(status) == 99:
            break
        assert status in (0, signal.SIGTERM), (number, status)
        children += 1
    print(children)
"""

WAYS = ["default", "drain_on_sigterm", "SystemExit", "shutdown"]


@pytest.mark.once
@pytest.mark.parametrize("way", WAYS)
def test_what_waits_in_memory_is_delivered(way, program, names, tmp_path):
    program(PROGRAM, way, "queue", "5")
    acknowledged = (tmp_path / "acknowledged").read_text().splitlines()
    assert len(acknowledged) > 10
    assert set(acknowledged) <= set(names())


@pytest.mark.once
@pytest.mark.parametrize("way", WAYS)
def test_no_thread_is_waited_for_that_did_not_start(way, program):
    assert int(program(PROGRAM, way, "spool", "61")) > 10
