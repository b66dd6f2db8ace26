"""Event types: what events and contexts mean, said in code and kept beside the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.lazy import lazy

if TYPE_CHECKING:
    from eventtracking_core.registry.annotations import PII, Doc
    from eventtracking_core.registry.columns import Column, typed_columns
    from eventtracking_core.registry.jsonschema import fields_of_schema, json_schema
    from eventtracking_core.registry.record import (
        DefinesTables,
        EventType,
        FieldDoc,
        LoadsEventTypes,
        MetadataStore,
    )
    from eventtracking_core.registry.registry import Registry, find_record
    from eventtracking_core.registry.typed import event

__all__ = [
    "PII",
    "Column",
    "DefinesTables",
    "Doc",
    "EventType",
    "FieldDoc",
    "LoadsEventTypes",
    "MetadataStore",
    "Registry",
    "event",
    "fields_of_schema",
    "find_record",
    "json_schema",
    "typed_columns",
]

# Imported when first asked for: who registers nothing pays nothing.
__getattr__, __dir__ = lazy(
    __name__, "record", "registry", "annotations", "typed", "columns", "jsonschema"
)
