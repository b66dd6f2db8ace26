"""`manage.py check` with a configuration that has every kind of mistake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SECRET = "hunter2"

WRONG = {
    "contexts": [],
    "context": ["proces", {"type": "request", "fields": ["cookies"], "trusted_proxies": -1}],
    "disable": "file",
    "invalid": "explode",
    "max_event_size": "huge",
    "metadata": "nowhere",
    "shutdown_timeout": "soon",
    "telemetry": {"span": True},
    "processors": [
        5,
        {"type": "sampel"},
        {"type": "sample"},
        {"type": "sample", "rate": 2},
        {"type": "sample", "rate": 1, "on_error": "stop"},
        {"type": "regex_filter", "filter_type": "allowlist", "regular_expressions": ["("]},
    ],
    "backends": {
        "": "null",
        "async_inline": {
            "ENGINE": "every_mistake_backends.Async",
            "OPTIONS": {"delivery": "inline"},
        },
        "commit": {"type": "django.on_commit", "backends": {"a": {"type": "mogno"}}},
        "delivery_beside": {"type": "memory", "max_batch_size": 5},
        "delivery_mode": {"type": "memory", "delivery": "queu"},
        "delivery_values": {"type": "memory", "delivery": {"mode": "queue", "max_queue_size": "x"}},
        "empty": {},
        "engine_key": {"ENGINE": "logging.NullHandler", "OPTION": {}},
        "engine_missing": {"ENGINE": "no.such.Module"},
        "engine_number": {"ENGINE": 5},
        "engine_options": {"ENGINE": "no.such.Module", "OPTIONS": 5},
        "engine_plain": {"ENGINE": "MongoBackend"},
        "engine_sends_not": {"ENGINE": "collections.OrderedDict"},
        "engine_type": {"ENGINE": "no.such.Module", "OPTIONS": {"type": "null"}},
        "missing": {"type": "sqlite"},
        "nested": {"type": "django.outbox", "using": "replica", "backends": {"x": 5}},
        "number": 5,
        "option_type": {"type": "memory", "max_events": "many"},
        "option_unknown": {"type": "memory", "password": SECRET},
        "option_value": {"type": "sqlite", "path": "events.db", "synchronous": SECRET},
        "outbox_alone": {"type": "django.outbox"},
        "router_option": {"backends": {}, "port": 1},
        "takes_none": {"type": "memory", "backends": {"a": "null"}},
        "type_number": {"type": 5},
        "type_unknown": "memori",
        "variable": {"type": "sqlite", "path": "${NOT_SET_ANYWHERE}"},
    },
}

BACKENDS = """
class Async:
    async def send(self, event): ...
"""

EXPECTED = {
    "backends.variable.path": "NOT_SET_ANYWHERE is not set in the environment; set it, or write",
    "contexts": "unknown key; did you mean 'context'?",
    "disable": "expected list, got str",
    "shutdown_timeout": "expected duration (seconds, or text such as 30s, 2h, 3d), got str",
    "telemetry.span": "unknown option; did you mean 'spans'?",
    "invalid": "expected one of: allow, warn, dead_letter",
    "max_event_size": "expected size (bytes, or text such as 64 MiB), got str",
    "context[0].type": "unknown context provider 'proces'; did you mean 'process'?",
    "context[1].fields[0]": "expected one of: method, path, route, user_id, ",
    "context[1].trusted_proxies": "must not be negative",
    "metadata.type": "unknown metadata store 'nowhere' (installed: ",
    "processors[0]": "expected a processor, got int",
    "processors[1].type": "unknown processor 'sampel'; did you mean 'sample'?",
    "processors[2].rate": "is required",
    "processors[3].rate": "must be between 0 and 1",
    "processors[4].on_error": "expected one of: continue, drop",
    "processors[5].regular_expressions[0]": "does not compile, at character 0",
    "backends": "the name of a backend must not be empty",
    "backends.async_inline": "backend 'async_inline' is `async def`: configure it with",
    "backends.commit.backends.a.type": "unknown backend 'mogno'; did you mean 'mongo'?",
    "backends.delivery_beside.max_batch_size": "unknown option; did you mean 'delivery.max_batch_s",
    "backends.delivery_mode.delivery.mode": "expected one of: inline, queue, spool",
    "backends.delivery_values.delivery.max_queue_size": "expected int, got str",
    "backends.empty": "needs a type, or processors and backends to be a router",
    "backends.engine_key.OPTION": "unknown key (expected one of: ENGINE, OPTIONS)",
    "backends.engine_key": "backend 'engine_key' has no callable send",
    "backends.engine_missing.type": "'no.such:Module' cannot be imported: ModuleNotFoundError",
    "backends.engine_number": "ENGINE: expected str",
    "backends.engine_options": "OPTIONS: expected a table",
    "backends.engine_plain.ENGINE": "expected a dotted path, to a class",
    "backends.engine_sends_not": "backend 'engine_sends_not' has no callable send",
    "backends.engine_type.type": "unknown option (ENGINE says what the type is)",
    "backends.missing.path": "is required",
    "backends.nested.using": "must be an alias in DATABASES",
    "backends.nested.backends.x": "expected a backend, got int",
    "backends.number": "expected a backend, got int",
    "backends.option_type.max_events": "expected int, got str",
    "backends.option_unknown.password": "unknown option (expected one of: max_events; ",
    "backends.option_value.synchronous": "expected one of: normal, full",
    "backends.outbox_alone.backends": "is required: the backends below it",
    "backends.router_option.port": "a router has no options (add a type to have some)",
    "backends.takes_none.backends": "this type takes none",
    "backends.type_number.type": "expected the type of a backend",
    "backends.type_unknown.type": "unknown backend 'memori'; did you mean 'memory'?",
}


def test_manage_py_check_prints_every_mistake_with_its_path_and_no_value(tmp_path):
    (tmp_path / "every_mistake_backends.py").write_text(BACKENDS)
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", "check"],
        cwd=tmp_path,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "shop_settings",
            "PYTHONPATH": os.pathsep.join([str(HERE), str(tmp_path), *sys.path]),
            "SHOP_EVENTTRACKING": json.dumps(WRONG),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    found = re.findall(r"\(eventtracking\.E001\) (\S+): (.*)", ended.stderr)
    assert {path for path, _ in found} == EXPECTED.keys()
    assert len(found) == len(EXPECTED)
    for path, message in found:
        assert message.startswith(EXPECTED[path]), path
    assert SECRET not in ended.stdout + ended.stderr
