"""`python -m eventtracking_sqlalchemy`: what is wrong is one line, and the exit code says so."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def command(tmp_path):
    """Run the command in an empty directory."""

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "eventtracking_sqlalchemy", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("raise SystemExit(0)", "shop cannot be imported: SystemExit"),
        ("raise ValueError('hunter2')", "shop cannot be imported: ValueError"),
        (None, "shop cannot be imported: ModuleNotFoundError: No module named 'shop'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_line(command, tmp_path, source, says):
    if source is not None:
        (tmp_path / "shop.py").write_text(source)
    ran = command("--import", "shop")
    assert (ran.returncode, ran.stderr) == (1, f"{says}\n")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--batch-size", "0"),
        ("--batch-size", "-5"),
        ("--batch-size", "many"),
        ("--interval", "-1"),
        ("--interval", "soon"),
        ("--timeout", "nan"),
    ],
)
def test_a_number_that_would_deliver_nothing_is_an_error(command, tmp_path, option, value):
    (tmp_path / "shop.py").write_text("")
    ran = command("--import", "shop", "--once", option, value)
    assert ran.returncode == 2
    assert f"argument {option}: must be " in ran.stderr
