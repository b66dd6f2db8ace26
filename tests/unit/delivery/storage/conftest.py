"""Spools, and trackers that deliver from them."""

from __future__ import annotations

import os

import pytest
from spool_fixtures import journals, leaf, read_all, sink, spool_at, tracker_to

__all__ = ["journals", "leaf", "read_all", "sink", "spool_at", "tracker_to"]


@pytest.fixture
def umask_of_zero():
    previous = os.umask(0)
    yield
    os.umask(previous)
