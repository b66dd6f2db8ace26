"""`eventtracking collector`, and the page that it shows with `--demo`."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from waiting import DEADLINE

from eventtracking_web.commands import collector
from eventtracking_web.demo import server

PROGRAM = Path(sys.executable).with_name("eventtracking")
ORIGIN = "https://shop.example.org"
EVENT = {"id": "1", "name": "shop.page.viewed"}


def post(address, origin, **fields):
    body = json.dumps({"client": "c", "events": [EVENT]} | fields).encode()
    headers = {"origin": origin, "content-type": "text/plain", "x-forwarded-for": "198.51.100.7"}
    with urlopen(Request(address, body, headers), timeout=DEADLINE) as response:
        return json.load(response)


def test_it_serves_the_endpoint_with_a_configuration(tmp_path):
    config = tmp_path / "events.toml"
    config.write_text('[backends.log]\ntype = "file"\npath = "e.ndjson"\ndelivery = "queue"\n')
    words = ("--port", "0", "--key", "public=shop.", "--key", "other", "--origin", ORIGIN)
    command = [PROGRAM, "collector", "--config", config, *words]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            assert post(address, ORIGIN, key="public")["accepted"] == 1
            assert post(address, ORIGIN, key="other")["accepted"] == 1
        finally:
            process.terminate()
            process.wait(DEADLINE)
    events = [json.loads(line) for line in (tmp_path / "e.ndjson").read_text().splitlines()]
    assert [event["name"] for event in events] == ["shop.page.viewed"] * 2
    assert {event["context"]["ip"] for event in events} == {"127.0.0.0"}, "no proxy is trusted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--key"),
        (["--key", "public"], "--origin"),
        (["--key", "=shop.", "--origin", ORIGIN, "--config", "c.toml"], "keys"),
        (["--key", "public", "--origin", ORIGIN, "--config", "none.toml"], "no backend"),
    ],
)
def test_what_is_missing_is_said_in_a_line(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text('[backends.nowhere]\ntype = "null"\n')
    (tmp_path / "none.toml").write_text("")
    result = CliRunner().invoke(collector, words)
    assert result.exit_code != 0
    assert said in result.output


def test_without_uvicorn_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    (tmp_path / "c.toml").write_text('[backends.nowhere]\ntype = "null"\n')
    words = ["--config", str(tmp_path / "c.toml"), "--key", "public", "--origin", ORIGIN]
    result = CliRunner().invoke(collector, words)
    assert result.exit_code == 1
    assert "eventtracking-web[server]" in result.output


@pytest.fixture(scope="module")
def demo():
    """The address of the demonstration."""
    with server(0) as serving:
        thread = Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join(10)


def ask(address, path, method="GET", **headers):
    connection = http.client.HTTPConnection(address, timeout=DEADLINE)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_the_page_is_closed_to_the_world(demo):
    answer, content = ask(demo, "/")
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert b"//" not in content.replace(b"<!doctype html>", b"")
    assert ask(demo, "/", host="evil.example.org")[0].status == 421
    assert ask(demo, "/../__init__.py")[0].status == 404
    assert ask(demo, "/", method="POST")[0].status == 405


def test_the_latest_events_are_asked_for_by_their_number(demo):
    before = json.loads(ask(demo, "/events")[1])["number"]
    assert post(f"http://{demo}/e", f"http://{demo}", key="demo")["rejected"][0]["index"] == 0
    event = {"id": "1", "name": "edx.video.played"}
    assert post(f"http://{demo}/e", f"http://{demo}", key="demo", events=[event])["accepted"] == 1
    for after in (str(before), f"{before}0000"):
        answer = json.loads(ask(demo, f"/events?after={after}")[1])
        assert answer["number"] == before + 1
    latest = json.loads(ask(demo, f"/events?after={before}")[1])["events"]
    assert [each["name"] for each in latest] == ["edx.video.played"]
    assert ask(demo, "/events?after=x")[0].status == 200


CHROMIUM = shutil.which("chromium")


@pytest.mark.once
def test_what_is_done_on_the_page_shows_up_beside_it(demo):
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu"],
            timeout=DEADLINE * 1000,
        )
        page = browser.new_page()
        page.set_default_timeout(DEADLINE * 1000)
        problems, requested = [], []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"http://{demo}/")
        page.click("#play")
        page.click("text=2 Problem")
        page.check("input[value='2']")
        page.click("#check")
        page.wait_for_selector("#events li:has-text('edx.problem.checked')")
        names = page.locator("#events li strong").all_inner_texts()
        context = page.inner_text("#events li:has-text('edx.problem.checked') .context")
        browser.close()
    assert names[:5] == [
        "edx.problem.checked",
        "edx.unit.navigated",
        "edx.video.paused",
        "edx.video.played",
        "edx.unit.viewed",
    ]
    assert (
        json.loads(context).items()
        >= {
            "origin": "client",
            "course_id": "course-v1:Demo+CS101",
            "unit": "loops",
        }.items()
    )
    assert problems == []
    assert all(url.startswith((f"http://{demo}/", "data:")) for url in requested)
