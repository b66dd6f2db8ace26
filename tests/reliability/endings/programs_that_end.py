"""Programs that end in one of many ways while events are pending; arguments: WAY MODE.

Each runs in a directory of its own. It writes the number of events that it emitted into `emitted`;
its sink appends what it delivers to `delivered`.
"""

from __future__ import annotations

import gc
import os
import sys
import threading

import ways_by_signal  # noqa: F401  it adds its ways
from ending import RUN, WAYS, Sink, config, emit, in_a_thread, kill, started, wait, way

import eventtracking_core as et


@way
def adopt():
    """Deliver what another program left in its spool."""
    et.configure(config())
    et.get_tracker().flush(60)


# ── the end of the program ──


@way
def plain():
    started()


@way
def sys_exit():
    started()
    sys.exit(0)


@way
def sys_exit_in_a_thread():
    started()
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()


@way
def an_error():
    started()
    raise SystemExit(3)


@way
def emitted_by_a_thread_that_ends_last():
    started()

    def emit_at_the_end():
        threading.main_thread().join()
        emit(first=1000)

    in_a_thread(emit_at_the_end, daemon=False)


# ── trackers and leaves that nobody refers to ──


@way
def a_tracker_that_was_collected():
    tracker = et.Tracker()
    tracker.configure(config())
    emit(tracker)
    del tracker
    gc.collect()


@way
def a_tracker_with_event_types_that_was_collected():
    tracker = et.Tracker()
    tracker.configure(config())
    tracker.register("ended", "The program ended.", {"n": "a number"})
    emit(tracker)
    del tracker
    gc.collect()


@way
def a_default_that_was_replaced():
    started()
    et.register_tracker(et.Tracker())
    gc.collect()


@way
def a_default_that_was_replaced_and_goes_on():
    started()
    second = et.Tracker()
    second.configure(config(name="b"))
    et.register_tracker(second)
    emit(first=1000)
    gc.collect()


@way
def a_leaf_that_was_unregistered():
    tracker = started()
    router = tracker.root.backends["r"]
    router.unregister_backend("a")
    gc.collect()


@way
def a_router_that_was_unregistered():
    started().root.unregister_backend("r")
    gc.collect()


@way
def a_leaf_that_was_replaced():
    tracker = started()
    tracker.root.backends["r"].register_backend("a", Sink(path="others"))
    gc.collect()


@way
def configured_anew():
    started()
    et.configure(config())
    emit(first=1000)


@way
def configured_anew_by_a_thread_that_is_not_done():
    sink = Sink(0.05)
    started(sink)
    in_a_thread(lambda: et.configure(config()))
    assert sink.entered.wait(60)


@way
def without_backends():
    started()
    et.configure({})


# ── shutdown ──


@way
def shutdown():
    started().shutdown()


@way
def shutdown_in_a_daemon_thread_that_is_not_done():
    sink = Sink(0.05)
    in_a_thread(started(sink).shutdown)
    assert sink.entered.wait(60)


@way
def shutdown_by_two_threads():
    sink = Sink(0.03)
    tracker = started(sink)
    in_a_thread(tracker.shutdown)
    assert sink.entered.wait(60)
    tracker.shutdown()


@way
def shutdown_that_timed_out():
    tracker = et.get_tracker()
    sink = Sink(0.05)
    tracker.configure(config(sink))
    emit(number=15)
    in_a_thread(tracker.flush)
    assert RUN.mode == "inline" or sink.entered.wait(60)
    tracker.shutdown(0.001)


# ── children ──


def in_a_child(act):
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            sys.exit()
    os.waitpid(child, 0)


@way
def a_forked_child():
    started()
    in_a_child(lambda: emit(first=1000))


@way
def a_forked_child_that_is_told_to_end():
    started()
    in_a_child(lambda: (emit(first=1000), kill(), wait()))


if __name__ == "__main__":
    WAY, RUN.mode = sys.argv[1:]
    by_signal = ("sigterm", "sigquit", "hangs_up", "_handler_", "told_to_end")
    ends_by_signal = any(words in WAY for words in by_signal)
    keeps_nothing = RUN.mode == "spool" or (RUN.mode == "inline" and ends_by_signal)
    RUN.keeps = 1 if keeps_nothing else 30
    WAYS[WAY]()
