"""From an emitting process through a broker into workers: where what runs, and what is stored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from kombu import Connection

ABOVE = [{"type": "redact", "fields": ["context.ip"]}, {"type": "sample", "rate": 1.0}]
BELOW = [{"type": "rename", "names": {"numbered": "renamed"}}]


def leaf(tracker, *names):
    node = tracker.stats()["tree"]
    for name in names:
        node = next(child for child in node["backends"] if child["name"] == name)
    return node


def test_events_go_through_both_halves_of_a_node_wherever_it_stands(site, broker, emitting):
    inner = site.node(broker, {"deep": site.store("deep")}, queue=f"{site.queue}-inner")
    site.configure(
        here=site.store("here"),
        branch={
            "backends": {
                "first": site.node(
                    broker,
                    {
                        "store": site.store(),
                        "router": {"processors": BELOW, "backends": {"leaf": site.store("leaf")}},
                        "again": inner,
                    },
                    processors=ABOVE,
                ),
            }
        },
        second=site.node(broker, {"store": site.store("second")}),
    )
    tracker = site.tracker()
    worker = site.worker("-c", "2")
    with tracker.context("request", {"user_id": 7, "ip": "203.0.113.9"}):
        emitting(tracker, range(1000))
    assert tracker.flush(60)
    published = leaf(tracker, "branch", "first", "publish")
    assert published["delivered"] == published["accepted"] == 1000
    assert all(site.has_stored(1000, name) for name in ("store", "leaf", "deep", "second"))
    stored, renamed, deep = site.events()[0], site.events("leaf")[0], site.events("deep")[0]
    assert stored["name"] == deep["name"] == "numbered"
    assert renamed["name"] == "renamed"
    assert stored["context"] == {"user_id": 7}
    assert stored["id"] == renamed["id"] == deep["id"] == site.events("here")[0]["id"]
    said = worker.stop()
    assert "203.0.113.9" not in said
    done = {"accepted": 1000, "delivered": 1000}
    paths = ["branch.first.store", "branch.first.router.leaf", "branch.first.again"]
    paths += ["branch.first.again.deep", "second.store"]
    assert {path: worker.ledger().get(path) for path in paths} == dict.fromkeys(paths, done)


PROGRAM = """
import eventtracking_core as et

et.configure()
for n in range(100):
    et.emit("numbered", {"n": n})
"""


def test_a_program_that_just_ends_has_published_its_events(site, broker):
    """Celery is imported with the first message, here at the interpreter's end."""
    site.configure(node=site.node(broker, {"store": site.store()}, delivery={"schedule_delay": 60}))
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=site.environment(EVENTTRACKING_CONFIG_FILE=str(site.config)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    site.worker("-c", "1")
    assert site.has_stored(100)


def test_a_pool_of_threads_delivers_too(site, redis_url, emitting):
    site.configure(node=site.node(redis_url, {"store": site.store(), "more": site.store("more")}))
    worker = site.worker("-P", "threads", "-c", "4")
    tracker = emitting(site.tracker(), range(2000))
    assert tracker.flush(60)
    assert site.has_stored(2000)
    assert site.has_stored(2000, "more")
    worker.stop()
    assert worker.ledger()["node.store"] == {"accepted": 2000, "delivered": 2000}


def test_a_worker_killed_with_a_batch_in_flight_loses_nothing(site, broker, emitting, eventually):
    held = site.store(kind="async_router_sinks:Holding")
    node = site.node(broker, {"store": held}, visibility_timeout=1, delivery={"max_batch_size": 50})
    site.configure(node=node)
    tracker = emitting(site.tracker(), range(500))
    first = site.worker("-c", "2")
    eventually(lambda: len(list(site.directory.glob("holding-*"))) == 2)
    first.kill()
    (site.directory / "release").touch()
    second = site.worker("-c", "2")
    assert tracker.flush(60)
    assert site.has_stored(500)
    second.stop()
    assert second.ledger()["node.store"]["delivered"] >= 500


def test_a_killed_process_of_the_pool_loses_nothing(site, redis_url, emitting, eventually):
    held = site.store(kind="async_router_sinks:Holding")
    site.configure(node=site.node(redis_url, {"store": held}))
    worker = site.worker("-c", "1")
    tracker = emitting(site.tracker(), range(50))
    eventually(lambda: list(site.directory.glob("holding-*")))
    [victim] = site.directory.glob("holding-*")
    os.kill(int(victim.name.partition("-")[2]), signal.SIGKILL)
    (site.directory / "release").touch()
    assert tracker.flush(60)
    assert site.has_stored(50)
    assert "WorkerLostError" in worker.stop()
    assert worker.ledger()["node.store"] == {"accepted": 50, "delivered": 50}


def test_an_event_that_kills_its_worker_is_a_dead_letter_after_three_deaths(
    site, broker, emitting, eventually
):
    killing = site.store(kind="async_router_sinks:Killing")
    site.configure(node=site.node(broker, {"store": killing, "other": site.store("other")}))
    worker = site.worker("-c", "2")
    tracker = emitting(site.tracker(), range(40))
    assert tracker.flush(60)
    eventually(lambda: site.dead_letters().get("node.store"))
    eventually(lambda: len(site.stored()) == 39)
    eventually(lambda: len(site.stored("other")) == 40)
    [letter] = site.dead_letters()["node.store"]
    assert (letter.event["data"], letter.reason) == ({"n": 7}, "worker_deaths")
    assert len(list(site.directory.glob("death-*"))) == 3
    worker.stop()


def test_what_redis_handed_to_a_worker_that_never_noted_it_is_sent_again(site, redis_url, emitting):
    site.configure(node=site.node(redis_url, {"store": site.store()}, visibility_timeout=1))
    assert emitting(site.tracker(), range(10)).flush(60)
    with redis.Redis.from_url(redis_url) as client:
        assert client.rpop(site.queue)
        worker = site.worker("-c", "1")
        assert site.has_stored(10)
        assert "published them again" in worker.stop()
        assert not client.keys(f"eventtracking.{site.queue}*")


@pytest.mark.parametrize("kind", ["valkey", "rabbitmq"])
def test_a_killed_broker_holds_nobody_up_and_loses_nothing(site, request, emitting, kind):
    server = request.getfixturevalue(kind)
    site.configure(node=site.node(server.url, {"store": site.store()}, visibility_timeout=1))
    tracker = emitting(site.tracker(), range(300))
    assert tracker.flush(60)
    worker = site.worker("-c", "1").is_ready()
    server.kill()
    emitting(tracker, range(300, 600))
    assert not tracker.flush(0.3)
    assert leaf(tracker, "node", "publish")["pending"] == 300
    server.start()
    assert tracker.flush(60)
    assert site.has_stored(600)
    assert worker.process.poll() is None


def test_what_was_lost_is_sent_again_by_a_worker_that_lost_its_connection_before(
    site, valkey, emitting, eventually
):
    site.configure(node=site.node(valkey.url, {"store": site.store()}, visibility_timeout=1))
    worker = site.worker("-c", "1").is_ready()
    valkey.kill()
    valkey.start()
    eventually(lambda: worker.text().count("Connected to") > 1)
    os.killpg(worker.process.pid, signal.SIGSTOP)
    with redis.Redis.from_url(valkey.url) as client:
        eventually(lambda: client.info("clients")["blocked_clients"] == 0)
        assert emitting(site.tracker(), range(10)).flush(60)
        assert client.rpop(site.queue)
    os.killpg(worker.process.pid, signal.SIGCONT)
    assert site.has_stored(10)
    assert "published them again" in worker.stop()


def test_a_queue_that_is_deleted_under_a_worker_costs_only_what_was_in_it(site, amqp_url, emitting):
    site.configure(node=site.node(amqp_url, {"store": site.store()}))
    worker = site.worker("-c", "1").is_ready()
    tracker = emitting(site.tracker(), range(100))
    assert site.has_stored(100)
    with Connection(amqp_url) as connection:
        connection.default_channel.queue_delete(site.queue)
    emitting(tracker, range(100, 200))
    assert tracker.flush(60)
    assert site.has_stored(200)
    assert worker.process.poll() is None


def test_a_worker_with_an_older_configuration_keeps_what_it_cannot_place(
    site, redis_url, emitting, eventually
):
    old = Path(site.config.with_name("old.json"))
    site.configure(node=site.node(redis_url, {"store": site.store()}))
    site.config.rename(old)
    new = {"store": site.store(), "newer": site.store("newer")}
    site.configure(
        node=site.node(redis_url, new), late=site.node(redis_url, {"store": site.store("late")})
    )
    worker = site.worker("-c", "1", config=old)
    tracker = emitting(site.tracker(), range(100))
    assert tracker.flush(60)
    eventually(lambda: len(site.dead_letters().get("late", [])) == 100)
    letters = site.dead_letters()["late"]
    assert {letter.reason for letter in letters} == {"mismatch"}
    assert "has no such node" in letters[0].error
    assert site.has_stored(100)
    assert "has no such node" in worker.stop()
    worker = site.worker("-c", "1")
    assert site.program("deadletters", "replay").startswith("100 letters delivered")
    assert site.has_stored(100, "late")
