"""The client's own tests in Node.js, its size, and the files that are built from its source."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from eventtracking_web import CLIENT

HERE = Path(__file__).parent
PACKAGE = HERE.parent
DIST = PACKAGE / "dist"
NODE = shutil.which("node")
LIMIT = 3 * 1024

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(NODE is None, reason="needs Node.js"),
]


def node(*arguments):
    return subprocess.run(
        [NODE, *map(str, arguments)],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def files(directory):
    return {
        str(path.relative_to(directory)): path.read_text(encoding="utf-8")
        for path in directory.rglob("*.*s")
    }


@pytest.mark.parametrize("test", sorted(HERE.glob("*.test.js")), ids=lambda path: path.stem)
def test_the_logic_in_node(test):
    result = node("--test", "--test-timeout=60000", test)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def tools():
    """The directory of the tools that build the client."""
    directory = PACKAGE / "node_modules"
    if not (directory / "esbuild").is_dir():
        pytest.skip("needs `npm install --no-package-lock` in plugins/browser")
    return directory


@pytest.mark.usefixtures("tools")
def test_the_built_files_are_those_of_the_source(tmp_path):
    result = node("build.js", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert files(tmp_path) == files(DIST), "run `npm run build`, and commit dist"


def test_the_types_check_the_code_of_users(tools):
    options = ["--noEmit", "--strict", "--module", "NodeNext", "--target", "ES2022"]
    result = node(tools / "typescript/bin/tsc", *options, HERE / "typing.ts")
    assert result.returncode == 0, result.stdout + result.stderr


def test_eventtracking_web_has_the_built_scripts():
    assert files(CLIENT) == {name: text for name, text in files(DIST).items() if "/" not in name}


@pytest.mark.parametrize("name", ["eventtracking.js", "eventtracking.min.js"])
def test_the_client_has_less_than_3_kib(name):
    assert len(gzip.compress((DIST / name).read_bytes(), mtime=0)) < LIMIT
