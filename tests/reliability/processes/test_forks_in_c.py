"""P24: a child that was forked without a word to Python is as safe as one of `os.fork`."""

from __future__ import annotations

import json

import pytest

PROGRAM = """
    import ctypes, os, sys, threading
    import eventtracking_core as et

    def configure(mode, **delivery):
        delivery = mode if mode == "inline" else {{"mode": mode, "directory": "spool", **delivery}}
        backend = {{"type": "file", "path": "events.ndjson", "delivery": delivery}}
        et.configure({{"shutdown_timeout": 60, "backends": {{"sink": backend}}}})

    fork = ctypes.PyDLL(None).fork
    sys.setswitchinterval(5)  # a thread that waits for the interpreter as we fork is rare, not ours
    mode = sys.argv[1]
    {}
"""
ADOPT = """
    import eventtracking_core as et
    backend = {"type": "file", "path": "events.ndjson"}
    backend["delivery"] = {"mode": "spool", "directory": "spool"}
    et.configure({"backends": {"sink": backend}})
    assert et.get_tracker().flush(60)
    print(et.get_tracker().stats()["tree"]["backends"][0]["damaged"])
"""
MODES = pytest.mark.parametrize("mode", ["inline", "queue", "spool"])


def body(code):
    lines = code.strip("\n").splitlines()
    return PROGRAM.format("\n    ".join(line.removeprefix("    ") for line in lines))


@MODES
def test_a_child_delivers_what_it_emitted_while_it_lives(mode, program, names):
    program(
        body("""
    configure(mode, schedule_delay=0.05)
    et.emit("parent")
    children = []
    for _ in range(3):
        child = fork()
        if child == 0:
            for _ in range(20):
                et.emit("child")
            is_delivered = et.get_tracker().flush(60)
            os._exit(0 if is_delivered else 3)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    et.get_tracker().flush(60)
    """),
        mode,
    )
    assert names() == {"parent": 1, "child": 60}


@MODES
def test_children_that_exit_deliver_their_own_events_and_none_of_their_parent(mode, program, names):
    program(
        body("""
    configure(mode, schedule_delay=60)
    for _ in range(20):
        et.emit("parent")
    for number in (20, 0):
        child = fork()
        if child == 0:
            for _ in range(number):
                et.emit("child")
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
    """),
        mode,
    )
    assert names() == {"parent": 20, "child": 20}


def test_children_that_are_killed_leave_their_spools_to_others(program, names):
    program(
        body("""
    configure(mode, schedule_delay=60)
    et.emit("parent")
    reader, writer = os.pipe()
    children = []
    for _ in range(2):
        child = fork()
        if child == 0:
            os.read(reader, 1)  # both emit at once
            for _ in range(50):
                et.emit("child")
            os._exit(0)
        children.append(child)
    os.write(writer, b"12")
    for child in children:
        os.waitpid(child, 0)
    os._exit(0)
    """),
        "spool",
    )
    assert program(ADOPT).strip() == "0"
    assert names() == {"parent": 1, "child": 100}


def test_no_id_is_handed_out_twice_whoever_forks_when(program):
    out = program(
        body("""
    configure("inline")
    from eventtracking_core.events import new_id
    ids = [new_id() for _ in range(100)]
    for _ in range(20):
        et.emit("parent")
        reader, writer = os.pipe()
        if fork() == 0:
            own = [et.emit("child") for _ in range(50)] + [new_id() for _ in range(50)]
            os.write(writer, " ".join(own).encode())
            os._exit(0)
        ids += [et.emit("parent") for _ in range(50)]
        os.wait()
        ids += os.read(reader, 65536).decode().split()
    import json
    print(json.dumps(ids))
    """),
        "inline",
    )
    ids = json.loads(out)
    assert len(ids) == len(set(ids)) == 100 + 20 * 150


@MODES
def test_a_child_counts_from_zero(mode, program):
    out = program(
        body("""
    configure(mode, schedule_delay=60)
    for _ in range(7):
        et.emit("parent")
    child = fork()
    if child == 0:
        first = et.get_tracker().stats()
        for _ in range(3):
            et.emit("child")
        et.get_tracker().flush(60)
        second = et.get_tracker().stats()
        leaves = [stats["tree"]["backends"][0] for stats in (first, second)]
        print(first["emitted"], second["emitted"], *(leaf["accepted"] for leaf in leaves))
        print(leaves[1]["delivered"], leaves[1]["pending"], flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    """),
        mode,
    )
    assert out.split() == ["0", "3", "0", "3", "3", "0"]


def test_threads_that_emit_first_at_once_lose_nothing(program, names):
    program(
        body("""
    configure("queue", schedule_delay=0.05)
    et.emit("parent")
    et.get_tracker().flush(60)
    if fork() == 0:
        barrier = threading.Barrier(8)
        def emit():
            barrier.wait()
            for _ in range(50):
                et.emit("child")
        threads = [threading.Thread(target=emit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sys.exit()
    assert os.wait()[1] == 0
    """),
        "queue",
    )
    assert names() == {"parent": 1, "child": 400}


def test_children_of_children_are_noticed_too(program, names):
    program(
        body("""
    configure("queue", schedule_delay=60)
    et.emit("0")
    for generation in range(1, 5):
        if fork():
            assert os.wait()[1] == 0
            break
        et.emit(str(generation))
    """),
        "queue",
    )
    assert names() == {str(generation): 1 for generation in range(5)}


def test_a_fork_that_python_makes_in_such_a_child_is_noticed_as_well(program, names):
    program(
        body("""
    configure("queue", schedule_delay=60)
    et.emit("parent")
    if fork() == 0:
        et.emit("child")
        if os.fork() == 0:
            et.emit("grandchild")
            sys.exit()
        sys.exit(os.wait()[1] >> 8)
    assert os.wait()[1] == 0
    """),
        "queue",
    )
    assert names() == {"parent": 1, "child": 1, "grandchild": 1}


def test_it_works_where_the_kernel_cannot_wipe_a_page(program, names):
    program(
        body("""
    from eventtracking_core.lifecycle import forks, holders
    from eventtracking_core.tracker import tracker
    mark = forks._Pid()
    forks.same_process = holders.same_process = tracker.same_process = mark
    configure("queue", schedule_delay=60)
    et.emit("parent")
    if fork() == 0:
        et.emit("child")
        sys.exit()
    assert os.wait()[1] == 0
    """),
        "queue",
    )
    assert names() == {"parent": 1, "child": 1}
