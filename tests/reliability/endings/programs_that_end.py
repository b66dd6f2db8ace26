"""Programs that end in one of many ways while events are pending; arguments: WAY MODE.

Each runs in a directory of its own. It writes the number of events that it emitted into `emitted`;
its sink appends what it delivers to `delivered`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import eventtracking_core as et

NUMBER = 200
NEVER = threading.Event()
WAYS = {}


class Sink:
    """Keeps some events to itself, where it will be shut down; takes its time to deliver."""

    def __init__(self, seconds=0.002, path="delivered"):
        self._waiting = []
        self.entered = threading.Event()
        self._seconds = seconds
        self._path = path
        os.register_at_fork(after_in_child=self._waiting.clear)

    def send(self, event):
        self._waiting.append(event["data"]["n"])
        self.entered.set()
        if len(self._waiting) >= KEEPS:
            self._write()

    def shutdown(self, timeout):
        self.entered.set()
        time.sleep(self._seconds)
        self._write()
        return True

    def _write(self):
        time.sleep(self._seconds * KEEPS / 30)
        with Path(self._path).open("a") as file:
            file.writelines(f"{n}\n" for n in self._waiting)
        self._waiting.clear()


def config(sink=None, name="a"):
    delivery = {"mode": MODE} | ({} if MODE == "inline" else {"schedule_delay": 30})
    delivery |= {"directory": "kept"} if MODE == "spool" else {}
    return {
        "shutdown_timeout": 60,
        "backends": {"r": {"delivery": delivery, "backends": {name: sink or Sink()}}},
    }


def emit(tracker=None, first=0, number=NUMBER):
    tracker = tracker or et.get_tracker()
    with Path("emitted").open("a") as file:
        for n in range(first, first + number):
            tracker.emit("ended", {"n": n})
            file.write(f"{n}\n")


def started(sink=None):
    sink = sink or Sink()
    tracker = et.get_tracker()
    tracker.configure(config(sink))
    emit()
    sink.entered.clear()  # from here on, it is set once the sink is being drained
    return tracker


def way(function):
    WAYS[function.__name__] = function
    return function


def in_a_thread(call, *, daemon=True):
    threading.Thread(target=call, daemon=daemon).start()


def while_draining(sink, *calls):
    """Call each of these, in a thread: the first once the sink is being drained, or soon."""

    def call_all():
        sink.entered.wait(0.2)  # some ways end without a drain
        for call in calls:
            call()
            NEVER.wait(0.02)

    in_a_thread(call_all)


def kill(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


def wait():
    while True:
        NEVER.wait(0.02)


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
    assert MODE == "inline" or sink.entered.wait(60)
    tracker.shutdown(0.001)


# ── signals ──


@way
def sigterm():
    started()
    kill()
    wait()


@way
def a_terminal_that_hangs_up():
    started()
    kill(signal.SIGHUP)
    wait()


@way
def sigquit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    started()
    kill(signal.SIGQUIT)
    wait()


@way
def sigterm_asked_for():
    started()
    et.drain_on_sigterm()
    kill()
    wait()


@way
def two_sigterms():
    sink = Sink(0.03)
    started(sink)
    while_draining(sink, kill)
    kill()
    wait()


@way
def two_sigterms_where_asked_for():
    sink = Sink(0.03)
    started(sink)
    et.drain_on_sigterm()
    while_draining(sink, kill)
    kill()
    wait()


@way
def five_sigterms():
    sink = Sink(0.03)
    started(sink)
    while_draining(sink, kill, kill, kill, kill)
    kill()
    wait()


@way
def a_handler_that_exits():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    started()
    kill()
    wait()


@way
def a_handler_that_exits_and_two_signals():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sink = Sink(0.03)
    started(sink)
    while_draining(sink, kill)
    kill()
    wait()


@way
def a_handler_that_shuts_down():
    sink = Sink(0.03)
    tracker = started(sink)
    signal.signal(signal.SIGTERM, lambda *_: (tracker.shutdown(), sys.exit(0)))
    while_draining(sink, kill)
    kill()
    wait()


@way
def a_handler_that_was_taken_back():
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    started()
    kill()
    signal.signal(signal.SIGTERM, previous)
    signal.raise_signal(signal.SIGTERM)
    wait()


@way
def the_default_handler_restored():
    started()
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    kill()
    wait()


@way
def a_handler_that_ends_at_once():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    started()
    et.drain_on_sigterm()
    kill()
    wait()


@way
def ctrl_c():
    started()
    in_a_thread(partial(kill, signal.SIGINT))
    with contextlib.suppress(KeyboardInterrupt):
        wait()


@way
def ctrl_c_twice():
    sink = Sink(0.03)
    started(sink)
    with contextlib.suppress(KeyboardInterrupt):
        in_a_thread(partial(kill, signal.SIGINT))
        wait()
    while_draining(sink, partial(kill, signal.SIGINT))


def in_the_midst_of(call, number, sink_seconds=0.03):
    sink = Sink(sink_seconds)
    tracker = started(sink)
    while_draining(sink, partial(kill, number))
    with contextlib.suppress(KeyboardInterrupt):
        call(tracker)
    if number == signal.SIGTERM:
        wait()


for _number, _name in [(signal.SIGINT, "ctrl_c"), (signal.SIGTERM, "sigterm")]:
    WAYS |= {
        f"{_name}_in_shutdown": partial(in_the_midst_of, et.Tracker.shutdown, _number),
        f"{_name}_in_configure": partial(
            in_the_midst_of, lambda tracker: tracker.configure(config()), _number
        ),
        f"{_name}_in_flush": partial(in_the_midst_of, et.Tracker.flush, _number),
        f"{_name}_in_the_exit_drain": partial(
            in_the_midst_of, lambda _: sys.exit(0), _number
        ),
    }  # fmt: skip


@way
def three_times_ctrl_c_in_the_exit_drain():
    sink = Sink(0.03)
    started(sink)
    while_draining(sink, *[partial(kill, signal.SIGINT)] * 3)


@way
def an_error_of_a_handler_in_shutdown():
    def handle(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, handle)
    sink = Sink(0.03)
    tracker = started(sink)
    while_draining(sink, partial(kill, signal.SIGALRM))
    with contextlib.suppress(TimeoutError):
        tracker.shutdown()


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
    WAY, MODE = sys.argv[1:]
    by_signal = ("sigterm", "sigquit", "hangs_up", "_handler_", "told_to_end")
    ends_by_signal = any(words in WAY for words in by_signal)
    KEEPS = 1 if MODE == "spool" or (MODE == "inline" and ends_by_signal) else 30
    WAYS[WAY]()
