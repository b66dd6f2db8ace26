"""Our own processors and context providers pass the suites that we give to others."""

from __future__ import annotations

import pytest

from eventtracking_core.plugins import plugins
from eventtracking_core.testing import ContextProviderConformance, ProcessorConformance

pytestmark = [pytest.mark.native, pytest.mark.slow]

CORE = "eventtracking_core."
PROCESSORS = {
    "add": {"fields": {"context.user_id.tags": ["a"], "data.a": 2}, "overwrite": True},
    "drop_pii": {"unclassified": "pass"},
    "match": {"fields": {"context.user_id.role": 1}, "action": "drop"},
    "name_allowlist": {"names": ["edx.problem.check"]},
    "pseudonymize": {"key": "k" * 32, "fields": ["context.user_id", "data.a"]},
    "redact": {"fields": ["context.user_id.email", "data.a"]},
    "regex_filter": {"filter_type": "allowlist", "regular_expressions": ["edx\\..*"]},
    "rename": {"names": {"edx.problem.check": "edx.problem.checked"}},
    "sample": {"rate": 0.5},
    "truncate": {"max_length": 10},
    "truncate_ip": {"fields": ["context.ip", "data.a"]},
}
PROVIDERS = {
    "environment": {"variables": {"path": "PATH"}},
    "process": {"service_name": "tests"},
    "request": {},
    "origin": {},
    "static": {"values": {"tags": ["a"]}},
    "trace": {},
}


class TestProcessors(ProcessorConformance):
    @pytest.fixture(autouse=True, params=PROCESSORS)
    def name(self, request):
        self.name = request.param

    def make_processor(self):
        return plugins.find("processor", self.name)(**PROCESSORS[self.name])

    def make_event(self):
        return {**super().make_event(), "name": "edx.problem.check"}


class TestProviders(ContextProviderConformance):
    @pytest.fixture(autouse=True, params=PROVIDERS)
    def name(self, request):
        self.name = request.param

    def make_provider(self):
        return plugins.find("context provider", self.name)(**PROVIDERS[self.name])


def test_there_is_none_that_does_not_run_through_the_suite():
    built_in = {
        kind: {name for name in found if plugins.find(kind, name).__module__.startswith(CORE)}
        for kind, found in plugins.available()[0].items()
    }
    assert built_in["processor"] == set(PROCESSORS)
    assert built_in["context provider"] == set(PROVIDERS)
