"""What in a log is not as documented."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def found(run, log, a_record, an_event):
    """Tell the violations of data under a record of some fields: code, path, message."""

    def found(fields, data, **event):
        path = log(a_record(fields=fields), an_event(data=data, **event))
        ran = run("validate", path, "--json")
        report = json.loads(ran.out)
        assert ran.code == (1 if report["violations"] else 0)
        return [(each["code"], each["path"], each["message"]) for each in report["found"]]

    return found


@pytest.mark.parametrize(
    ("fields", "data", "violation"),
    [
        ({}, {"total": 1}, ("unknown_field", "data.total", "is not described")),
        ({"total": {}}, {}, ("missing_field", "data.total", "is missing")),
        (
            {"total": {"type": "integer"}},
            {"total": 1.5},
            ("type_mismatch", "data.total", "expected integer, got number"),
        ),
        (
            {"total": {"type": "integer"}},
            {"total": True},
            ("type_mismatch", "data.total", "expected integer, got boolean"),
        ),
        (
            {"size": {"enum": ("s", "m")}},
            {"size": "secret"},
            ("type_mismatch", "data.size", "is none of the values it may have"),
        ),
        (
            {"at": {"type": "object"}, "at.city": {}},
            {"at": {}},
            ("missing_field", "data.at.city", "is missing"),
        ),
        (
            {"items": {"type": "array"}, "items.sku": {"type": "string"}},
            {"items": [{"sku": "a"}, {"sku": 2}]},
            ("type_mismatch", "data.items.sku", "expected string, got integer"),
        ),
    ],
)
def test_each_violation_is_told_by_its_path(found, fields, data, violation):
    assert found(fields, data) == [violation]


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ({"total": {"type": "number"}}, {"total": 1}),
        ({"total": {"type": "integer"}}, {"total": 2.0}),
        ({"note": {"type": "string|null"}}, {"note": None}),
        ({"note": {"required": False}}, {}),
        ({"at": {"type": "object"}}, {"at": {"any": "thing"}}),
    ],
)
def test_what_is_as_documented_passes(found, fields, data):
    assert found(fields, data) == []


def test_counts_and_an_example_are_printed_and_no_value(run, log, a_record, an_event):
    record = a_record(fields={"total": {"type": "integer"}})
    path = log(record, *[an_event(data={"total": "hunter2"}) for _ in range(3)])
    ran = run("validate", path)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "shop.order.placed",
        "        3  type_mismatch  data.total: expected integer, got string  (events.log:2)",
        "3 violations in 3 events",
    ]


def test_a_name_that_nobody_registered_is_a_violation(run, log, a_record, an_event):
    ran = run("validate", log(a_record(), an_event("shop.\x1b[31mcart")))
    assert ran.code == 1
    assert "unregistered" in ran.out
    assert "\x1b" not in ran.out


def test_an_event_is_held_to_the_record_it_refers_to(run, log, a_record, an_event):
    old = a_record(fields={"total": {"type": "string"}}, at=1)
    new = a_record(fields={"total": {"type": "integer"}}, at=2)
    path = log(old, new, an_event(data={"total": "1"}, name_id=old.id), an_event(data={"total": 1}))
    assert run("validate", path).code == 0


def test_of_the_context_only_what_the_record_speaks_of_is_held(run, log, a_record, an_event):
    from eventtracking_core.registry import FieldDoc

    record = a_record(context_fields=(FieldDoc("user_id", type="integer"),))
    path = log(record, an_event(context={"user_id": 1, "other": 2}), an_event())
    out = run("validate", path).out
    assert "context.user_id: is missing" in out
    assert "other" not in out


def test_without_records_and_without_types_it_says_what_to_do(run, log, an_event):
    ran = run("validate", log(an_event()))
    assert ran.code == 2
    assert "--types" in ran.err


def test_a_module_that_cannot_be_imported_is_one_line(program, log, an_event, module):
    module("password = 1 / 0")
    ran = program("validate", log(an_event()), "--types", "events")
    assert (ran.code, ran.err) == (1, "Error: events cannot be imported: ZeroDivisionError\n")
