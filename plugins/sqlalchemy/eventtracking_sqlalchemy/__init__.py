"""Events that belong to a transaction of SQLAlchemy: sent on commit, or through an outbox."""

from __future__ import annotations

from eventtracking_sqlalchemy.emitting import emit
from eventtracking_sqlalchemy.schema import metadata
from eventtracking_sqlalchemy.sessions import in_session

__all__ = ["emit", "in_session", "metadata"]
