"""Nodes with processors: routers, with or without a type, and backends that have their own."""

from __future__ import annotations

import pytest

import eventtracking_core as et


def names(backend):
    return [event["name"] for event in backend.events]


def allow(name):
    return {"type": "name_allowlist", "names": [name]}


@pytest.mark.parametrize("node", [{}, {"type": "router"}])
def test_a_router_needs_no_type_and_may_say_that_it_is_one(node, configured):
    tracker = configured({"backends": {"r": {"backends": {"m": "memory"}} | node}})
    tracker.emit("a")

    assert names(tracker.get_backend("r").backends["m"]) == ["a"]


def test_a_router_by_its_type_needs_children_too(problems):
    assert problems({"backends": {"r": "router", "s": {"type": "router"}}}) == [
        ("backends.r", "needs processors and backends to be a router"),
        ("backends.s", "needs processors and backends to be a router"),
    ]


def test_processors_of_a_backend_are_for_its_events_alone(configured):
    tracker = configured(
        {"backends": {"a": {"type": "memory", "processors": [allow("x")]}, "b": "memory"}}
    )
    tracker.emit("x")
    tracker.emit("y")

    assert names(tracker.get_backend("a").backends["a"]) == ["x"]
    assert names(tracker.get_backend("b")) == ["x", "y"]


def test_processors_of_a_backend_leave_its_spool_where_it_was(configured, tmp_path):
    delivery = {"mode": "spool", "directory": str(tmp_path)}
    plain = {"type": "memory", "delivery": delivery}

    directories = []
    for node in (plain, plain | {"processors": [allow("x")]}):
        tracker = configured({"backends": {"a": node}})
        directories.append([leaf.directory for leaf in tracker.root.leaves()])
        tracker.shutdown()

    assert directories[0] == directories[1]


def test_a_backend_may_say_which_personal_data_it_accepts(configured):
    tracker = configured({"backends": {"a": {"type": "memory", "accepts": ["id"]}}})
    tracker.register("x", "Happened.", {"mail": et.FieldDoc("mail", "whose", pii="email")})
    tracker.register("y", "Happened too.", {"user": et.FieldDoc("user", "who", pii="id")})
    tracker.emit("x", {"mail": "a@b.c"})
    tracker.emit("y", {"user": 5})

    assert names(tracker.get_backend("a").backends["a"]) == ["y"]


def test_the_problems_of_a_backend_and_of_its_processors_are_told_together(problems):
    node = {"type": "memory", "max_events": "x", "processors": ["nonsense"]}

    assert [path for path, _ in problems({"backends": {"a": node}})] == [
        "backends.a.processors[0].type",
        "backends.a.max_events",
    ]
