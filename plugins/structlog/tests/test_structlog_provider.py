"""The context provider `structlog` passes the conformance suite."""

from __future__ import annotations

import pytest
from structlog.contextvars import bind_contextvars

from eventtracking_core.testing import ContextProviderConformance
from eventtracking_structlog.provider import StructlogContext


class TestStructlogContext(ContextProviderConformance):
    @pytest.fixture(autouse=True, params=[{}, {"allow": ["tags"]}, {"deny": ["secret"]}])
    def bound(self, request):
        self.options = request.param
        bind_contextvars(tags=["a"], secret="swordfish")

    def make_provider(self):
        return StructlogContext(**self.options)
