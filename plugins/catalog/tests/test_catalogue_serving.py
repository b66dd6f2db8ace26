"""The server of the catalogue: what it answers, to whom."""

from __future__ import annotations

import http.client
import json
from threading import Thread

import pytest

from eventtracking_catalog.serving import server
from eventtracking_catalog.sources import Sources


@pytest.fixture
def served(log, an_event):
    """A log that is served, and a function to ask for something."""
    path = log(an_event("shop.order.placed"))
    with server(Sources([str(path)]), 0) as serving:
        thread = Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()

        def ask(target, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", serving.server_port, timeout=60)
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, answer.headers, content

        yield path, ask
        serving.shutdown()
        thread.join(5)


def test_the_front_page_is_live_and_closed_to_the_world(served):
    _, ask = served
    status, headers, content = ask("/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b'data-live="counts.json"' in content


def test_a_new_event_type_is_counted_and_gets_a_page(served, an_event):
    path, ask = served
    assert json.loads(ask("/counts.json")[2]) == {"total": 1, "events": {"shop.order.placed": 1}}
    with path.open("a") as file:
        file.write(json.dumps(an_event("shop.cart.left")) + "\n" + '{"name": "shop.cart')
    assert json.loads(ask("/counts.json")[2])["events"]["shop.cart.left"] == 1
    assert ask("/events/shop.cart.left.html")[0] == 200


@pytest.mark.parametrize(
    "target", ["/nothing", "/../conftest.py", "/%2e%2e/events.log", "/static/"]
)
def test_only_the_site_is_served(served, target):
    assert served[1](target)[0] == 404


def test_a_name_that_was_made_to_mean_this_machine_gets_nothing(served):
    status, _, content = served[1]("/", Host="attacker.example:80")
    assert (status, content) == (421, b"")


def test_a_log_that_is_gone_is_no_crash(served):
    path, ask = served
    path.unlink()
    assert ask("/counts.json")[0] == 503
    assert ask("/")[0] == 200
