"""`delivery` in a configuration: whom it holds for, where else it may stand, what is wrong."""

from __future__ import annotations

from functools import partial

import pytest

import eventtracking_core as et
from eventtracking_core.config import build, read
from eventtracking_core.plugins import plugins

pytestmark = pytest.mark.native

NAN = float("nan")


class Local:
    def send(self, event):
        pass


class Remote(Local):
    default_delivery = "queue"


class Bulky(Local):
    default_delivery = {"mode": "queue", "max_batch_size": 10_000}  # noqa: RUF012


def modes(tracker):
    def walk(node, path=""):
        if "backends" not in node:
            return {path: node["delivery"]}
        found = {}
        for child in node["backends"]:
            found |= walk(child, f"{path}.{child['name']}".lstrip("."))
        return found

    return walk(tracker.stats()["tree"])


def problems(config):
    with pytest.raises(et.ConfigurationError) as caught:
        et.Tracker().configure(config)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_a_routers_delivery_holds_for_the_leaves_below_it_unless_they_say_otherwise(configured):
    below = {"backends": {"c": {"type": "null"}, "d": {"type": "null", "delivery": "inline"}}}
    tracker = configured(
        {
            "backends": {
                "r": {
                    "delivery": {"mode": "queue", "max_batch_size": 5},
                    "backends": {"a": "null", "b": Local(), "below": below},
                },
                "outside": "null",
            }
        }
    )
    assert modes(tracker) == {
        "r.a": "queue",
        "r.b": "queue",
        "r.below.c": "queue",
        "r.below.d": "inline",
        "outside": "inline",
    }


def test_a_backend_may_ask_for_larger_batches_and_the_configuration_wins():
    below = {"delivery": {"max_batch_size": 5}, "backends": {"smaller": Bulky()}}
    tree = build(read({"backends": {"as_asked": Bulky(), "below": below}}))
    assert [leaf.mode for leaf in tree.root.leaves()] == ["queue", "queue"]
    assert [leaf.options.max_batch_size for leaf in tree.root.leaves()] == [10_000, 5]


def test_a_backend_has_the_delivery_it_asks_for_unless_it_is_told_another(configured):
    tracker = configured(
        {
            "backends": {
                "remote": Remote(),
                "local": Local(),
                "r": {"delivery": "inline", "backends": {"remote": Remote()}},
            }
        }
    )
    assert modes(tracker) == {"remote": "queue", "local": "inline", "r.remote": "inline"}


def test_options_of_a_leaf_add_to_those_of_its_router(configured, sink, request):
    target = sink()
    et.register_plugin(_plugin(lambda: target), "given")
    request.addfinalizer(partial(plugins.unregister, "given"))
    tracker = configured(
        {
            "backends": {
                "r": {
                    "delivery": {"mode": "queue", "max_batch_size": 5, "schedule_delay": 60},
                    "backends": {"a": {"type": "given", "delivery": {"schedule_delay": 0}}},
                }
            }
        }
    )
    tracker.emit_many(range(100))
    assert tracker.shutdown(60)
    assert target.delivered == list(range(100))
    assert max(map(len, target.calls)) <= 5


def _plugin(factory):
    class Given:
        @et.hookimpl
        def eventtracking_backends(self):
            return {"given": factory}

    return Given()


def test_limits_come_from_the_environment_and_the_configuration_wins(
    configured, monkeypatch, black_hole, eventually
):
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_SIZE", "3")
    monkeypatch.setenv("EVENTTRACKING_MAX_BATCH_SIZE", "1")
    monkeypatch.setenv("EVENTTRACKING_SCHEDULE_DELAY", "0")
    limited, free = black_hole(), black_hole()
    tracker = configured(
        {
            "backends": {
                "r": {
                    "delivery": "queue",
                    "backends": {
                        "limited": limited,
                        "s": {"delivery": {"max_queue_size": 100}, "backends": {"free": free}},
                    },
                }
            }
        }
    )
    tracker.emit_many([0])
    eventually(lambda: limited.reached.is_set() and free.reached.is_set())
    tracker.emit_many(range(1, 11))
    assert tracker.leaf("limited")["dropped"] == {"queue_full": 7}
    assert tracker.leaf("free")["dropped"] == {}
    limited.released.set()
    free.released.set()
    assert tracker.shutdown(60)


def test_the_environment_gives_limits_to_no_backend_that_is_inline(configured, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_SIZE", "3")
    assert modes(configured({"backends": {"a": "null"}})) == {"a": "inline"}


def test_a_wrong_environment_is_a_problem_of_the_configuration(monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_SIZE", "many")
    found = problems({"backends": {"a": "null"}})
    assert list(found) == ["EVENTTRACKING_MAX_QUEUE_SIZE"]
    assert "many" not in found["EVENTTRACKING_MAX_QUEUE_SIZE"]


@pytest.mark.parametrize(
    ("delivery", "path", "says"),
    [
        ("queu", "backends.a.delivery.mode", "inline"),
        (7, "backends.a.delivery", "inline, queue, spool"),
        ({"mod": "queue"}, "backends.a.delivery.mod", "mode"),
        ({"mode": "queue", "max_queue_size": "x"}, "backends.a.delivery.max_queue_size", "int"),
        ({"mode": "queue", "when_full": "drop"}, "backends.a.delivery.when_full", "drop_newest"),
        ({"mode": "queue", "max_batch_size": 0}, "backends.a.delivery.max_batch_size", "must"),
        ({"mode": "queue", "export_timeout": 0}, "backends.a.delivery.export_timeout", "must"),
        ({"mode": "queue", "schedule_delay": -1}, "backends.a.delivery.schedule_delay", "must"),
        ({"mode": "queue", "max_elapsed_time": -1}, "backends.a.delivery.max_elapsed_time", "must"),
        ({"mode": "queue", "max_spool_bytes": -1}, "backends.a.delivery.max_spool_bytes", "must"),
        ({"mode": "queue", "max_interval": NAN}, "backends.a.delivery.max_interval", "must"),
        ({"mode": "inline", "max_batch_size": 5}, "backends.a.delivery", "inline"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(delivery, path, says):
    found = problems({"backends": {"a": {"type": "null", "delivery": delivery}}})
    assert list(found) == [path]
    assert says in found[path]


def test_delivery_belongs_to_leaves_and_to_routers_only():
    config = {"processors": [{"type": "sample", "rate": 1.0, "delivery": "queue"}]}
    assert list(problems(config)) == ["processors[0].delivery"]


def test_configuring_a_queue_starts_no_thread_and_makes_no_file(configured, tmp_path, monkeypatch):
    import threading

    monkeypatch.chdir(tmp_path)
    before = threading.active_count()
    tracker = configured({"backends": {"r": {"delivery": "queue", "backends": {"a": "null"}}}})
    assert threading.active_count() == before
    assert tracker.shutdown(60)
    assert list(tmp_path.iterdir()) == []
