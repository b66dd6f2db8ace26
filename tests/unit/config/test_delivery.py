"""The `delivery` of a node, of its router, and of the environment."""

from __future__ import annotations

import pytest


@pytest.fixture
def leaves(configured, tmp_path, monkeypatch):
    """Returns the leaves of a configuration, by name."""
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path))

    def by_name(backends):
        return {leaf.name: leaf for leaf in configured({"backends": backends}).root.leaves()}

    return by_name


def test_delivery_is_inline_unless_the_backend_prefers_otherwise(leaves):
    found = leaves({"local": "memory", "network": "testing.network"})

    assert {name: leaf.mode for name, leaf in found.items()} == {
        "local": "inline", "network": "queue",
    }  # fmt: skip


def test_a_mode_alone_may_be_written_as_text(leaves):
    found = leaves({"a": {"type": "memory", "delivery": "queue"}})

    assert found["a"].mode == "queue"


def test_a_routers_delivery_is_the_default_of_the_leaves_below_it(leaves):
    found = leaves(
        {
            "outer": {
                "delivery": {"mode": "queue", "max_queue_size": 10, "schedule_delay": 5},
                "backends": {
                    "a": "memory",
                    "b": {"type": "memory", "delivery": {"max_queue_size": 20}},
                    "c": {"type": "testing.network", "delivery": "inline"},
                    "inner": {
                        "delivery": {"max_queue_size": 30},
                        "backends": {"d": {"type": "memory", "delivery": {"max_batch_size": 2}}},
                    },
                },
            },
            "e": "memory",
        }
    )

    assert {name: leaf.mode for name, leaf in found.items()} == {
        "a": "queue", "b": "queue", "c": "inline", "d": "queue", "e": "inline",
    }  # fmt: skip
    assert [found[name].options.max_queue_size for name in "abd"] == [10, 20, 30]
    assert [found[name].options.schedule_delay for name in "abd"] == [5, 5, 5]
    assert found["d"].options.max_batch_size == 2


def test_sizes_and_durations_are_written_as_everywhere(leaves):
    options = {"mode": "queue", "max_queue_bytes": "2 MiB", "export_timeout": 3}
    found = leaves({"a": {"type": "memory", "delivery": options}})

    assert found["a"].options.max_queue_bytes == 2 * 2**20
    assert found["a"].options.export_timeout == 3.0


def test_the_environment_sets_limits_and_the_configuration_wins(leaves, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_SIZE", "7")
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_BYTES", "1 MiB")
    monkeypatch.setenv("EVENTTRACKING_SCHEDULE_DELAY", "0.25")
    found = leaves(
        {
            "a": "testing.network",
            "b": {"type": "testing.network", "delivery": {"max_queue_size": 9}},
        }
    )

    assert found["a"].options.max_queue_size == 7
    assert found["a"].options.max_queue_bytes == 2**20
    assert found["a"].options.schedule_delay == 0.25
    assert found["b"].options.max_queue_size == 9


def test_a_limit_of_the_environment_that_is_none_is_a_problem(problems, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_SIZE", "hunter2")
    ((path, message),) = problems({})

    assert path == "EVENTTRACKING_MAX_QUEUE_SIZE"
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("delivery", "path", "message"),
    [
        ("quick", "delivery.mode", "expected one of: inline, queue, spool"),
        (5, "delivery", "expected one of: inline, queue, spool, or a table"),
        ({"mode": "queue", "size": 5}, "delivery.size", "unknown option (expected one of: "),
        (
            {"mode": "queue", "max_queue_size": 0},
            "delivery.max_queue_size",
            "max_queue_size must be ",
        ),
        ({"mode": "queue", "max_queue_size": "x"}, "delivery.max_queue_size", "expected int"),
        ({"mode": "queue", "max_queue_bytes": "1 XB"}, "delivery.max_queue_bytes", "unknown unit"),
        ({"mode": "queue", "when_full": "burst"}, "delivery.when_full", "expected one of: drop_"),
        ({"mode": "queue", "export_timeout": 0}, "delivery.export_timeout", "export_timeout must "),
        ({"mode": "inline", "max_batch_size": 5}, "delivery", "mode 'inline' has no options"),
    ],
)
def test_what_is_wrong_is_told_at_its_path(delivery, path, message, problems):
    found = problems({"backends": {"a": {"type": "memory", "delivery": delivery}}})

    assert [(at, said.startswith(message)) for at, said in found] == [(f"backends.a.{path}", True)]


def test_what_is_wrong_in_a_router_is_told_once(problems):
    router = {"delivery": {"nonsense": 1}, "backends": {"a": "memory", "b": "memory"}}

    assert [path for path, _ in problems({"backends": {"r": router}})] == [
        "backends.r.delivery.nonsense"
    ]


def test_no_two_leaves_share_a_directory(leaves, configured):
    queue = {"type": "memory", "delivery": "queue"}
    tracker = configured(
        {"backends": {"a.b": queue, "a": {"backends": {"b": queue, "c": queue}}, "b": queue}}
    )
    directories = [leaf.directory for leaf in tracker.root.leaves()]

    assert len(set(directories)) == 4
