"""JSON Schema in, and out again."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.registry import fields_of_schema, json_schema

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["user", "answers"],
    "properties": {
        "user": {"$ref": "#/$defs/user", "description": "Who asked"},
        "answers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "score": {"type": ["number", "null"]}},
            },
        },
        "mode": {"enum": ["exam", "practice"], "type": "string"},
        "choice": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
    "$defs": {
        "user": {
            "type": "object",
            "required": ["email"],
            "properties": {"email": {"type": "string", "x-pii": "email"}},
        }
    },
}
FIELDS = (
    et.FieldDoc("user", "Who asked", type="object"),
    et.FieldDoc("user.email", type="string", pii="email"),
    et.FieldDoc("answers", type="array"),
    et.FieldDoc("answers.id", type="string"),
    et.FieldDoc("answers.score", type="number|null", required=False),
    et.FieldDoc("mode", type="string", required=False, enum=("exam", "practice")),
    et.FieldDoc("choice", type="string|integer", required=False),
)


def test_a_schema_describes_the_fields_at_any_depth():
    assert fields_of_schema(SCHEMA) == FIELDS


def test_a_described_type_has_a_schema_that_says_the_same():
    record = et.EventType(name="a.b", description="described", fields=FIELDS)
    schema = json_schema(record)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["title"], schema["description"]) == ("a.b", "described")
    assert set(fields_of_schema(schema)) == set(FIELDS)


def test_a_registered_schema_comes_back_and_descriptions_go_on_top():
    record = et.Tracker().register("a.b", "described", {"mode": "In which mode"}, schema=SCHEMA)

    assert json_schema(record) == {**SCHEMA, "title": "a.b", "description": "described"}
    assert record.fields[5].description == "In which mode"
    assert record.fields[5].enum == ("exam", "practice")


def test_a_deprecated_type_says_so():
    assert json_schema(et.EventType(name="a.b", deprecated="use a.c"))["deprecated"] is True


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "array"}])
def test_a_schema_of_something_else_is_refused(schema):
    with pytest.raises(ValueError, match="object"):
        et.Tracker().register("a.b", schema=schema)


def test_a_schema_that_refers_to_itself_ends():
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}}

    assert len(fields_of_schema(node)) <= 32
    assert fields_of_schema({"properties": {"a": {"$ref": "#/$defs/a"}}}) == (
        et.FieldDoc("a", required=False),
    )
