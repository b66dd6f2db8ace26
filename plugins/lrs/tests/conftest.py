"""A Learning Record Store for the tests, started once a session."""

from __future__ import annotations

import pytest
from ralph_lrs import RalphLrs


@pytest.fixture(scope="session")
def ralph(tmp_path_factory, shared_mongod):
    made = RalphLrs(tmp_path_factory.mktemp("ralph"), shared_mongod.uri)
    made.start()
    yield made
    made.kill()
