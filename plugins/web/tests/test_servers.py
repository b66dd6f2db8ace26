"""P30: real servers. Each request's events have its user, and no way to end loses one of them."""

from __future__ import annotations

import http.client
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from server_workers import UWSGI_NOTES_BOOTS

VARIANTS = (("inline", ""), ("queue", ""), ("queue", "bare_"), ("spool", "bare_"))
"""The delivery's mode, and the prefix of the application: `bare_` has no middleware."""
CLIENTS = 8

GUNICORN = ("gunicorn", "-b", "127.0.0.1:PORT", "-w", "2", "--graceful-timeout", "20")
UVICORN = ("uvicorn", "--port", "PORT", "--log-level", "warning")
GRANIAN = ("granian", "--host", "127.0.0.1", "--port", "PORT", "--interface")
UWSGI = (
    *("uwsgi", "--http-socket", "127.0.0.1:PORT", "--virtualenv", sys.prefix, "--master"),
    *("--processes", "2", "--enable-threads", "--disable-logging", "--py-call-uwsgi-fork-hooks"),
    *("--hook-master-start", "unix_signal:15 gracefully_kill_them_all", *UWSGI_NOTES_BOOTS),
    "--module",
)
ASGI = {
    "uvicorn": UVICORN,
    "uvicorn --workers 2": (*UVICORN, "--workers", "2"),
    "gunicorn -k uvicorn": (*GUNICORN, "-k", "uvicorn_worker.UvicornWorker"),
    "gunicorn -k uvicorn --preload": (*GUNICORN, "--preload", "-k", "uvicorn_worker.UvicornWorker"),
    "gunicorn -k asgi": (*GUNICORN, "-k", "asgi"),
    "hypercorn": ("hypercorn", "-b", "127.0.0.1:PORT"),
    "granian": (*GRANIAN, "asgi"),
}
WSGI = {
    "gunicorn -k sync": GUNICORN,
    "gunicorn -k sync --preload": (*GUNICORN, "--preload"),
    "gunicorn -k gthread": (*GUNICORN, "-k", "gthread", "--threads", "4"),
    "gunicorn -k gevent": (*GUNICORN, "-k", "gevent"),
    "gunicorn -k gevent --preload": (*GUNICORN, "-k", "gevent", "--preload"),
    "granian, WSGI": (*GRANIAN, "wsgi", "--workers-kill-timeout", "20"),
    "uWSGI": UWSGI,
}
SERVERS = ASGI | WSGI
ENDS = {
    "SIGTERM": (signal.SIGTERM, False),
    "SIGTERM to all": (signal.SIGTERM, True),  # systemd
    "SIGINT to all": (signal.SIGINT, True),  # Ctrl-C
    "SIGQUIT to all": (signal.SIGQUIT, True),
}


def is_promised(server, end, mode):
    """Return whether events are stored however busy the server is."""
    if server == "uWSGI":  # it runs no Python in a busy worker that such a signal reaches
        return end == "SIGTERM" or (mode != "queue" and end != "SIGTERM to all")
    # This one handles SIGQUIT, and does not end.
    return (server, end) != ("uvicorn --workers 2", "SIGQUIT to all")


CASES = [
    (server, end, mode, prefix)
    for server in SERVERS
    for end in ENDS
    for mode, prefix in VARIANTS
    if is_promised(server, end, mode)
]


class Clients:
    """Sends requests from several threads, and a signal in the middle of them."""

    def __init__(self, server, number):
        self._server = server
        self._users = iter(range(number))
        self._half = number // 2
        self._lock = threading.Lock()
        self.answered = []
        self.unanswered = 0

    def ask_all(self, end):
        """Send all requests; call `end` when half of them are answered."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            for each in [pool.submit(self._ask, end) for _ in range(CLIENTS)]:
                each.result()

    def _ask(self, end):
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        for user in iter(self._next, None):
            path = f"/{('loop', 'thread', 'stream')[user % 3]}/{user}"
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                assert (response.status, response.read()) == (200, b"ab")
            except (OSError, http.client.HTTPException, AssertionError):
                connection.close()
                self.unanswered += 1
                if len(self.answered) >= self._half:
                    return
                continue
            with self._lock:
                self.answered.append(str(user))
                is_half = len(self.answered) == self._half
            if is_half:
                end()
        connection.close()

    def _next(self):
        with self._lock:
            return next(self._users, None)


def check(serve, server, *, mode, prefix, end, requests):
    number, all_processes = ENDS[end]
    application = prefix + ("asgi" if server in ASGI else "wsgi")
    running = serve(*SERVERS[server], f"applications:{application}", mode=mode)
    clients = Clients(running, requests)
    clients.ask_all(lambda: running.signal(number, all_processes=all_processes))
    running.wait()
    if mode == "spool":
        running.adopt()
    emitted, events = running.emitted(), running.stored()
    assert len(clients.answered) >= requests // 2
    stored = {event["id"] for event in events}
    assert len(stored) == len(events)
    lost = set(emitted) - stored
    assert not lost, (len(lost), len(emitted), running.log)
    users = {}
    for event in events:
        users.setdefault(event["data"]["user"], []).append(event["name"])
        if not prefix:
            assert event["context"]["user_id"] == event["data"]["user"]
            assert event["context"]["path"].endswith("/" + event["data"]["user"])
    # What runs after the response may be cancelled by the server.
    before_the_end = clients.answered[: requests // 2]
    assert {user for user in before_the_end if len(users.get(user, ())) < 2} == set()


@pytest.mark.once
@pytest.mark.parametrize("server", SERVERS)
def test_a_server_that_is_terminated_amid_requests_has_stored_each_event_once(serve, server):
    check(serve, server, mode="queue", prefix="", end="SIGTERM", requests=200)


@pytest.mark.soak
@pytest.mark.parametrize(("server", "end", "mode", "prefix"), CASES)
def test_however_a_server_ends_amid_two_thousand_requests_each_event_is_stored_once(
    serve, server, end, mode, prefix
):
    check(serve, server, mode=mode, prefix=prefix, end=end, requests=2000)
