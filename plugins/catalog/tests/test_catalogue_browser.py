"""The site in a browser, opened from the disk, and served."""

from __future__ import annotations

import json
import shutil
from threading import Thread

import pytest
from click.testing import CliRunner
from waiting import DEADLINE

from eventtracking_catalog.commands.catalog import build
from eventtracking_catalog.serving import server
from eventtracking_catalog.sources import Sources

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium, the system's own."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, timeout=DEADLINE * 1000
        )
        yield browser
        browser.close()


@pytest.fixture
def seen(chromium):
    """A page, and what it asked for and complained of."""
    page = chromium.new_page()
    page.set_default_timeout(DEADLINE * 1000)
    page.requested, page.problems = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    page.close()


@pytest.fixture
def lines(a_record, an_event):
    """Records with markup in their descriptions, and events."""
    return [
        a_record(
            fields={"total": {"description": "<img src=x onerror=alert(1)>"}},
            description="<script>document.title = 'owned'</script> was placed.",
        ),
        an_event(data={"total": 1}),
        an_event("shop.cart.left", {"items_left": 2}, {"user_id": 7}),
    ]


@pytest.fixture
def site(log, lines, tmp_path):
    """The address of a site on the disk."""
    output = tmp_path / "site"
    result = CliRunner().invoke(build, ["--from", str(log(*lines)), "-o", str(output)])
    assert result.exit_code == 0, result.output
    return (output / "index.html").as_uri()


def test_search_by_keyboard_from_the_disk_without_network_or_complaint(seen, site):
    seen.goto(site)
    seen.keyboard.press("/")
    assert seen.evaluate("document.activeElement.id") == "search"
    seen.keyboard.type("items_l")
    seen.wait_for_selector("#results [role=option]")
    assert seen.inner_text("#results [aria-selected=true] code") == "shop.cart.left"
    seen.keyboard.press("Enter")
    seen.wait_for_url("**/events/shop.cart.left.html")
    assert seen.inner_text("h1") == "shop.cart.left"

    seen.click("text=Events >> nth=0")
    seen.wait_for_url("**/index.html")
    seen.click("a.row:has-text('placed')")
    seen.wait_for_url("**/events/shop.order.placed.html")
    assert seen.problems == []
    assert all(url.startswith("file:") for url in seen.requested)


def test_markup_in_a_description_is_shown_as_text(seen, site):
    seen.goto(site.replace("index.html", "events/shop.order.placed.html"))
    assert seen.inner_text(".lead") == "<script>document.title = 'owned'</script> was placed."
    assert "<img src=x onerror=alert(1)>" in seen.inner_text("table.fields")
    assert seen.title() == "shop.order.placed · Event catalogue"
    seen.fill("#search", "owned")
    assert "<script>" in seen.inner_text("#results")
    assert seen.query_selector("main img, main script, #results script") is None
    assert seen.problems == []


def names(page):
    rows = page.locator("main .row .name").all()
    return [row.inner_text() for row in rows if row.is_visible()]


def test_event_types_are_sorted_by_name_count_and_time(seen, log, an_event, tmp_path):
    events = [*[an_event("shop.often")] * 3, an_event("shop.rare"), an_event("page.seen")]
    output = tmp_path / "site"
    path = log(*events)
    assert CliRunner().invoke(build, ["--from", str(path), "-o", str(output)]).exit_code == 0
    seen.goto((output / "index.html").as_uri())
    by_name = ["page.seen", "shop.often", "shop.rare"]
    assert names(seen) == by_name
    seen.click("#sort [data-by=count]")
    assert names(seen)[0] == "shop.often"
    assert seen.get_attribute("#sort [data-by=count]", "aria-pressed") == "true"
    seen.click("#sort [data-by=last]")
    assert names(seen) == ["page.seen", "shop.rare", "shop.often"]
    seen.click("#sort [data-by=name]")
    assert names(seen) == by_name
    assert seen.problems == []


def test_no_column_is_clipped_on_a_narrow_screen(seen, site):
    seen.set_viewport_size({"width": 420, "height": 800})
    for page in ("index.html", "contexts.html", "events/shop.order.placed.html"):
        seen.goto(site.replace("index.html", page))
        clipped = """[...document.querySelectorAll("main, .scroll")].some(
            (each) => each.scrollWidth > each.clientWidth + 1
        )"""
        assert not seen.evaluate(clipped), page
    assert seen.is_visible("td.presence")


def test_the_chart_has_labels_and_an_undocumented_event_says_how_to_document_it(seen, site):
    seen.goto(site.replace("index.html", "events/shop.cart.left.html"))
    assert "events per" in seen.inner_text(".chart .axis")
    assert seen.inner_text(".chart .peak") == "1"
    seen.click("details.how summary")
    snippet = seen.inner_text("details.how pre")
    assert '"shop.cart.left",' in snippet
    assert '"items_left": "What it means.",' in snippet
    compile(snippet, "snippet", "exec")
    seen.goto(site.replace("index.html", "contexts.html"))
    assert "user_id" in seen.inner_text("#seen ~ .scroll")
    assert "guessed" in seen.get_attribute("#seen ~ .scroll .badge.pii", "title")
    assert "guessed from a field's name" in seen.inner_text(".legend")


def test_colours_follow_the_system_until_they_are_chosen(seen, site):
    def background():
        return seen.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    seen.emulate_media(color_scheme="light")
    seen.goto(site)
    light = background()
    seen.emulate_media(color_scheme="dark")
    assert background() != light
    seen.click("#theme")
    assert background() == light


@pytest.fixture
def served(log, lines):
    """A server of a log's catalogue; its address, and the log."""
    path = log(*lines)
    with server(Sources([str(path)]), 0) as serving:
        thread = Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/", path
        serving.shutdown()
        thread.join(5)


def test_served_counts_follow_the_log(seen, served, an_event):
    address, path = served
    seen.goto(address)
    count = seen.locator("[data-count='shop.order.placed']")
    assert count.inner_text() == "1"
    with path.open("a") as file:
        file.write(json.dumps(an_event(data={"total": 2})) + "\n")
    seen.locator("[data-count='shop.order.placed']:text('2')").wait_for()
    assert seen.locator("[data-total]").inner_text() == "3"
    assert seen.problems == []
    assert all(url.startswith(address) for url in seen.requested)
