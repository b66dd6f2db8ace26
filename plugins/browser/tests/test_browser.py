"""The client in a real browser, with the real collector: each event is stored once."""

from __future__ import annotations

import pytest

from eventtracking_core import Tracker
from eventtracking_mongo import MongoBackend

STORED = "Object.keys(localStorage).filter((key) => localStorage[key]).length"
RESTORED = """addEventListener("pageshow", async (event) => {
    if (!event.persisted) return;
    eventtracking.emit("restored");
    eventtracking.flush();
})"""
PRIVATE = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})"

pytestmark = pytest.mark.once


def emit(page, *names):
    for name in names:
        page.evaluate(f"eventtracking.emit('{name}')")


def test_a_click_is_stored_under_a_strict_policy(browser, site, eventually):
    page = browser.new_page()
    page.goto(f"{site.url}/helpers?secret=1#2")
    page.wait_for_selector("body[data-ready]")
    page.click("b")
    page.evaluate("history.pushState(null, '', '/deeper?secret=3')")
    page.goto(f"{site.url}/elsewhere")
    eventually(lambda: len(site.stored()) == 4)
    data = {event["name"]: event["data"] for event in site.stored()}
    assert sorted(site.names()) == [
        "page.measured",
        "page.viewed",
        "page.viewed",
        "shop.cart.added",
    ]
    assert data["shop.cart.added"] == {"item_id": "7"}
    assert data["page.viewed"] == {
        "page": f"{site.url}/deeper",
        "title": "Lamps",
        "referrer": f"{site.url}/helpers",
    }
    assert data["page.measured"].keys() >= {"ttfb", "fcp"}
    assert "secret" not in str(site.stored())
    assert browser.problems == []


def test_an_event_just_before_the_page_goes_away_is_sent(page, site, eventually):
    page.evaluate("eventtracking.emit('last'); location.href = '/elsewhere'")
    eventually(lambda: site.names() == ["last"])
    page.wait_for_url("**/elsewhere")
    assert site.names() == ["last"]


def test_a_window_that_is_closed_sends_its_events(page, site, eventually):
    emit(page, "last")
    page.close(run_before_unload=True)
    eventually(lambda: site.names() == ["last"])


def test_more_than_a_page_can_send_at_its_end_is_sent_by_the_next_one(page, site, eventually):
    page.evaluate(
        """for (let n = 0; n < 400; n++) eventtracking.emit(`e${n}`, {text: "x".repeat(300)});
        location.href = "/page?next" """
    )
    eventually(lambda: len(site.stored()) == 400)
    assert set(site.names()) == {f"e{n}" for n in range(400)}
    page.wait_for_url("**/page?next")
    eventually(lambda: page.evaluate(STORED) == 0)
    assert len(site.stored()) == 400


def test_events_of_a_page_that_was_offline_are_sent_after_a_reload(page, site, browser, eventually):
    browser.set_offline(True)
    emit(page, "offline")
    page.evaluate("eventtracking.flush()")
    page.evaluate("location.reload()")
    browser.set_offline(False)
    page.goto(f"{site.url}/page")
    eventually(lambda: site.names() == ["offline"])
    eventually(lambda: page.evaluate(STORED) == 0)
    assert len(site.stored()) == 1


def test_a_page_sends_when_it_is_online_again(page, site, browser, eventually):
    browser.set_offline(True)
    emit(page, "offline")
    for _ in range(6):  # the pause before the next attempt is about a minute by now
        assert page.evaluate("eventtracking.flush()") is False
    browser.set_offline(False)
    eventually(lambda: site.names() == ["offline"], 40)


@pytest.mark.parametrize("place", ["same", "other"])
def test_a_server_that_is_full_gets_the_batch_when_it_said(browser, site, eventually, place):
    if place == "other":
        site.attributes = f'data-endpoint="{site.other}/e/"'
    site.refusals = [1]
    page = browser.new_page()
    page.goto(f"{site.url}/page")
    emit(page, "a", "b")
    # Within the second for which the server asks, however slow this process is.
    twice = "eventtracking.flush().then(async (first) => [first, await eventtracking.flush()])"
    assert page.evaluate(twice) == [False, False]
    eventually(lambda: site.names() == ["a", "b"])
    [(first, _, refused), (second, names, accepted)] = site.requests
    assert (first, second, names) == ("POST", "POST", ["a", "b"])  # and no preflight
    assert accepted - refused >= 1


def test_a_batch_whose_answer_was_lost_is_sent_again_and_stored_once(page, site, eventually):
    site.lost_answers = 1
    emit(page, "a", "b")
    assert page.evaluate("eventtracking.flush()") is False
    page.reload()
    eventually(lambda: page.evaluate(STORED) == 0)
    assert site.names() == ["a", "b"]
    assert len(site.requests) >= 2


def test_a_tab_leaves_the_events_of_another_alone_until_it_is_closed(
    page, site, browser, eventually
):
    site.refusals = [0] * 9
    emit(page, "first")
    assert page.evaluate("eventtracking.flush()") is False
    second = browser.new_page()
    second.goto(f"{site.url}/page")
    emit(second, "second")
    second.evaluate("eventtracking.flush()")
    assert second.evaluate(STORED) == 2
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    site.refusals = []
    second.reload()
    eventually(lambda: sorted(site.names()) == ["first", "second"])
    eventually(lambda: second.evaluate(STORED) == 0)
    assert len(site.stored()) == 2


def test_a_page_from_the_back_forward_cache_goes_on(page, site, eventually):
    page.evaluate(RESTORED)
    emit(page, "before")
    page.goto(f"{site.url}/elsewhere")
    eventually(lambda: site.names() == ["before"])
    page.evaluate("history.back()")
    eventually(lambda: site.names() == ["before", "restored"])
    assert site.names() == ["before", "restored"]


def test_another_page_takes_the_events_of_one_in_the_cache(page, site, eventually):
    page.evaluate(RESTORED)
    site.refusals = [0]
    emit(page, "kept")
    page.goto(f"{site.url}/page?next")
    eventually(lambda: site.names() == ["kept"])
    page.evaluate("history.back()")
    eventually(lambda: site.names() == ["kept", "restored"])
    assert [names for _, names, _ in site.requests][-1] == ["restored"]


def test_before_consent_nothing_is_stored_or_sent(browser, site):
    site.attributes = 'data-endpoint="/e/" data-consent="pending"'
    page = browser.new_page()
    page.goto(f"{site.url}/page")
    emit(page, "early")
    assert page.evaluate("eventtracking.flush()") is False
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert (page.evaluate("localStorage.length"), site.requests) == (0, [])
    page.evaluate("window.agreed = Date.now(); eventtracking.consent(true)")
    assert page.evaluate("eventtracking.flush()") is True
    assert site.names() == ["early"]
    emitted = int(site.stored()[0]["id"].replace("-", "")[:12], 16)  # by the page's own clock
    assert emitted <= page.evaluate("agreed")
    assert browser.cookies() == []


def test_global_privacy_control_is_a_refusal(browser, site):
    browser.add_init_script("navigator.globalPrivacyControl = true")
    page = browser.new_page()
    page.goto(f"{site.url}/page")
    emit(page, "a")
    page.goto(f"{site.url}/page?next")
    assert (page.evaluate("localStorage.length"), site.requests) == (0, [])


def test_without_storage_events_are_sent_too(browser, site, eventually):
    browser.add_init_script(PRIVATE)
    page = browser.new_page()
    page.goto(f"{site.url}/page")
    emit(page, "a")
    page.goto(f"{site.url}/elsewhere")
    eventually(lambda: site.names() == ["a"])
    assert browser.problems == []


def test_a_beacon_is_sent_to_another_origin(browser, site, eventually):
    site.attributes = ""
    page = browser.new_page()
    page.goto(f"{site.url}/page")
    page.evaluate(
        f"""eventtracking.configure({{endpoint: "{site.other}/e/", key: "public",
        backends: {{beacon: eventtracking.backends.beacon}}}})"""
    )
    page.evaluate("eventtracking.emit('a'); location.href = '/elsewhere'")
    eventually(lambda: site.names() == ["a"])
    assert [method for method, *_ in site.requests] == ["POST"]


@pytest.fixture
def mongo_site(site, mongo_uri, mongo_database, tmp_path):
    """The site, with a collector that stores in MongoDB."""
    backend = MongoBackend(uri=mongo_uri, database=mongo_database.name, collection="events")
    tracker = Tracker({"store": backend})
    site.open(tracker, tmp_path / "unused.db")
    yield site
    tracker.shutdown(5)


def test_events_reach_mongodb_once(page, mongo_site, mongo_database, eventually):
    mongo_site.lost_answers = 1
    emit(page, "a", "b")
    assert page.evaluate("eventtracking.flush()") is False
    page.reload()
    eventually(lambda: page.evaluate(STORED) == 0)
    assert sorted(each["name"] for each in mongo_database.events.find()) == ["a", "b"]
