"""The store is away, says nothing, loses its answers, or refuses, while events come."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import dedent
from time import monotonic

import pytest
from waiting import wait_until

from eventtracking_core import RetryableError, Tracker
from eventtracking_core.testing import BackendConformance
from eventtracking_objects import ObjectsBackend

QUICK = {"mode": "queue", "initial_interval": 0.05, "max_interval": 0.2, "schedule_delay": 0.05}


@pytest.fixture
def a_tracker(a_bucket, s3, tmp_path):
    """Makes trackers that send to the test's bucket, by a port."""
    made = []

    def make(port=None, options=None, **delivery):
        tracker = Tracker()
        made.append(tracker)
        sink = {"type": "objects", "uri": a_bucket.uri, "options": s3.options(port)}
        delivery = QUICK | {"directory": str(tmp_path)} | delivery
        tracker.configure({"backends": {"lake": sink | (options or {}) | {"delivery": delivery}}})
        return tracker

    yield make
    for tracker in made:
        tracker.shutdown(1)


def counts(tracker):
    (leaf,) = tracker.stats()["tree"]["backends"]
    return leaf


def test_a_store_that_is_cut_off_under_load_loses_and_repeats_nothing(
    s3, a_bucket, a_tracker, fault_proxy
):
    proxy = fault_proxy("127.0.0.1", s3.port)
    tracker = a_tracker(proxy.port)
    emitted, done = [], threading.Event()

    def emit():
        while not done.wait(0.001):
            emitted.append(tracker.emit("numbered", {"n": len(emitted)}))

    emitter = threading.Thread(target=emit)
    emitter.start()
    try:
        for _ in range(2):
            before = counts(tracker)["delivered"]
            wait_until(lambda: counts(tracker)["delivered"] > before + 50)  # noqa: B023  called here
            proxy.refuses = True
            proxy.reset()
            number = len(emitted)
            wait_until(lambda: len(emitted) > number + 100)  # noqa: B023  called here
            proxy.heal()
    finally:
        done.set()
        emitter.join()
    assert tracker.flush(60)
    assert a_bucket.stored() == sorted(emitted)
    assert counts(tracker)["delivered"] == len(emitted)


def test_a_batch_whose_answer_is_lost_is_stored_once(s3, a_bucket, a_tracker, fault_proxy):
    proxy = fault_proxy("127.0.0.1", s3.port)
    tracker = a_tracker(proxy.port)
    emitted = [tracker.emit("numbered", {"n": -1})]
    assert tracker.flush(60)
    proxy.lose_answers(b"PUT /", 7)  # more than the client itself tries again
    emitted += [tracker.emit("numbered", {"n": n}) for n in range(50)]
    wait_until(lambda: proxy.lost >= 2)
    emitted += [tracker.emit("numbered", {"n": n}) for n in range(50, 100)]  # join the next batch
    assert tracker.flush(60)
    assert a_bucket.stored() == sorted(emitted)
    assert [event["id"] for event in a_bucket().query(after="")] == emitted


def test_one_event_that_makes_an_object_too_large_is_rejected_alone(a_tracker):
    with _Limited() as server:
        tracker = a_tracker(server.server_port, {"compression": "none"})
        for n in range(100):
            tracker.emit("numbered", {"text": "too large" if n == 37 else "x"})
        assert tracker.flush(60)
    assert counts(tracker)["delivered"] == 99
    assert counts(tracker)["dead_lettered"] == 1


@pytest.mark.parametrize("connected", [False, True])
def test_a_store_that_says_nothing_is_left_in_time(
    connected, a_bucket, send, an_event, fault_proxy
):
    proxy = fault_proxy("127.0.0.1", a_bucket.port)
    store = a_bucket(port=proxy.port)
    if connected:
        send(store, an_event())
    proxy.is_black_hole = True
    event = an_event()
    before = monotonic()
    with pytest.raises(RetryableError):
        send(store, event, timeout=0.3)
    assert monotonic() - before < 30
    proxy.heal()
    send(store, event)
    assert len(a_bucket.stored()) == 1 + connected


def test_a_refused_login_may_be_mended_and_is_not_told(send, an_event):
    with _Limited(status=403) as server:
        options = {"endpoint": f"http://127.0.0.1:{server.server_port}", "region": "a"}
        secrets = {"access_key_id": "AN-ACCESS-KEY", "secret_access_key": "a-secret-key"}
        store = ObjectsBackend("s3://a-bucket/", options=options | secrets)
        for attempt in (lambda: send(store, an_event()), lambda: store.probe(5), store.count):
            with pytest.raises(RetryableError, match="check credentials") as caught:
                attempt()
            assert "AN-ACCESS" not in str(caught.value)
            assert "a-secret-key" not in f"{caught.value}{store!r}"


def test_a_store_that_may_only_be_written_takes_events(send, an_event, caplog):
    with _Limited(status=403, methods=("GET",)) as server:
        options = {"endpoint": f"http://127.0.0.1:{server.server_port}", "region": "a"}
        secrets = {"access_key_id": "AN-ACCESS-KEY", "secret_access_key": "a-secret-key"}
        store = ObjectsBackend("s3://another-bucket/", options=options | secrets)
        send(store, an_event())
        send(store, an_event())
    assert len(server.objects) == 2
    assert caplog.text.count("may not be read") == 1


def test_a_bucket_that_is_missing_is_tried_again(s3, send, an_event):
    store = ObjectsBackend("s3://nobody-made-it/", options=s3.options())
    with pytest.raises(RetryableError, match="no such bucket"):
        send(store, an_event())


def test_a_child_of_a_process_that_has_sent_can_send(a_bucket, send, an_event):
    store = a_bucket()
    send(store, an_event())
    for _ in range(2):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                send(store, an_event())
                status = store.count() < 2
                store.shutdown(1)
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        send(store, an_event())
    assert len(a_bucket.stored()) == 5


KILLED = """
    import os, sys
    from threading import Event
    from eventtracking_core import Tracker

    uri, endpoint, directory = sys.argv[1:]
    sink = {"type": "objects", "uri": uri, "options": {
        "endpoint": endpoint, "region": "us-east-1",
        "access_key_id": "AN-ACCESS-KEY", "secret_access_key": "a-secret-key"}}
    delivery = {"mode": "spool", "directory": directory, "max_batch_size": 200,
        "schedule_delay": 0.05, "initial_interval": 0.02, "max_interval": 0.1}
    tracker = Tracker()
    tracker.configure({"backends": {"lake": sink | {"delivery": delivery}}})
    n = 0
    while True:
        os.write(1, tracker.emit("numbered", {"n": n}).encode() + b"\\n")
        n += 1
        Event().wait(0.001)
"""


def test_what_a_killed_process_had_accepted_is_stored_once(
    s3, a_bucket, a_tracker, fault_proxy, tmp_path
):
    proxy = fault_proxy("127.0.0.1", s3.port)
    arguments = (a_bucket.uri, f"http://127.0.0.1:{proxy.port}", str(tmp_path))
    accepted = []
    for lost in (b"PUT /", b"never"):
        proxy.lose_answers(lost, 3)
        with (tmp_path / "ids").open("w+b") as ids:
            process = subprocess.Popen(
                [sys.executable, "-c", dedent(KILLED), *arguments], stdout=ids
            )
            try:
                wait_until(lambda: len(a_bucket.stored()) > len(accepted) + 100)  # noqa: B023
            finally:
                process.kill()
                process.wait()
            ids.seek(0)
            accepted += ids.read().decode().split("\n")[:-1]
    tracker = a_tracker(mode="spool")
    wait_until(lambda: set(a_bucket.stored()) >= set(accepted))
    assert tracker.flush(60)
    stored = a_bucket.stored()
    assert len(stored) == len(set(stored))
    assert len(set(stored) - set(accepted)) <= 2  # emitted, and killed before it was told


def test_a_port_that_accepts_and_says_nothing_is_left_in_time(send, an_event):
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = {"endpoint": f"http://127.0.0.1:{server.getsockname()[1]}", "region": "a"}
        secrets = {"access_key_id": "a", "secret_access_key": "a-secret-key"}
        store = ObjectsBackend("s3://a-bucket/", options=options | secrets)
        with pytest.raises(RetryableError) as caught:
            send(store, an_event(), timeout=0.3)
    assert "a-secret-key" not in str(caught.value)


class TestConformanceOnS3(BackendConformance):
    # Hundreds of objects: test_storing.py shows them in a directory.
    test_takes_hostile_events = None
    test_takes_events_from_many_threads = None

    @pytest.fixture(autouse=True)
    def _store(self, a_bucket):
        self.a_bucket = a_bucket

    def make_backend(self):
        return self.a_bucket()

    def make_unreachable(self):
        return self.a_bucket(port=1)

    def stored(self, backend):
        return list(backend.query())


class _Limited(ThreadingHTTPServer):
    """A store that refuses objects which are too large, or all requests."""

    daemon_threads = True

    def __init__(self, status=None, methods=("GET", "PUT")):
        self.status, self.methods, self.objects = status, methods, []
        super().__init__(("127.0.0.1", 0), _Handler)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"too large" in body:
            self._answer(413)
        else:
            self.server.objects.append(self.path)
            self._answer(200)

    def do_GET(self):
        self._answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")

    def _answer(self, status, body=b""):
        if self.server.status and self.command in self.server.methods:
            status, body = self.server.status, b"<Error><Code>AccessDenied</Code></Error>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
