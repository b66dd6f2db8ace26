"""P23: a signal at any call that starts or ends a worker loses nothing, and waits for nobody."""

from __future__ import annotations

import pytest

PROGRAM = """
    import _thread, os, signal, sys
    import eventtracking_core as et

    what, way, mode, step = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    AT_ONCE = 8
    ENDED, SWALLOWED = 99, 98
    number = children = 0
    is_struck = False
    running = set()
    is_sweeping = True

    class SoftLimit(Exception):
        pass

    def shut_down_and_exit(*_):
        et.get_tracker().shutdown()
        os._exit(0)

    def emit_and_end(*_):
        et.emit(f"handled {number}")
        acknowledge(f"handled {number}")
        tracker = et.get_tracker()
        assert tracker.flush() if way == "emit and flush" else tracker.shutdown()
        os._exit(0)

    def raise_soft_limit(*_):
        raise SoftLimit

    def acknowledge(name):
        with open("acknowledged", "a") as file:
            print(name, file=file)

    def emit_in_a_thread(name):
        emitted = _thread.allocate_lock()
        emitted.acquire()
        def emit():
            et.emit(name)
            emitted.release()
        _thread.start_new_thread(emit, ())
        if emitted.acquire(timeout=0.5):  # the call may have a lock that it needs
            acknowledge(name)

    def end_at_call(number):
        name = f"at {number}"
        def count(frame, kind, _):
            global is_struck
            nonlocal number
            number -= kind in ("call", "c_return")  # handlers are called after either
            if number == 0:
                sys.setprofile(None)
                is_struck = True
                if what == "emit" and mode == "queue":
                    emit_in_a_thread(name)
                os.kill(os.getpid(), signal.SIGTERM)
        return count

    def configure(number):
        delivery = {"mode": mode, "directory": f"spool {number}"}
        sink = {"type": "file", "path": "events.ndjson", "delivery": delivery}
        et.configure({"shutdown_timeout": 600, "backends": {"sink": sink}})

    def strike(number):
        configure(number)
        tracker = et.get_tracker()
        if way == "drain_on_sigterm":
            et.drain_on_sigterm()
        if way == "SystemExit":
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        if way == "shutdown":
            signal.signal(signal.SIGTERM, shut_down_and_exit)
        if way.startswith("emit and"):
            signal.signal(signal.SIGTERM, emit_and_end)
        if way == "configure":
            signal.signal(signal.SIGTERM, lambda *_: configure(f"{number} again"))
        if way == "SoftLimit":
            signal.signal(signal.SIGTERM, raise_soft_limit)
            et.drain_on_sigterm()
        try:
            sys.setprofile(end_at_call(number))
            tracker.emit(f"first {number}") if what == "emit" else tracker.shutdown()
            sys.setprofile(None)
        except SoftLimit:
            os._exit(0)
        if way == "configure" and is_struck:
            acknowledge(f"first {number}")
            tracker.shutdown()
            os._exit(0)
        os._exit(SWALLOWED if is_struck else ENDED)

    def wait_for_one():
        child, status = os.wait()
        running.remove(child)
        assert os.waitstatus_to_exitcode(status) in (0, ENDED, -signal.SIGTERM), (child, status)
        return os.waitstatus_to_exitcode(status) != ENDED

    configure(0)  # imports, once
    while is_sweeping or running:
        if is_sweeping:
            number += step
            child = os.fork()
            if child == 0:
                strike(number)
            running.add(child)
        if len(running) == AT_ONCE or not is_sweeping:
            was_struck = wait_for_one()
            children += was_struck
            is_sweeping = is_sweeping and was_struck
    print(children)
"""

WAYS = ["default", "drain_on_sigterm", "SystemExit", "shutdown", "SoftLimit"]


@pytest.mark.once
@pytest.mark.parametrize("way", [*WAYS, "configure"])
def test_what_waits_in_memory_is_delivered(way, program, names, tmp_path):
    program(PROGRAM, "emit", way, "queue", "5")
    acknowledged = (tmp_path / "acknowledged").read_text().splitlines()
    assert len(acknowledged) > 10
    assert set(acknowledged) <= set(names())


@pytest.mark.once
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("what", "step"), [("emit", 47), ("shutdown", 17)])
def test_no_thread_is_waited_for_that_cannot_go_on(what, step, way, program):
    assert int(program(PROGRAM, what, way, "spool", str(step))) > 5


@pytest.mark.once
@pytest.mark.parametrize("way", ["emit and flush", "emit and shutdown"])
def test_what_a_handler_emits_and_waits_for_is_delivered(way, program, names, tmp_path):
    program(PROGRAM, "emit", way, "spool", "47")
    acknowledged = (tmp_path / "acknowledged").read_text().splitlines()
    assert len(acknowledged) > 5
    assert set(acknowledged) <= set(names())
