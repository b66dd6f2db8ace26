"""Send events with a SQLAlchemy transaction: on commit, or through an outbox."""

from __future__ import annotations

from eventtracking_sqlalchemy.emitting import emit
from eventtracking_sqlalchemy.schema import metadata
from eventtracking_sqlalchemy.sessions import in_session

__all__ = ["emit", "in_session", "metadata"]
