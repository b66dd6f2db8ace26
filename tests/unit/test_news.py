"""News fragments: towncrier ends if two of them have one issue, kind and number."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
KINDS = {kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"]}


def key(name):
    """Return the issue, the kind and the number of a fragment, as towncrier reads its name."""
    parts = name.split(".")
    at = max((at for at, part in enumerate(parts) if at and part in KINDS), default=None)
    assert at is not None, f"{name} names no kind: see changelog.d/README.md"
    number = parts[at + 1]
    return ".".join(parts[:at]), parts[at], int(number) if number.isdigit() else 0


def test_no_two_news_fragments_have_the_same_issue_kind_and_number():
    names = [path.name for path in ROOT.glob("changelog.d/*.md") if path.name != "README.md"]
    twins = [found for found, number in Counter(map(key, names)).items() if number > 1]
    assert not twins, "see changelog.d/README.md"
