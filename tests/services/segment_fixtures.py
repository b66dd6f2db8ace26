"""Fixtures for tests with a stand-in for Segment; a pytest plugin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from segment_stub import SegmentStub

__all__ = ["segment"]


@pytest.fixture
def segment() -> Iterator[SegmentStub]:
    """Segment's batch endpoint, for one test; what it complained of fails the test."""
    with SegmentStub() as stub:
        yield stub
    assert stub.complaints == []
