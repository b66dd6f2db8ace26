"""The table of the outbox."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
)
from sqlalchemy.dialects import mysql

__all__ = ["MAX_NAME", "metadata", "outbox"]

MAX_NAME: Final = 255

_Bytes: Final = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")

metadata: Final = MetaData()
"""Has the table `eventtracking_outbox`; for `metadata.create_all(engine)`, or for Alembic."""

outbox: Final = Table(
    "eventtracking_outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("event_id", String(36), nullable=False),
    Column("name", String(MAX_NAME), nullable=False),
    Column("node", String(255), nullable=False),
    Column("wire", _Bytes, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("delivered", DateTime(timezone=True)),
    Column("error", String(255)),
    Index("eventtracking_outbox_pending", "node", "delivered", "id"),
)
