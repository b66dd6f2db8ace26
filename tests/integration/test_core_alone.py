"""The core without anything else: what a library that emits asks of those who install it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from uuid import UUID

import pytest

ROOT = Path(__file__).parents[2]

# What only plugins and configurations need.
NOT_IMPORTED = {"click", "msgspec", "opentelemetry", "pluggy"}


@pytest.fixture(scope="module")
def alone(wheel, pip_install):
    """A directory with nothing but the core."""
    return pip_install(wheel(ROOT))


@pytest.fixture
def python(alone, environment):
    """Runs code where nothing but the standard library and the core is installed."""

    def python(code):
        return subprocess.run(
            [sys.executable, "-P", "-S", "-X", "importtime", "-c", dedent(code)],
            capture_output=True,
            check=True,
            env=environment(alone),
            text=True,
            timeout=60,
        )

    return python


def imported(ran):
    """Return the top-level packages that a process imported, as `-X importtime` lists them."""
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}


@pytest.mark.once
def test_the_wheel_holds_the_core_and_nothing_else(alone):
    names = {path.name for path in alone.iterdir() if path.suffix != ".dist-info"}
    assert names == {"eventtracking_core"}
    assert (alone / "eventtracking_core" / "py.typed").is_file()


def test_importing_it_needs_nothing_but_the_standard_library(python, alone):
    ran = python("import eventtracking_core; print(eventtracking_core.__file__)")
    assert Path(ran.stdout.strip()).is_relative_to(alone)
    assert "eventtracking_core" in imported(ran)
    assert not NOT_IMPORTED & imported(ran)


def test_where_its_dependencies_are_installed_importing_it_leaves_them_alone():
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import eventtracking_core"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert "eventtracking_core" in imported(ran)
    assert not NOT_IMPORTED & imported(ran)


def test_emitting_does_nothing_and_returns_an_id_while_nobody_has_configured_a_tracker(python):
    ran = python("""
        import eventtracking_core as et

        with et.context("request", {"user_id": 1}):
            print(et.emit("edx.problem.check", {"problem_id": "p1"}))
        print(et.emit())
        print(et.get_tracker().stats()["emitted"])
    """)
    first, second, emitted = ran.stdout.split()
    assert UUID(first).version == UUID(second).version == 7
    assert first < second
    assert emitted == "0"
    assert not NOT_IMPORTED & imported(ran)
