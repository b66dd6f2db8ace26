"""Full disks, forks, locks, signals: each in a process of its own."""

from __future__ import annotations

import pytest

FULL_DISK = """
import resource, sys
from eventtracking_core import RetryableError
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend

def an_event():
    return normalize_event({"name": "n", "data": {"text": "x" * 1000}})

store = SqliteBackend(sys.argv[1])
stored = refused = 0
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
while refused < 20:
    try:
        if stored % 2:
            store.send(an_event())
        else:
            store.send_batch([an_event()], timeout=60)
        stored += 1
    except RetryableError:
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
store.send_batch([an_event() for _ in range(100)], timeout=60)
store.send(an_event())
assert stored > 0
assert store.count() == stored + 101, (store.count(), stored)
assert store.shutdown(60)
"""


def test_a_file_that_can_grow_no_more_refuses_and_resumes_by_itself(python, sql):
    python(FULL_DISK)
    assert sql("PRAGMA integrity_check") == [("ok",)]


FORKS = """
import os, sys, threading
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend

sys.setswitchinterval(1e-5)
store = SqliteBackend(sys.argv[1], busy_timeout=30)
going_on, sent = True, [0, 0]

def storm(number):
    while going_on:
        store.send(normalize_event({"name": "parent"}))
        sent[number] += 1

threads = [threading.Thread(target=storm, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for _ in range(10):
    child = os.fork()
    if child == 0:
        store.send(normalize_event({"name": "child"}))
        store.send_batch([normalize_event({"name": "child"})], timeout=30)
        os._exit(0 if store.shutdown(60) else 1)
    assert os.waitpid(child, 0)[1] == 0
going_on = False
for thread in threads:
    thread.join()
assert store.count(name="child") == 20
assert store.count(name="parent") == sum(sent), (store.count(name="parent"), sent)
assert store.shutdown(60)
"""


@pytest.mark.once
def test_forks_under_load_lose_nothing_and_end(python, sql):
    python(FORKS)
    assert sql("PRAGMA integrity_check") == [("ok",)]


LOCKED = """
import os, sqlite3, sys, threading, time
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend

store = SqliteBackend(sys.argv[1], busy_timeout=60)
store.send(normalize_event({"name": "first"}))
other = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
other.execute("BEGIN IMMEDIATE")
waiting = threading.Thread(target=store.send, args=(normalize_event({"name": "waiting"}),))
waiting.start()
def is_inside_sqlite():
    frame = sys._current_frames()[waiting.ident]
    return "eventtracking_sqlite" in frame.f_code.co_filename

longest = 0.0
for _ in range(10):
    deadline = time.monotonic() + 60
    while not is_inside_sqlite():
        assert time.monotonic() < deadline
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os._exit(0)
    longest = max(longest, time.monotonic() - began)
    os.waitpid(child, 0)
assert longest < 30, longest  # 0.05 on an idle machine
other.execute("COMMIT")
waiting.join()
child = os.fork()
if child == 0:
    store.send(normalize_event({"name": "child"}))
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.count() == 3
"""


def test_a_fork_does_not_wait_until_a_locked_database_is_free(python):
    python(LOCKED)


WRITING = """
import os, pathlib, sqlite3, sys, threading, time
from eventtracking_core.deadlines import wait_until
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend

sys.path += [pathlib.Path("/somewhere"), None]  # as programs do, although it is for text
SLOW = (
    "CREATE TRIGGER slow BEFORE INSERT ON events WHEN NEW.name = 'slow' BEGIN"
    " SELECT count(*) FROM (WITH RECURSIVE c(x) AS"
    " (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000) SELECT x FROM c); END"
)
store = SqliteBackend(sys.argv[1], busy_timeout=60)
store.send(normalize_event({"name": "first"}))
with sqlite3.connect(sys.argv[1]) as other:
    other.execute(SLOW)
other.close()
many = [normalize_event({"name": "many"}) for _ in range(20_000)]
one = [normalize_event({"name": "slow"})]
longest = 0.0
for batch in (many, one):
    writing = threading.Thread(target=store.send_batch, args=(batch,), kwargs={"timeout": 60})
    writing.start()
    is_writing = wait_until(lambda: store._lock.is_writing, time.monotonic() + 60, 0.001)
    assert is_writing, "no transaction began"
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        store.send(normalize_event({"name": "child"}))
        other = SqliteBackend(sys.argv[1], busy_timeout=60)
        other.send_batch([normalize_event({"name": "child"})], timeout=60)
        os._exit(0)
    longest = max(longest, time.monotonic() - began)
    assert os.waitpid(child, 0)[1] == 0
    writing.join()
assert store.count(name="child") == 4
assert store.count(name="many") == 20_000
assert store.count(name="slow") == 1
assert store.shutdown(60)
print(longest)
"""


def test_a_fork_does_not_wait_for_a_transaction_and_the_child_can_write(python, sql):
    assert float(python(WRITING)) < 1  # 0.05 on an idle machine
    assert sql("PRAGMA integrity_check") == [("ok",)]


SIGNALS = """
import signal, sys
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend

store = SqliteBackend(sys.argv[1])
store.send(normalize_event({"name": "first"}))
interrupted = 0

def interrupt(*_):
    global interrupted
    interrupted += 1
    if interrupted % 2:
        store.send(normalize_event({"name": "signal"}))
    else:
        store.send_batch([normalize_event({"name": "signal"})], timeout=60)

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
batches = 0
while interrupted < 300:
    store.send_batch([normalize_event({"name": "batch"})] * 3, timeout=60)
    store.send(normalize_event({"name": "alone"}))
    batches += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert store.count(name="signal") == interrupted
assert store.count(name="batch") == store.count(name="alone") == batches
"""


def test_a_signal_handler_may_send_at_any_moment(python):
    python(SIGNALS)


FIRST = """
import subprocess, sys
script = '''
import sys
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend
store = SqliteBackend(sys.argv[1])
sys.stdin.read()
for _ in range(20):
    store.send(normalize_event({"name": "n"}))
'''
command = [sys.executable, "-c", script, sys.argv[1]]
children = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(6)]
for child in children:
    child.stdin.close()
assert [child.wait() for child in children] == [0] * 6
"""


@pytest.mark.once
def test_processes_may_make_the_store_at_the_same_time(store, python):
    python(FIRST)
    assert store.count() == 120


PARENT_CLOSES = """
import os, sys
from eventtracking_core.encoding import normalize_event
from eventtracking_sqlite import SqliteBackend

store = SqliteBackend(sys.argv[1], busy_timeout=30)
store.send(normalize_event({"name": "parent"}))
closes_before = sys.argv[2] == "before"
(may_begin, began), (has_closed, closed) = os.pipe(), os.pipe()
other = SqliteBackend(sys.argv[1], busy_timeout=30)
child = os.fork()
if child == 0:
    store = other if sys.argv[3] == "another backend" else store
    os.close(closed)
    if not closes_before:
        store.send(normalize_event({"name": "child"}))
        os.write(began, b".")
    os.read(has_closed, 1)
    store.send(normalize_event({"name": "child"}))
    store.send_batch([normalize_event({"name": "child"})], timeout=30)
    os._exit(0 if store.shutdown(60) else 1)
if not closes_before:
    os.read(may_begin, 1)
assert store.shutdown(60)
os.write(closed, b".")
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("stores_by", ["the same backend", "another backend"])
@pytest.mark.parametrize(("closes", "number"), [("before", 2), ("after", 3)])
def test_a_child_loses_nothing_when_its_parent_closes_the_database(
    closes, number, stores_by, python, sql
):
    """SQLite removes its log with the last connection; a child does not inherit its locks."""
    python(PARENT_CLOSES, closes, stores_by)
    assert sql("SELECT count(*) FROM events WHERE name = 'child'") == [(number,)]
