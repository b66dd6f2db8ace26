"""Event types: what events and contexts mean, said in code and kept beside the log."""

from eventtracking_core.registry.fields import FieldDoc
from eventtracking_core.registry.record import EventType, Kind, MetadataStore

__all__ = ["EventType", "FieldDoc", "Kind", "MetadataStore"]
