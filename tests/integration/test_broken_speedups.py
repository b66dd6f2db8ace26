"""A build of eventtracking-speedups that cannot be used: everything works without it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES

import pytest

pytestmark = pytest.mark.once

PROGRAM = """
import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import _compiled, decode_json, encode_json

assert (_compiled.plain_weight, _compiled.plain_size) == (None, None)
memory = MemoryBackend()
et.configure({"telemetry": False, "backends": {"a": memory}})
et.register("a.b", "Something.", {"n": "A number."})
et.emit("a.b", {"n": [1, {"m": 2.5}]})
[event] = memory.events
assert decode_json(encode_json(event))["data"] == {"n": [1, {"m": 2.5}]}
"""
USUAL = "from eventtracking_speedups._walk import plain_size, plain_weight"
BUILDS = {
    "a library that is cut off": (USUAL, b"\x7fELF" + bytes(60)),
    "a library that is none": (USUAL, b"not a library"),
    "an empty file": (USUAL, b""),
    "no library": (USUAL, None),
    "a function is missing": ("plain_size = len", None),
    "another failure": ("raise SystemError('built for another Python')", None),
}


@pytest.mark.parametrize("build", BUILDS)
def test_a_broken_build_is_as_good_as_none_and_silent(tmp_path, build):
    module, library = BUILDS[build]
    package = tmp_path / "eventtracking_speedups"
    package.mkdir()
    (package / "__init__.py").write_text(module)
    if library is not None:
        (package / f"_walk{EXTENSION_SUFFIXES[0]}").write_bytes(library)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
