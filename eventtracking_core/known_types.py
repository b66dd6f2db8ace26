"""The types of components that are known by name, installed or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["BUILT_IN", "PUBLISHED", "PUBLISHED_WITH", "ComponentKind"]

ComponentKind = Literal["context provider", "processor", "backend", "metadata store"]

BUILT_IN: Final[Mapping[ComponentKind, Mapping[str, str]]] = {
    "context provider": {
        "environment": "eventtracking_core.providers.static:Environment",
        "origin": "eventtracking_core.providers.static:Origin",
        "process": "eventtracking_core.providers.process:Process",
        "request": "eventtracking_core.providers.request:RequestProvider",
        "static": "eventtracking_core.providers.static:Static",
        "trace": "eventtracking_core.providers.trace:Trace",
    },
    "processor": {
        "add": "eventtracking_core.processors.add:Add",
        "drop_pii": "eventtracking_core.processors.drop_pii:DropPii",
        "match": "eventtracking_core.processors.match:Match",
        "name_allowlist": "eventtracking_core.processors.name_allowlist:NameAllowlist",
        "pseudonymize": "eventtracking_core.processors.pseudonymize:Pseudonymize",
        "redact": "eventtracking_core.processors.redact:Redact",
        "regex_filter": "eventtracking_core.processors.regex_filter:RegexFilter",
        "rename": "eventtracking_core.processors.rename:Rename",
        "sample": "eventtracking_core.processors.sample:Sample",
        "truncate": "eventtracking_core.processors.truncate:Truncate",
        "truncate_ip": "eventtracking_core.processors.truncate_ip:TruncateIp",
    },
    "backend": {
        "memory": "eventtracking_core.backends.memory:MemoryBackend",
        "null": "eventtracking_core.backends.null:NullBackend",
    },
    "metadata store": {
        "memory": "eventtracking_core.backends.memory:MemoryBackend",
    },
}
"""The components of the core: type names, and where they are."""

PUBLISHED: Final = frozenset(
    {
        "async_router",
        "clickhouse",
        "django",
        "file",
        "http",
        "kafka",
        "logger",
        "lrs",
        "mongo",
        "objects",
        "otel",
        "postgres",
        "redis",
        "segment",
        "sqlalchemy",
        "sqlite",
        "structlog",
    }
)
"""This project's plugins, for errors that suggest what to install. Each has a backend."""

PUBLISHED_WITH: Final[Mapping[ComponentKind, frozenset[str]]] = {
    "context provider": frozenset({"otel", "structlog"}),
    "processor": frozenset(),
    "backend": PUBLISHED,
    "metadata store": frozenset({"clickhouse", "file", "mongo", "objects", "postgres", "sqlite"}),
}
"""The plugins of this project that have components of a kind."""
