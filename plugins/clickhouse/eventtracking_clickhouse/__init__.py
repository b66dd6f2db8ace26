"""Store events in ClickHouse, and query them."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_clickhouse.backend import ClickHouseBackend
from eventtracking_core import hookimpl

__all__ = ["ClickHouseBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[ClickHouseBackend]]:
    """Return the type `clickhouse`."""
    return {"clickhouse": ClickHouseBackend}


@hookimpl
def eventtracking_metadata_stores() -> Mapping[str, type[ClickHouseBackend]]:
    """Return the type `clickhouse`: the database also stores event-type records."""
    return {"clickhouse": ClickHouseBackend}
