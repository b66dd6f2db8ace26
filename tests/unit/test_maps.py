"""The maps of the code name paths that exist, and name all of them in the order of the layers."""

from __future__ import annotations

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "eventtracking_core"
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]
LAYERS = next(
    contract["layers"] for contract in LINTER["contracts"] if contract["type"] == "layers"
)
TABLE = re.search(r"```text\ntesting.*?```", ARCHITECTURE, re.DOTALL)[0].splitlines()[1:-1]


def expanded(path):
    """Return the paths that one with alternatives in braces stands for."""
    parts = re.split(r"\{([^}]*)\}", path)
    return map("".join, product(*(part.split(",") for part in parts)))


def words(line):
    return re.findall(r"\w+", re.sub(r" {2,}.*", "", line))


PATHS = {
    each
    for text in (GUIDE, ARCHITECTURE)
    for path in re.findall(r"`([\w./{},<>-]+(?:/|\.py|\.md|\.toml))`", text)
    if "<" not in path
    for each in expanded(path)
}
MODULES = {
    path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
} - {"__init__"}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_each_path_that_a_contributor_is_sent_to_exists(path):
    places = (ROOT, CORE, CORE / "delivery", ROOT / "plugins/cli/eventtracking_cli")
    assert any((place / path).exists() for place in places)


def test_the_architecture_page_lists_every_module_below_those_that_import_it():
    lines = [line for line in TABLE if not line.startswith(" ")]
    listed = [name for line in lines for name in words(line)]
    assert sorted(listed) == sorted(MODULES)

    order = {name: number for number, layer in enumerate(LAYERS) for name in words(layer)}
    heights = [order[name] for name in listed]
    assert heights == sorted(heights)


@pytest.mark.parametrize("package", sorted(path.parent.name for path in CORE.glob("*/__init__.py")))
def test_the_guide_sends_to_each_package_of_the_core_and_to_its_unit_tests(package):
    rows = [row.split("|") for row in GUIDE.splitlines() if row.startswith("| ")]
    tests = [row[3] for row in rows if len(row) == 5 and f"`{package}/" in row[2]]
    assert tests
    if (ROOT / "tests/unit" / package).is_dir():
        assert f"`tests/unit/{package}/`" in tests[0]


def test_unit_tests_are_in_directories_named_as_packages():
    directories = {
        path.name for path in (ROOT / "tests/unit").iterdir() if any(path.glob("test_*.py"))
    }
    assert directories <= MODULES


def test_the_workflow_and_the_guide_have_every_environment_of_tox():
    [listed] = re.findall(
        r"^env_list = (.*)$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE
    )
    # Wheels for the other versions of Python are a job of their own.
    environments = {name.strip() for name in listed.split(",")} - {
        "speedups-py311",
        "speedups-py313",
    }
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    run = re.findall(r"environments?: (.*)", workflow)
    assert environments <= set(re.findall(r"[\w-]+", " ".join(run)))
    table = GUIDE.partition("## Continuous integration")[2]
    assert environments <= set(re.findall(r"`([\w-]+)`", table))


def test_each_test_that_a_page_names_exists():
    """As the build of the documentation checks too, which takes minutes."""
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    suites = "".join(path.read_text(encoding="utf-8") for path in CORE.glob("testing/_*.py"))
    missing = []
    for page in pages:
        named = re.findall(r"`([\w/]+\.py)::(\w+::)?(test_\w+)`", page.read_text(encoding="utf-8"))
        for path, suite, name in named:
            module = ROOT / path
            tests = module.read_text(encoding="utf-8") if module.is_file() else ""
            if f"def {name}(" not in tests + (suites if suite else ""):
                missing.append(f"{page.name}: {path}::{name}")
    assert missing == []
