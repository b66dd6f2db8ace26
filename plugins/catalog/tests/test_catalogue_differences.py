"""What changed between two catalogues, and what breaks."""

from __future__ import annotations

import pytest

from eventtracking_catalog.differences import differences, reworded


@pytest.fixture
def changes(a_record):
    """Tell the changes between two forms of one field, None for no field."""

    def changes(old, new):
        before = a_record(fields={"total": old} if old is not None else {})
        after = a_record(fields={"total": new} if new is not None else {})
        return [(change.text, change.breaking) for change in differences(before, after)]

    return changes


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({}, None, "removed"),
        ({"required": True}, {"required": False}, "no longer required"),
        ({"type": "integer"}, {"type": "integer|null"}, "type: integer → integer or null"),
        ({"type": "integer"}, {"type": "number"}, "type: integer → number"),
        ({"type": "integer"}, {}, "type: integer → any type"),
        ({"enum": ("a",)}, {"enum": ("a", "b")}, "may now be 'b'"),
        ({"enum": ("a",)}, {}, "any value, no longer one of a few"),
    ],
)
def test_readers_break_where_an_event_may_be_what_it_never_was(changes, old, new, text):
    assert changes(old, new) == [(text, True)]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (None, {"type": "string"}, "added, required: string"),
        ({"required": False}, {"required": True}, "now required"),
        ({"type": "number"}, {"type": "integer"}, "type: number → integer"),
        ({}, {"type": "integer"}, "type: any type → integer"),
        ({"enum": ("a", "b")}, {"enum": ("a",)}, "never again 'b'"),
        ({}, {"pii": "email"}, "personal data: none → email"),
        ({"description": "Sum."}, {"description": "The sum."}, "description reworded"),
    ],
)
def test_other_changes_break_nobody(changes, old, new, text):
    assert changes(old, new) == [(text, False)]


def test_reworded_texts_are_told_word_by_word():
    assert reworded("An order was placed.", "An order was paid for.") == [
        ("same", "An order was"),
        ("gone", "placed."),
        ("new", "paid for."),
    ]


def test_a_breaking_change_exits_1_and_is_told_by_its_path(run, log, a_record):
    old = log(a_record(fields={"total": {}, "note": {}}), name="old.log")
    new = log(a_record(fields={"total": {"required": False}, "note": {}}), name="new.log")
    ran = run("catalog", "diff", old, new)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "shop.order.placed",
        "  breaking  total no longer required",
        "1 breaking change",
    ]


def test_a_type_that_is_gone_breaks_and_a_new_one_does_not(run, log, a_record):
    old = log(a_record("shop.order.placed"), name="old.log")
    both = log(a_record("shop.order.placed"), a_record("shop.order.paid"), name="new.log")
    assert run("catalog", "diff", old, both).code == 0
    assert run("catalog", "diff", both, old).code == 1


def test_a_catalogue_that_was_built_is_compared_later(run, log, an_event, a_record, tmp_path):
    documented = log(a_record(fields={"total": {"type": "integer"}}), an_event("shop.cart.left"))
    assert run("catalog", "build", "--from", documented, "-o", tmp_path / "site").code == 0
    ran = run("catalog", "diff", tmp_path / "site", documented)
    assert (ran.code, ran.out) == (0, "0 breaking changes\n")
