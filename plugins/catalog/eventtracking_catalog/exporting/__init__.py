"""A catalogue in the forms that other tools read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from eventtracking_catalog.exporting import (
    asyncapi,
    eventcatalog,
    jsonschema,
    markdown,
    python,
    typescript,
)
from eventtracking_catalog.model import Catalogue

__all__ = ["DOCUMENTS", "TREES"]

DOCUMENTS: Final[Mapping[str, Callable[[Catalogue], str]]] = {
    "asyncapi": asyncapi.exported,
    "jsonschema": jsonschema.exported,
    "markdown": markdown.exported,
    "python": python.exported,
    "typescript": typescript.exported,
}
"""Forms that are one document."""

TREES: Final[Mapping[str, Callable[[Catalogue], Mapping[str, str]]]] = {
    "eventcatalog": eventcatalog.exported,
}
"""Forms that are files in directories."""
