"""A program that ends right after it emitted has delivered."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import eventtracking_core as et

sink = {"type": "mongo", "uri": sys.argv[1], "database": sys.argv[2]}
et.configure({"shutdown_timeout": 30, "backends": {"mongo": sink}})
for number in range(int(sys.argv[3])):
    et.emit("numbered", {"number": number})
"""


@pytest.mark.parametrize("count", [1, 2000])
def test_what_is_emitted_last_of_all_is_stored(mongo_uri, mongo_database, stored, count):
    """At the interpreter's end no thread can be started, and pymongo needs some."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, mongo_uri, mongo_database.name, str(count)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(each["data"]["number"] for each in stored()) == list(range(count))
