"""Addresses of the form `mongodb+srv`, whose servers are looked up first."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dns_server import SeedList
from pymongo.uri_parser import parse_uri
from waiting import DEADLINE

PROGRAM = """
import sys
import dns.resolver

dns.resolver.default_resolver = resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port = ["127.0.0.1"], int(sys.argv[1])
resolver.lifetime = 10

import eventtracking_core as et

sink = {"type": "mongo", "uri": sys.argv[2], "database": sys.argv[3]}
delivery = {"mode": sys.argv[4], "directory": sys.argv[5], "schedule_delay": 60}
patience = float(sys.argv[7])
et.configure({"shutdown_timeout": patience, "backends": {"mongo": sink | {"delivery": delivery}}})
for number in range(100):
    et.emit("numbered", {"number": number})
exec(sys.argv[6])
"""

WORKS_UNTIL_IT_LOOKED_UP = """
import threading, time
from eventtracking_core.deadlines import wait_until

def has_connected():  # and is done with it
    names = " ".join(each.name for each in threading.enumerate())
    return "pymongo_server_rtt" in names and "_warm_up" not in names

assert wait_until(has_connected, time.monotonic() + 60, 0.01), threading.enumerate()
"""
FLUSHES = "assert et.get_tracker().flush(60)"


@pytest.fixture
def seed_list(mongo_uri):
    server = SeedList(parse_uri(mongo_uri)["nodelist"][0][1])
    yield server
    server.close()


@pytest.fixture
def run(seed_list, mongo_uri, mongo_database, tmp_path):
    """Runs a program that emits a hundred events; returns what it says of failures."""

    def run(end, mode="queue", patience=10):
        options = parse_uri(mongo_uri)["options"]
        members = "&replicaSet=" + options["replicaset"] if "replicaset" in options else ""
        uri = f"mongodb+srv://{seed_list.host}/?tls=false{members}"
        ran = subprocess.run(
            [
                *(sys.executable, "-c", PROGRAM, str(seed_list.port), uri),
                *(mongo_database.name, mode, str(tmp_path), end, str(patience)),
            ],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    return run


def test_a_program_that_outlives_the_look_up_delivers_at_its_end(run, seed_list, stored):
    seed_list.delay = 0.1
    assert run(WORKS_UNTIL_IT_LOOKED_UP, patience=60) == ""
    assert len(stored()) == 100


def test_a_program_that_flushes_delivers_however_short_it_is(run, seed_list, stored):
    seed_list.delay = 0.5
    assert run(FLUSHES) == ""
    assert len(stored()) == 100


def test_a_program_that_just_ends_delivers_or_says_what_to_do(run, seed_list, stored):
    """From Python 3.12 on, no thread can be started at the interpreter's end."""
    seed_list.delay = 0.5
    said = run("")
    if len(stored()) < 100:
        assert sys.version_info >= (3, 12)
        assert "call flush before" in said
        assert "100 events" in said  # at ERROR, with their count


def test_a_program_that_just_ends_leaves_its_spool_to_the_next_one(run, seed_list, stored):
    seed_list.delay = 0.5
    run("", mode="spool")
    run(FLUSHES, mode="spool")
    assert len(stored()) == 200
