"""P31: exceptions of the application that strike while we run pass on, and the ledger is exact."""

from __future__ import annotations

import json

import pytest

STORM = """
import json, signal, sys, threading, time
import eventtracking_core as et

class SoftLimit(Exception):
    pass

class Slow:
    def __init__(self):
        self.taken = 0
    def send(self, event):
        self.taken += 1
        sum(range(50))

class Batches:
    def __init__(self):
        self.numbers = []
    def send_batch(self, events, *, timeout):
        self.numbers += [event["data"]["n"] for event in events]

raised = 0

def handler(number, frame):
    global raised
    raised += 1
    raise SoftLimit

wanted = int(sys.argv[1])
batches = {"queue": Batches(), "spool": Batches()}
tracker = et.Tracker()
quick = {"schedule_delay": 0.01, "max_queue_size": 10**6, "directory": sys.argv[2]}
tracker.configure({
    "processors": [lambda event: None],
    "backends": {
        "inline": Slow(), "other": Slow(),
        **{mode: {"delivery": {**quick, "mode": mode}, "backends": {"sink": sink}}
           for mode, sink in batches.items()},
    },
})
tracker.emit("first", {"n": -1, "odd": {1, 2}})
ended = threading.Event()

def emit_beside(number):
    n = 0
    while not ended.is_set() and n < 5_000:
        n += 1
        tracker.emit("beside", {"n": f"{number} {n}"})

beside = [threading.Thread(target=emit_beside, args=(n,)) for n in range(int(sys.argv[3]))]
for thread in beside:
    thread.start()
signal.signal(signal.SIGALRM, handler)
caught = n = 0
while raised < wanted:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.00005 + n % 97 * 0.000005)
        for _ in range(3):
            n += 1
            tracker.emit("struck", {"n": n, "odd": {1, 2}})
        while True:  # where no signal came yet
            pass
    except SoftLimit:
        caught += 1
signal.setitimer(signal.ITIMER_REAL, 0)
ended.set()
for thread in beside:
    thread.join()
assert tracker.flush(60)
stats = tracker.stats()

def leaves(node):
    if "backends" not in node:
        return [node]
    return [leaf for child in node["backends"] for leaf in leaves(child)]

def lost(leaf):
    gone = leaf["delivered"] + sum(leaf["dropped"].values()) + leaf.get("dead_lettered", 0)
    return leaf["accepted"] - gone, leaf["pending"]

print(json.dumps({
    "raised": raised, "caught": caught,
    "lost": [lost(leaf) for leaf in leaves(stats["tree"])],
    "delivered": [leaf["delivered"] for leaf in leaves(stats["tree"])[2:]],
    "taken": [len(sink.numbers) for sink in batches.values()],
    "twice": [len(sink.numbers) - len(set(sink.numbers)) for sink in batches.values()],
    "reasons": sorted({reason for leaf in leaves(stats["tree"]) for reason in leaf["dropped"]}),
}))
"""


def strike(python, tmp_path, number, threads=0):
    told = python(STORM, number, tmp_path / "spool", threads, timeout=300)
    assert told["caught"] == told["raised"] >= number
    assert told["lost"] == [[0, 0]] * 4
    assert told["delivered"] == told["taken"]
    assert told["twice"] == [0, 0]
    assert told["reasons"] in ([], ["interrupted"])
    return told


def test_what_signal_handlers_raise_passes_through_emit_and_every_event_is_counted(
    python, tmp_path, measured
):
    told = strike(python, tmp_path, 300)
    measured("P31", json.dumps(told))


def test_what_signal_handlers_raise_while_other_threads_emit_loses_no_event(python, tmp_path):
    strike(python, tmp_path, 100, threads=3)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_five_thousand_signals_pass_through_emit(python, tmp_path, measured):
    measured("P31", json.dumps(strike(python, tmp_path, 5000)))


HANDLERS = """
import functools, json, signal, sys
import eventtracking_core as et

class Timeout(TimeoutError):
    pass

def plain(number, frame):
    raise Timeout

def once(number, frame):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    raise Timeout

class Callable:
    def __call__(self, *arguments):
        self.fail()
    def fail(self):
        raise Timeout

def strike(*_):
    signal.raise_signal(signal.SIGALRM)
    return {}

class Struck:
    def send(self, event):
        strike()

class Replaces:
    def send(self, event):
        try:
            strike()
        except OSError as error:
            raise et.RetryableError("the sink is away") from error

passed = 0
places = [{"backend": Struck()}, {"backend": Replaces()}, None]
handlers = [plain, once, Callable(), Callable().fail, functools.partial(plain)]
handlers[3] = functools.partial(lambda _, number, frame: plain(number, frame), 1)
for place in places:
    for handler in handlers:
        tracker = et.Tracker(place) if place else et.Tracker({"a": Struck()}, processors=[strike])
        signal.signal(signal.SIGALRM, handler)
        try:
            tracker.emit("struck")
        except Timeout:
            passed += 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
print(json.dumps([passed, len(places) * len(handlers)]))
"""


def test_any_kind_of_handler_is_known_wherever_it_strikes(python):
    passed, all_of_them = python(HANDLERS)
    assert passed == all_of_them == 15


def test_what_the_application_caught_before_it_emitted_is_not_raised_again(python):
    script = """
import json, signal
import eventtracking_core as et

def handler(number, frame):
    raise TimeoutError

class Fails:
    def send(self, event):
        raise ValueError

signal.signal(signal.SIGALRM, handler)
tracker = et.Tracker({"a": Fails()})
try:
    signal.raise_signal(signal.SIGALRM)
except TimeoutError:
    tracker.emit("timed out")
print(json.dumps(tracker.stats()["tree"]["backends"][0]["dropped"]))
"""
    assert python(script) == {"error": 1}


def test_a_timeout_of_gevent_passes_through_emit(python):
    script = """
import json, gevent
import eventtracking_core as et

class Waits:
    def send(self, event):
        gevent.sleep(60)

after = []

class After:
    def send(self, event):
        after.append(1)

tracker = et.Tracker({"a": Waits(), "b": After()})
caught = 0
try:
    with gevent.Timeout(0.05):
        tracker.emit("struck")
except gevent.Timeout:
    caught += 1
leaf = tracker.stats()["tree"]["backends"][0]
print(json.dumps([caught, leaf["dropped"], leaf["pending"], len(after)]))
"""
    assert python(script) == [1, {"interrupted": 1}, 0, 1]


def test_an_interrupt_as_the_worker_starts_does_not_delay_the_end_of_the_process(python):
    script = """
import atexit, json, sys, threading, time
began = []
atexit.register(lambda: print(json.dumps([sink.got, time.monotonic() - began[0]])))
import eventtracking_core as et
atexit.register(lambda: began.append(time.monotonic()))

class Sink:
    got = 0
    def send_batch(self, events, *, timeout):
        self.got += len(events)

def interrupt(frame, kind, argument):
    if kind == "return" and frame.f_code is threading.Thread.start.__code__:
        sys.setprofile(None)
        raise KeyboardInterrupt

sink = Sink()
delivery = {"mode": "queue", "schedule_delay": 0.01}
router = {"delivery": delivery, "backends": {"sink": sink}}
tracker = et.Tracker()
tracker.configure({"shutdown_timeout": 30, "backends": {"r": router}})
sys.setprofile(interrupt)
try:
    tracker.emit("first")
except KeyboardInterrupt:
    while tracker.stats()["tree"]["backends"][0]["backends"][0]["pending"]:
        time.sleep(0.001)
"""
    got, took = python(script)
    assert got == 1
    assert took < 15
