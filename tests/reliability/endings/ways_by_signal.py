"""Ways to end by a signal."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from functools import partial

from ending import (
    WAYS,
    Sink,
    config,
    end_while_draining,
    in_a_thread,
    kill,
    started,
    wait,
    way,
    while_draining,
)

import eventtracking_core as et


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
    end_while_draining(sink, kill)


@way
def two_sigterms_where_asked_for():
    sink = Sink(0.03)
    started(sink)
    et.drain_on_sigterm()
    end_while_draining(sink, kill)


@way
def five_sigterms():
    sink = Sink(0.03)
    started(sink)
    end_while_draining(sink, kill, kill, kill, kill)


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
    end_while_draining(sink, kill)


@way
def a_handler_that_shuts_down():
    sink = Sink(0.03)
    tracker = started(sink)
    signal.signal(signal.SIGTERM, lambda *_: (tracker.shutdown(), sys.exit(0)))
    end_while_draining(sink, kill)


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
