"""A site on two origins, with the client, and the collector that its events go to."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing, suppress
from threading import Thread
from time import monotonic

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from waiting import DEADLINE, wait_until

from eventtracking_core import Tracker
from eventtracking_sqlite import SqliteBackend
from eventtracking_web import CLIENT, collector

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HELPERS = """
import { trackClicks } from "/static/clicks.js";
import { trackPages } from "/static/pages.js";
import { trackVitals } from "/static/vitals.js";
trackClicks(eventtracking);
trackPages(eventtracking);
trackVitals(eventtracking);
document.body.dataset.ready = "";
"""
PAGE = """<!doctype html><title>Lamps</title>
<script src="/static/eventtracking.min.js" data-key="public" {attributes}></script>
<body><button data-event="shop.cart.added" data-event-item-id="7"><b>Buy</b></button>
"""


class Site:
    """The servers.

    `requests` are those to the collector. The next ones are answered by 503: as many as `refusals`,
    whose items are the seconds of Retry-After, without effect, and then `lost_answers`, after they
    were accepted.
    """

    def __init__(self):
        routes = [
            Route("/page", self._page),
            Route("/helpers", self._page),
            Route("/elsewhere", lambda _: HTMLResponse("<!doctype html><title>Elsewhere</title>")),
            Route("/helpers.js", lambda _: Response(HELPERS, media_type="text/javascript")),
            Mount("/static", StaticFiles(directory=CLIENT)),
            Mount("/e", self._collect),
        ]
        app = Starlette(routes=routes)
        # The browser may still hold connections at the end.
        options = {"port": 0, "log_level": "warning", "lifespan": "off"}
        options["timeout_graceful_shutdown"] = 1
        # An origin is a host with a port: these are two.
        self._servers = [uvicorn.Server(uvicorn.Config(app, **options)) for _ in range(2)]
        self._threads = [Thread(target=server.run, daemon=True) for server in self._servers]
        for thread in self._threads:
            thread.start()
        wait_until(lambda: all(server.started for server in self._servers))
        ports = [server.servers[0].sockets[0].getsockname()[1] for server in self._servers]
        self.url, self.other = (f"http://127.0.0.1:{port}" for port in ports)

    def open(self, tracker, database):
        """Begin a test."""
        self._collector = collector(
            tracker, keys={"public": []}, origins=[self.url], rate=1e6, burst=10**6
        )
        self._database = database
        self.attributes = 'data-endpoint="/e/"'
        self.refusals = []
        self.lost_answers = 0
        self.requests = []

    def close(self):
        for server in self._servers:
            server.should_exit = True
        for thread in self._threads:
            thread.join(DEADLINE)

    def stored(self):
        """Return the events in SQLite, in the order of their times."""
        rows = []
        # There is no table before the first event.
        with closing(sqlite3.connect(self._database)) as database, suppress(sqlite3.Error):
            rows = database.execute("SELECT event FROM events").fetchall()
        return sorted((json.loads(row[0]) for row in rows), key=lambda event: event["timestamp"])

    def names(self):
        return sorted(event["name"] for event in self.stored())

    def _page(self, request):
        html = PAGE.format(attributes=self.attributes)
        if request.url.path == "/helpers":
            html += '<script type="module" src="/helpers.js"></script>'
        policy = f"default-src 'none'; script-src 'self'; connect-src 'self' {self.other}"
        policy += "; require-trusted-types-for 'script'"
        return HTMLResponse(html, headers={"content-security-policy": policy})

    async def _collect(self, scope, receive, send):
        """Note a request, and answer it by the collector, or with a refusal."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        names = [event["name"] for event in json.loads(body or b"{}").get("events", ())]
        self.requests.append((scope["method"], names, monotonic()))

        async def receive_again():
            return {"type": "http.request", "body": body}

        async def refuse(message):
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"retry-after", str(wait).encode())]
                message = message | {"status": 503, "headers": headers}
            await send(message)

        if self.refusals:
            wait = self.refusals.pop(0)
            # The collector adds its headers, and takes nothing.
            await self._collector(dict(scope, method="OPTIONS"), receive_again, refuse)
        elif self.lost_answers:
            self.lost_answers -= 1
            wait = 0
            await self._collector(scope, receive_again, refuse)
        else:
            await self._collector(scope, receive_again, send)


@pytest.fixture(scope="module")  # Playwright has a running event loop: tests of asyncio have none
def chromium():
    """A headless Chromium, the system's own, with its back/forward cache."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=QUIET,
            timeout=DEADLINE * 1000,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def servers():
    site = Site()
    yield site
    site.close()


@pytest.fixture
def site(servers, tmp_path):
    database = tmp_path / "events.db"
    tracker = Tracker({"store": SqliteBackend(str(database))})
    servers.open(tracker, database)
    yield servers
    tracker.shutdown(5)


@pytest.fixture
def browser(chromium):
    """The windows of one user, and what they complained of."""
    context = chromium.new_context()
    context.set_default_timeout(DEADLINE * 1000)
    context.problems = []
    context.on("console", lambda message: context.problems.append(message.text))
    context.on("weberror", lambda error: context.problems.append(str(error.error)))
    yield context
    context.close()


@pytest.fixture
def page(browser, site):
    page = browser.new_page()
    page.goto(f"{site.url}/page")
    return page
