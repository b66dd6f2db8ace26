"""A plugin is a directory in `plugins/`; each list of plugins elsewhere is compared with these."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from eventtracking_core.plugins import PUBLISHED

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLUGINS = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in ROOT.glob("plugins/*/pyproject.toml")
}
DISTRIBUTIONS = {plugin["project"]["name"] for plugin in PLUGINS.values()}
DROP_IN = "compat"
"""It has the package of another distribution, so it is in no group, and it may import plugins."""
COMPILED = "speedups"
"""It registers nothing, and only a C compiler builds it, so it is in no group either."""
PACKAGES = {f"eventtracking_{name}" for name in PLUGINS.keys() - {DROP_IN, COMPILED}}
LINTER = PROJECT["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in LINTER["contracts"]}


def ours(names):
    return {name for name in names if name.startswith("eventtracking_")} - {"eventtracking_core"}


@pytest.mark.parametrize(
    ("listed", "plugins"),
    [
        pytest.param(
            {re.split(r"[\[><=]", each)[0] for each in PROJECT["dependency-groups"]["plugins"]},
            DISTRIBUTIONS - {f"eventtracking-{DROP_IN}", f"eventtracking-{COMPILED}"}
            | {"eventtracking-core"},
            id="dependency-groups.plugins",
        ),
        pytest.param(
            set(PROJECT["tool"]["uv"]["sources"]),
            DISTRIBUTIONS | {"eventtracking-core"},
            id="tool.uv.sources",
        ),
        pytest.param(ours(LINTER["root_packages"]), PACKAGES, id="importlinter.root_packages"),
        pytest.param(ours(CONTRACTS["core"]["forbidden_modules"]), PACKAGES, id="contract core"),
        pytest.param(ours(CONTRACTS["plugins"]["modules"]), PACKAGES, id="contract plugins"),
        pytest.param(ours(CONTRACTS["circles"]["ancestors"]), PACKAGES, id="contract circles"),
    ],
)
def test_pyproject_lists_every_plugin(listed, plugins):
    assert listed == plugins


def test_the_core_suggests_to_install_every_plugin_with_a_type():
    typed = {
        name
        for name, plugin in PLUGINS.items()
        if name in plugin["project"].get("entry-points", {}).get("eventtracking", {})
    }
    assert typed == PUBLISHED


def test_a_new_plugin_is_written_into_each_list_by_one_command(tmp_path):
    lists = [tmp_path / "pyproject.toml", tmp_path / "eventtracking_core/known_types.py"]
    for path in (*lists, *(tmp_path / f"plugins/{name}/pyproject.toml" for name in PLUGINS)):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path.relative_to(tmp_path), path)

    def written():
        command = [sys.executable, ROOT / ".ci/plugin_lists.py"]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
        return [path.read_text(encoding="utf-8") for path in lists]

    before = [(ROOT / path.relative_to(tmp_path)).read_text(encoding="utf-8") for path in lists]
    assert written() == before
    new = tmp_path / "plugins/my_new/pyproject.toml"
    new.parent.mkdir()
    new.write_text('[project]\nentry-points.eventtracking.my_new = "eventtracking_my_new"\n')
    project, types = written()
    assert project.count("eventtracking-my-new") == 2
    assert project.count('    "eventtracking_my_new",\n') == 4
    assert types.count('        "my_new",\n') == 1
    shutil.rmtree(new.parent)
    assert written() == before


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_is_named_after_its_directory(name):
    assert PLUGINS[name]["project"]["name"] == f"eventtracking-{name.replace('_', '-')}"
    package = "eventtracking" if name == DROP_IN else f"eventtracking_{name}"
    assert (ROOT / "plugins" / name / package).is_dir()


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_runs_where_the_core_does_and_says_where_it_comes_from(name):
    def versions(project):
        return [each for each in project["classifiers"] if each.startswith("Programming Language")]

    project = PLUGINS[name]["project"]
    assert versions(project) == versions(PROJECT["project"])
    assert project["urls"].keys() == PROJECT["project"]["urls"].keys()


@pytest.mark.parametrize("name", PLUGINS)
def test_the_links_of_its_readme_work_on_a_package_index(name):
    text = (ROOT / "plugins" / name / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)", text)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
