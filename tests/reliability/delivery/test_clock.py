"""P21: the wall clock may be set while events wait; timers and ids do not mind."""

from __future__ import annotations

STEPPING = """
import datetime, itertools, json, sys, threading, time

real = datetime.datetime
shifts = itertools.cycle([datetime.timedelta(days=days) for days in (0, 1, -1)])

class Stepping(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + next(shifts)

datetime.datetime = Stepping
told = itertools.cycle([0, 86_400, -86_400])
wall = time.time
time.time = lambda: wall() + next(told)

import eventtracking_core as et

class Sink:
    def __init__(self, *script):
        self.script, self.at, self.ids = list(script), [], []
        self.has_all = threading.Event()
    def send_batch(self, events, *, timeout):
        self.at.append(time.monotonic())
        if self.script:
            raise self.script.pop(0)
        self.ids += [event["id"] for event in events]
        if len(self.ids) == 1000:
            self.has_all.set()

sink, expiring = Sink(et.RetryableError(retry_after=0.3)), Sink(*[et.RetryableError()] * 1000)
quick = {"mode": "queue", "schedule_delay": 0.05, "initial_interval": 0.01, "max_interval": 0.05,
         "directory": sys.argv[1]}
tracker = et.Tracker()
tracker.configure({"backends": {
    "r": {"delivery": quick, "backends": {"sink": sink}},
    "s": {"delivery": {**quick, "max_elapsed_time": 0.4}, "backends": {"expiring": expiring}},
}})
start = time.monotonic()
ids = [tracker.emit("numbered", {"n": n}) for n in range(1000)]
sink.has_all.wait(60)
waited = sink.at[1] - sink.at[0]
done = tracker.flush(60)
dead = tracker.stats()["tree"]["backends"][1]["backends"][0]["dead_lettered"]
print(json.dumps({
    "arrived": sink.ids == ids, "unique": len(set(ids)), "waited": waited, "flushed": done,
    "dead": dead, "took": time.monotonic() - start,
}))
"""


def test_a_clock_that_is_set_a_day_both_ways_moves_no_timer_and_repeats_no_id(python, tmp_path):
    seen = python(STEPPING, tmp_path / "delivery")
    assert seen["arrived"]
    assert seen["unique"] == 1000
    assert 0.3 <= seen["waited"] < 30
    assert seen["flushed"]
    assert seen["dead"] == 1000
    assert seen["took"] < 100
