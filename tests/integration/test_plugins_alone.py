"""Each plugin needs nothing but the core and what it declares, and is imported only when named."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
NAMES = sorted(path.parent.name for path in PLUGINS.glob("*/pyproject.toml"))
NAMES.remove("compat")  # its package is of another distribution too
NAMES.remove("speedups")  # it is built apart from the workspace

ALONE = """
import importlib, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

missing = set(sys.argv[2:])
sys.meta_path.insert(0, Missing())
importlib.import_module(sys.argv[1])
"""

NAMED = """
import sys
import eventtracking_core as et

et.configure({"backends": {"a": {"type": "memory", "delivery": "queue"}}})
et.emit("a")
assert et.get_tracker().shutdown(60)
print(*sys.modules)
"""


LOAD = """
import importlib, sys
from importlib.metadata import entry_points

importlib.import_module(sys.argv[1])
for point in entry_points(group="eventtracking"):
    point.load()
"""


def run(code, *arguments, python=sys.executable):
    """Return what a new process prints."""
    ran = subprocess.run(
        [python, "-P", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(distribution):
    """Return a distribution and all that is installed with it, without extras of its own."""
    found, pending = set(), [(normal(distribution), frozenset())]
    while pending:
        name, extras = pending.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        try:
            needed = requires(name) or []
        except PackageNotFoundError:  # for another system or Python
            continue
        for line in needed:
            head, _, marker = line.partition(";")
            asked = re.findall(r"extra\s*==\s*['\"]([^'\"]+)", marker)
            if asked and not extras.intersection(map(normal, asked)):
                continue
            package = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?", head)
            wanted = frozenset(normal(each) for each in (package[2] or "").split(",") if each)
            pending.append((normal(package[1]), wanted))
    return {name for name, _ in found}


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
def test_a_plugin_can_be_imported_where_only_what_it_declares_is_installed(name):
    allowed = closure(f"eventtracking-{name.replace('_', '-')}")
    run(
        ALONE,
        f"eventtracking_{name}",
        *(
            package
            for package, owners in packages_distributions().items()
            if allowed.isdisjoint(map(normal, owners)) and package not in sys.stdlib_module_names
        ),
    )


@pytest.mark.once
def test_no_plugin_and_no_driver_is_imported_that_is_not_named():
    check_unnamed(run(NAMED))


@pytest.mark.soak  # it installs from an index
@pytest.mark.parametrize("name", NAMES)
def test_a_plugin_works_in_a_new_environment_with_the_core(name, tmp_path):
    ours = [PLUGINS.parent]
    for distribution in closure(f"eventtracking-{name.replace('_', '-')}"):
        place = PLUGINS / distribution.removeprefix("eventtracking-").replace("-", "_")
        ours += [place] if place.is_dir() and distribution.startswith("eventtracking-") else []
    python = tmp_path / "bin" / "python"
    uv = ["uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, tmp_path], check=True)
    subprocess.run([*uv, "pip", "install", "--python", python, *ours], check=True, timeout=250)
    check_unnamed(run(NAMED, python=python))
    run(LOAD, f"eventtracking_{name}", python=python)


def check_unnamed(modules):
    """Check that a process has imported no plugin and no driver."""
    packages = {name.partition(".")[0] for name in modules.split()}
    assert not packages & {f"eventtracking_{name}" for name in NAMES}
    drivers = {"celery", "clickhouse_connect", "confluent_kafka", "django", "obstore", "psycopg"}
    assert not packages & (drivers | {"pyarrow", "pymongo", "redis", "sqlalchemy", "urllib3"})
