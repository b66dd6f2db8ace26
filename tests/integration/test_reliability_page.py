"""The page on reliability names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_names_tests_that_exist():
    page = (ROOT / "docs/explanation/reliability.md").read_text()
    suites = "".join(
        path.read_text() for path in (ROOT / "eventtracking_core/testing").glob("*.py")
    )
    named = re.findall(r"`((?:tests|plugins)/[\w/]+\.py)::([\w:]+)", page)
    assert len(named) > 100
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"def {name.split('::')[-1]}(" not in (ROOT / path).read_text() + suites * ("::" in name)
    ]
    assert not missing
