"""JSON Schema 2020-12 in and out: fields of a schema, and the schema of a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.registry.record import FieldDoc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventtracking_core.registry.record import EventType

__all__ = ["DIALECT", "PII_KEYWORD", "fields_of_schema", "json_schema", "open_objects"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
PII_KEYWORD: Final = "x-pii"
MAX_DEPTH: Final = 16


def fields_of_schema(schema: Mapping[str, Any]) -> tuple[FieldDoc, ...]:
    """Return the fields that a schema describes; nested ones with dotted names.

    Args:
        schema: of an object. References within it are followed; the items of an array have the
            array's name before theirs.

    Raises:
        ValueError: it is no schema of an object.
    """
    if schema.get("type", "object") != "object":
        raise ValueError("the schema of an event type is that of an object")
    return tuple(
        FieldDoc(
            name=name,
            description=str(node.get("description", "")),
            type=_type(node, schema),
            required=required,
            pii=node.get(PII_KEYWORD),
            enum=_enum(node),
        )
        for name, node, required in _walked(schema, schema, "", MAX_DEPTH)
    )


def open_objects(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the objects whose schema welcomes fields that it does not describe.

    The whole is the empty name. A schema that says nothing of such fields welcomes none here.
    """
    nodes = [("", schema, True), *_walked(schema, schema, "", MAX_DEPTH)]
    return frozenset(
        name
        for name, node, _ in nodes
        for choice in (node, *_inner(node, schema))
        if choice.get("additionalProperties", False) is not False or choice.get("patternProperties")
    )


def _walked(
    schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield each property at any depth: its dotted name, its schema, whether it is required."""
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    if not depth or not isinstance(properties, Mapping):
        return
    for name, described in properties.items():
        node = _resolved(described, root)
        yield f"{prefix}{name}", node, name in required
        for nested in (node, *_inner(node, root)):
            yield from _walked(nested, root, f"{prefix}{name}.", depth - 1)


def _inner(node: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the schemas whose properties lie in a node as well: choices, and items."""
    return [*_alternatives(node, root), _resolved(node.get("items"), root)]


def _resolved(node: object, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a node says, with what it refers to under it."""
    for _ in range(MAX_DEPTH):
        if not isinstance(node, Mapping):
            return {}
        target: Any = root
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return node
        for part in reference.removeprefix("#").strip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, Mapping) and part else target
        own = {key: value for key, value in node.items() if key != "$ref"}
        node = {**target, **own} if isinstance(target, Mapping) else own
    return {}


def _alternatives(node: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choices = [*_list(node.get("anyOf")), *_list(node.get("oneOf"))]
    return [_resolved(choice, root) for choice in choices]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _type(node: Mapping[str, Any], root: Mapping[str, Any]) -> str | None:
    kinds = node.get("type")
    if kinds is None and "properties" in node:
        return "object"
    if kinds is None:
        types = [_type(choice, root) for choice in _alternatives(node, root)]
        names = [name for kind in types if kind for name in kind.split("|")]
        return "|".join(dict.fromkeys(names)) if types and all(types) else None
    return kinds if isinstance(kinds, str) else "|".join(map(str, kinds))


def _enum(node: Mapping[str, Any]) -> tuple[Any, ...]:
    values = [node["const"]] if "const" in node else _list(node.get("enum"))
    return tuple(value for value in values if isinstance(value, str | int | float | None))


def json_schema(record: EventType) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what a record describes.

    That is the data of its events, or the context. A schema that was registered comes back, with
    the name and the description where it has none.
    """
    head = {"$schema": DIALECT, "title": record.name, "description": record.description}
    extra = {"deprecated": True} if record.deprecated else {}
    body = record.schema if record.schema is not None else _object(record.fields)
    return {**{key: value for key, value in head.items() if value}, **extra, **body}


def _object(fields: Iterable[FieldDoc]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schemas = {"": schema}
    for doc in sorted(fields, key=lambda doc: doc.name.count(".")):
        above, _, name = doc.name.rpartition(".")
        holder = schemas.get(above)
        if holder is None:  # the object that contains it is not described
            holder, name = schema, doc.name
        elif holder.get("type") == "array" or "array" in _list(holder.get("type")):
            holder = holder.setdefault("items", {"type": "object"})
        schemas[doc.name] = holder.setdefault("properties", {})[name] = _property(doc)
        if doc.required:
            holder.setdefault("required", []).append(name)
    return schema


def _property(doc: FieldDoc) -> dict[str, Any]:
    kinds = doc.type.split("|") if doc.type else []
    whole = {
        "description": doc.description,
        "type": kinds[0] if len(kinds) == 1 else kinds,
        "enum": list(doc.enum),
        PII_KEYWORD: doc.pii,
    }
    return {key: value for key, value in whole.items() if value}
