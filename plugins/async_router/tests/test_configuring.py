"""What is a mistake at configuration time, in either process, and what a configuration begins."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from waiting import wait_until

import eventtracking_core as et
from eventtracking_async_router import AsyncRouter

STORE = {"store": {"type": "null"}}
TWO_BROKERS = """{"backends": {
    "a": {"type": "async_router", "broker": "redis://:secret@a", "backends": {"s": "null"}},
    "b": {"type": "async_router", "broker": "redis://b", "backends": {"s": "null"}}
}}"""


def problems(backends, name="default"):
    tracker = et.Tracker(name=name)
    with pytest.raises(et.ConfigurationError) as caught:
        tracker.configure({"backends": backends})
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"app": "a:b", "broker": "redis://localhost"}, "not both"),
        ({"app": "proj.celery"}, "package.module:attribute"),
        ({"broker": "localhost"}, "must be an address"),
        ({"queue": "with space"}, "must be a name"),
        ({"visibility_timeout": 0.5}, "at least 1 second"),
        ({"max_message_size": 0}, "must be positive"),
    ],
)
def test_options_are_checked_and_no_value_is_shown(options, said):
    [message] = problems({"node": {"type": "async_router", "backends": STORE, **options}}).values()
    assert said in message
    assert "localhost" not in message.replace("redis://localhost", "", 1)


PERSONAL = {"email": et.FieldDoc("", pii="email"), "n": "A number."}


def personal(*, accepts, processors=()):
    """Return a node below which a branch accepts only some personal data."""
    branch = {"accepts": accepts, "processors": list(processors), "backends": STORE}
    return {"node": {"type": "async_router", "broker": "redis://a", "backends": {"b": branch}}}


def test_what_a_branch_below_a_node_accepts_is_checked():
    tracker = et.Tracker(name="default")
    tracker.register("a.b", "", PERSONAL)
    with pytest.raises(et.ConfigurationError) as caught:
        tracker.configure({"backends": personal(accepts=[])})
    [problem] = caught.value.problems
    assert problem.path == "backends.node.backends.b.accepts"
    assert "email" in problem.message
    masks = [{"type": "redact", "pii": ["email"]}]
    tracker.configure({"backends": personal(accepts=[], processors=masks)})
    above = personal(accepts=[])
    above["node"]["processors"] = masks
    tracker.configure({"backends": above})


def test_processors_below_a_node_know_the_event_types():
    masks = {"type": "redact", "pii": ["email"]}
    branch = {"processors": [masks], "backends": {"memory": "memory"}}
    node = {"type": "async_router", "broker": "redis://a", "backends": {"b": branch}}
    tracker = et.Tracker(name="default")
    tracker.configure({"backends": {"node": node}})
    tracker.register("a.b", "", PERSONAL)
    [below] = tracker.root.children["node"].remote.children.values()
    event = {"id": "x", "name": "a.b", "context": {}, "data": {"email": "ann@example.org"}}
    assert "ann" not in str(below.process_event(event)["data"])


def test_the_children_are_checked_where_events_are_emitted():
    children = {
        "typo": {"type": "mogno"},
        "option": {"type": "null", "prot": 1},
        "spooled": {"type": "null", "delivery": "spool"},
        "inner": {"type": "async_router"},
        "router": {"processors": ["nowhere"], "backends": {}},
    }
    found = problems({"node": {"type": "async_router", "backends": children}})
    at = "node.backends"
    assert list(found) == [
        f"backends.{at}.typo.type",
        f"backends.{at}.option.prot",
        f"backends.{at}.spooled.delivery",
        f"backends.{at}.inner.backends",
        f"backends.{at}.router.processors[0].type",
    ]
    assert "it cannot have a spool" in found[f"backends.{at}.spooled.delivery"]


def test_a_node_without_children_is_a_mistake():
    assert "is required" in problems({"node": "async_router"})["backends.node.backends"]
    empty = {"type": "async_router", "backends": {}}
    assert "is required" in problems({"node": empty})["backends.node.backends"]


def test_a_tracker_that_workers_cannot_find_is_a_mistake():
    node = {"type": "async_router", "broker": "redis://localhost", "backends": STORE}
    assert "register_tracker" in problems({"node": node}, name=None)["backends.node"]
    tracker = et.Tracker()
    et.register_tracker(tracker, "a registered one")
    tracker.configure({"backends": {"node": node}})
    tracker.shutdown()


def test_a_node_that_is_built_in_code_is_a_mistake():
    with pytest.raises(ValueError, match="must come from a configuration"):
        et.Tracker(backends={"node": AsyncRouter()})
    assert "must be a table" in problems({"node": AsyncRouter()})["backends.node"]


def test_the_form_of_event_tracking_is_understood():
    engine = "eventtracking.backends.async_routing.AsyncRoutingBackend"
    null = {"ENGINE": "eventtracking_core.backends.null.NullBackend"}
    options = {
        "backend_name": "caliper",
        "processors": [
            {
                "ENGINE": "eventtracking.processors.regex_filter.RegexFilter",
                "OPTIONS": {"filter_type": "allowlist", "regular_expressions": ["edx.*"]},
            }
        ],
        "backends": {"caliper": null},
    }
    tracker = et.Tracker(name="default")
    tracker.configure({"backends": {"caliper": {"ENGINE": engine, "OPTIONS": options}}})
    [node] = tracker.stats()["tree"]["backends"]
    assert (node["type"], node["processors"][0]["name"]) == ("async_router", "RegexFilter")
    assert [child["name"] for child in node["remote"]] == ["caliper"]
    tracker.shutdown()


class Child:
    """Notes whatever is asked of it."""

    def __init__(self, asked):
        self._asked = asked

    def send(self, event):
        self._asked.append("send")

    def flush(self, timeout):
        self._asked.append("flush")
        return True

    def shutdown(self, timeout):
        self._asked.append("shutdown")
        return True


def test_children_are_not_begun_where_events_are_emitted(tmp_path):
    asked = []
    tracker = et.Tracker(name="default")
    node = {
        "type": "async_router",
        "broker": "redis://127.0.0.1:1",
        "backends": {"store": Child(asked)},
        "delivery": {"mode": "spool", "directory": str(tmp_path), "initial_interval": 0.01},
    }
    before = threading.active_count()
    tracker.configure({"backends": {"node": node}})
    assert threading.active_count() == before
    tracker.emit("e")
    assert not tracker.flush(0.1)
    tracker.shutdown(0.2)
    assert asked == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node"]
    wait_until(lambda: threading.active_count() == before)


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ('{"backends": {"a": "null"}}', "no async_router with a broker"),
        ('{"backends": {"a": "mogno"}}', "did you mean 'mongo'?"),
        (
            TWO_BROKERS,
            "set CELERY_BROKER_URL",
        ),
    ],
)
def test_a_worker_that_cannot_work_says_why_in_a_line(tmp_path, configuration, said):
    config = tmp_path / "eventtracking.json"
    config.write_text(configuration)
    done = subprocess.run(
        [sys.executable, "-c", "import eventtracking_async_router.worker"],
        env={"EVENTTRACKING_CONFIG_FILE": str(config), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_finding_the_type_imports_neither_celery_nor_redis():
    script = (
        "import sys, eventtracking_core as et;"
        "t = et.get_tracker(); t.configure({'backends': {'n': {'type': 'async_router',"
        " 'broker': 'redis://localhost', 'backends': {'s': 'null'}}}});"
        "sys.exit(bool({'celery', 'kombu', 'redis'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
