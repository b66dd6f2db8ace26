"""The check of prose in `lint` finds phrases in text, and leaves code alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / ".ci/prose.py"


@pytest.fixture
def check(tmp_path):
    def check(name, text):
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        for command in (["init", "-q"], ["add", "."]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        ran = subprocess.run(
            [sys.executable, PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return ran.returncode, ran.stdout

    return check


def test_a_phrase_is_named_with_its_line_and_what_to_say(check):
    code, out = check("page.md", "One.\n\nThe events that\nare told\nof it.\n")

    assert (code, out) == (1, "page.md:4: 'are told of': say is notified, is shown, is reported\n")


def test_code_in_a_page_is_not_prose(check):
    assert check("page.md", "See `nobody`.\n\n```python\nnobody = anew\n```\n") == (0, "")


def test_comments_and_strings_of_a_module_are_prose(check):
    code, out = check("docs/conf.py", "nobody = 1\n# nobody reads it\nx = 'made anew'\n")

    assert code == 1
    assert [line.partition(": ")[0] for line in out.splitlines()] == [
        "docs/conf.py:2",
        "docs/conf.py:3",
    ]
