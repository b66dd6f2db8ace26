"""Events become lines, whole and once, whoever else writes."""

from __future__ import annotations

import json
import signal
import stat
from contextlib import contextmanager
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventtracking_core import Tracker
from eventtracking_core.encoding import decode_json
from eventtracking_file import FileBackend

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def numbers(events):
    return [event["data"]["number"] for event in events]


def test_an_event_is_one_line_from_which_it_can_be_read_back(path, an_event):
    event = an_event(problem_id="p1", note="two\nlines")
    FileBackend(str(path)).send(event)
    assert path.read_bytes().count(b"\n") == 1
    assert decode_json(path.read_bytes()) == event


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=3))
def test_whatever_is_in_events_there_is_one_line_of_json_for_each(path, an_event, batch):
    path.write_bytes(b"")
    backend = FileBackend(str(path))
    events = [an_event() | {"data": data} for data in batch]
    for event in events:
        backend.send(event)
    backend.send_batch(events, timeout=60)
    lines = path.read_bytes().split(b"\n")[:-1]
    assert [json.loads(line)["id"] for line in lines] == [event["id"] for event in events] * 2


def test_nothing_is_opened_before_the_first_event(path, an_event):
    backend = FileBackend(str(path.parent / "made" / "on" / "demand.ndjson"))
    assert not (path.parent / "made").exists()
    backend.send(an_event())
    assert (path.parent / "made" / "on" / "demand.ndjson").exists()


def test_a_relative_path_stays_where_the_process_was(tmp_path, monkeypatch, an_event):
    monkeypatch.chdir(tmp_path)
    backend = FileBackend("events.ndjson")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    backend.send(an_event())
    assert (tmp_path / "events.ndjson").exists()


@pytest.mark.parametrize(("options", "permissions"), [({}, 0o600), ({"mode": 0o640}, 0o640)])
def test_a_new_file_is_for_its_owner_unless_told_otherwise(path, an_event, options, permissions):
    FileBackend(str(path), **options).send(an_event())
    assert stat.S_IMODE(path.stat().st_mode) == permissions


def test_a_batch_keeps_its_order_and_may_be_of_any_size(path, written, an_event):
    backend = FileBackend(str(path))
    backend.send_batch([], timeout=60)
    backend.send_batch([an_event(number=n, text="x" * 1000) for n in range(1000)], timeout=60)
    assert numbers(written()) == list(range(1000))


def test_a_backend_can_be_used_after_its_shutdown(path, written, an_event):
    backend = FileBackend(str(path), fsync=True)
    for number in range(3):
        backend.send(an_event(number=number))
        assert backend.shutdown(1)
    assert numbers(written()) == [0, 1, 2]


def test_a_line_that_another_program_did_not_end_is_ended(path, an_event):
    path.write_text('{"id": "tor')
    FileBackend(str(path)).send(an_event())
    assert len(path.read_text().splitlines()) == 2


def test_a_tracker_finds_the_backend_by_its_name(path, written):
    tracker = Tracker()
    tracker.configure({"backends": {"f": {"type": "file", "path": str(path), "max_size": "1 MiB"}}})
    event_id = tracker.emit("edx.course.enrollment.activated", {"mode": "audit"})
    assert tracker.shutdown(60)
    assert [event["id"] for event in written()] == [event_id]


def test_threads_write_whole_lines(path, written, an_event):
    backend = FileBackend(str(path))

    def write(first):
        for number in range(first, first + 500):
            backend.send(an_event(number=number, text="x" * number))

    threads = [Thread(target=write, args=(500 * n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(written())) == list(range(3000))


@contextmanager
def alarms(handler):
    """Call a handler in the middle of anything, again a moment after it ended."""

    def handle(*_):
        handler()
        signal.setitimer(signal.ITIMER_REAL, 0.0002)

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_signal_handler_may_send_in_the_middle_of_a_send(path, written, an_event):
    backend = FileBackend(str(path), max_size=100_000, keep=1000)
    sent = []

    def send():
        event = an_event()
        backend.send(event)
        sent.append(event["id"])

    interruptions = []
    with alarms(lambda: (send(), interruptions.append(None))):
        while len(interruptions) < 300:
            send()
    assert backend.shutdown(60)
    assert sorted(event["id"] for event in written()) == sorted(sent)


def test_a_forked_child_writes_too(run, path, written):
    run("""
backend = FileBackend(path, max_size=50_000, compress="gzip")
for number in range(100):
    backend.send(event(number=number))
for child in range(4):
    if os.fork() == 0:
        for number in range(100 + 100 * child, 200 + 100 * child):
            backend.send(event(number=number))
        os._exit(0 if backend.shutdown(10) else 1)
for number in range(500, 600):
    backend.send(event(number=number))
assert all(os.wait()[1] == 0 for child in range(4))
assert backend.shutdown(60)
""")
    assert sorted(numbers(written())) == list(range(600))


@pytest.mark.parametrize(
    "options",
    [
        {"path": ""},
        {"max_size": 0},
        {"rotate_every": 0},
        {"rotate_every": float("nan")},
        {"rotate_every": "week"},
        {"max_size": 1, "keep": 0},
        {"max_size": 1, "compress": "rar"},
        {"compress": "gzip"},
        {"keep": 3},
        {"mode": 0o1777},
    ],
)
def test_an_option_out_of_its_range_is_refused(options):
    with pytest.raises(ValueError, match=next(reversed(options))):
        FileBackend(**{"path": "events.ndjson"} | options)
