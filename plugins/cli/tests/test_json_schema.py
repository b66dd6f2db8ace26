"""The JSON Schema of a configuration, for editors."""

from __future__ import annotations

import json
from enum import Enum

import pytest

from eventtracking_cli.json_schema import json_schema
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.processors.redact import Redact
from eventtracking_core.processors.sample import Sample
from eventtracking_core.providers.static import Static


class Colour(Enum):
    RED = "red"


class Backend:
    """Goes somewhere.

    Args:
        host: where.
    """

    def __init__(self, host: str, port: int = 80, colour: Colour = Colour.RED) -> None: ...

    def send(self, event): ...


@pytest.fixture(scope="module")
def schema():
    return json_schema(
        {
            "context provider": {"static": Static},
            "processor": {"redact": Redact, "sample": Sample},
            "backend": {"testing": Backend},
            "metadata store": {"memory": MemoryBackend},
        }
    )


def the_node(schema, kind, name):
    return next(n for n in schema["$defs"][kind]["anyOf"] if n.get("title") == name)


def test_it_is_json(schema):
    assert json.loads(json.dumps(schema)) == schema


def test_a_component_is_described_by_its_annotations(schema):
    node = the_node(schema, "backend", "testing")

    assert node["description"] == "Goes somewhere."
    assert node["properties"]["type"] == {"const": "testing"}
    assert node["properties"]["host"] == {"type": "string"}
    assert node["properties"]["port"] == {"type": "integer", "default": 80}
    assert (node["required"], node["additionalProperties"]) == (["type", "host"], False)


def test_a_metadata_store_is_described_as_a_component(schema):
    assert schema["properties"]["metadata"] == {"$ref": "#/$defs/metadata"}
    assert the_node(schema, "metadata", "memory")["properties"]["max_events"]


def test_a_router_may_say_what_it_accepts(schema):
    router = schema["$defs"]["backend"]["anyOf"][-1]

    assert router["properties"]["accepts"]["items"] == {"type": "string"}


def test_delivery_and_on_error_are_offered_where_they_belong(schema):
    assert "delivery" in the_node(schema, "backend", "testing")["properties"]
    assert "on_error" in the_node(schema, "processor", "redact")["properties"]
    assert "on_error" not in the_node(schema, "context", "static")["properties"]


def test_a_component_without_required_options_may_be_named_alone(schema):
    assert {"enum": ["redact", "sample"]} in schema["$defs"]["processor"]["anyOf"]


def test_a_composite_backend_takes_processors_and_backends():
    class Parcels(Backend):
        def build_node(self, parts): ...

    factories = {"context provider": {}, "processor": {}, "metadata store": {}}
    node = the_node(
        json_schema({**factories, "backend": {"parcels": Parcels}}), "backend", "parcels"
    )

    assert {"host", "processors", "backends"} <= node["properties"].keys()
