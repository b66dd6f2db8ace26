"""Pictures of the catalogue and of the demonstrations, drawn when pages are recorded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from extension.recording import RECORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from sphinx.application import Sphinx

__all__ = ["draw"]

WIDTH: Final = 1120
HEIGHT: Final = 660
COLUMNS: Final = 80


def draw(app: Sphinx) -> None:
    """Draw the pictures that the pages and the README show, if pages are recorded."""
    if not os.environ.get(RECORD):
        return
    pages = Path(app.srcdir, "how-to")
    with TemporaryDirectory(prefix="docs-pictures-") as name:
        directory = Path(name)
        printed = _run(directory, "demo")
        _draw_terminal("eventtracking demo", printed, pages / "demo.svg")
        _run(directory, "catalog", "build", "--from", "eventtracking-demo/events.db", "-o", "site")
        with _browser() as browser:
            view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            view.goto((directory / "site" / "index.html").as_uri())
            view.screenshot(path=pages / "catalog.png")
            _draw_collector(view, pages / "collector.png")


def _run(directory: Path, *arguments: str) -> str:
    program = Path(sys.executable).with_name("eventtracking")
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "LANG": "C.UTF-8", "FORCE_COLOR": "1"}
    ran = subprocess.run(  # noqa: S603  our own program
        [program, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    return ran.stdout


def _draw_terminal(title: str, printed: str, file: Path) -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(printed), soft_wrap=True)
        console.save_svg(str(file), title=title, unique_id="demo")


@contextmanager
def _browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only where pages are recorded

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def _draw_collector(view: Page, file: Path) -> None:
    """Use the page of `eventtracking collector --demo`, and draw it with its events."""
    program = Path(sys.executable).with_name("eventtracking")
    command = [program, "collector", "--demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            printed = process.stdout.readline() if process.stdout else ""
            view.goto(printed.split()[1])
            view.click("#play")
            view.wait_for_selector("#events li:has-text('edx.video.played')")
            view.click("text=2 Problem")
            view.check("input[value='2']")
            view.click("#check")
            view.wait_for_selector("#events li:has-text('edx.problem.checked')")
            view.screenshot(path=file)
        finally:
            process.terminate()
