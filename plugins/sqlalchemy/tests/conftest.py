"""Databases with an outbox, and trackers that use it."""

from __future__ import annotations

import pytest
from sqlalchemy import Integer, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from eventtracking_core import Tracker
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.outbox import deliver
from eventtracking_sqlalchemy import metadata
from eventtracking_sqlalchemy.deliverer import tables


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


@pytest.fixture
def order():
    """Make an order."""
    return lambda name: Order(name=name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.db"


@pytest.fixture(params=["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.once)])
def url(request, path):
    """A database with the tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{path}"
    elif request.param == "postgresql":
        port = request.getfixturevalue("postgres").port
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    else:
        server = request.getfixturevalue("mariadb")
        server.settings("alchemy")
        url = f"mysql+pymysql://root@127.0.0.1:{server.port}/alchemy"
    engine = create_engine(url)
    for each in (Base.metadata, metadata):
        each.drop_all(engine)
        each.create_all(engine)
    yield url
    engine.dispose()


@pytest.fixture
def engine(url):
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def memory():
    return MemoryBackend()


@pytest.fixture
def configured(url, tmp_path):
    """Configure a tracker with an outbox before a backend; close it at the end."""
    trackers = []

    def configure(backend, *, name="outbox", **options):
        tracker = Tracker()
        node = {
            "type": "sqlalchemy.outbox",
            "url": url,
            "backends": {"sink": backend},
            "delivery": {"directory": str(tmp_path / "kept"), "initial_interval": 0.01},
        }
        tracker.configure({"backends": {name: node | options}})
        trackers.append(tracker)
        return tracker

    yield configure
    for tracker in trackers:
        [table] = tables(tracker)
        tracker.shutdown(5)
        table.outbox.engine.dispose()


@pytest.fixture
def delivered():
    """Deliver what is committed; return how many events."""

    def deliver_all(tracker):
        [table] = tables(tracker)
        return deliver(table, timeout=30)

    return deliver_all
