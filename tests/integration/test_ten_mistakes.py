"""A configuration with ten different mistakes: all ten are told at once, by the program itself."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

PROGRAM = Path(sysconfig.get_path("scripts"), "eventtracking")

TEN_MISTAKES = """
contexts = ["value-of-an-unknown-key"]
shutdown_timeout = "value-of-a-wrong-type"

[[processors]]
type = "regex_filter"
filter_type = "allowlist"
regular_expressions = ["edx[.].*", "value-that-does-not-compile("]

[[processors]]
type = "sample"
rate = 7.25

[[processors]]
type = "redact"
fields = ["context.ip"]
on_error = "value-that-is-no-choice"

[backends.archive]
type = "loger"
name = "value-of-an-option-of-an-unknown-type"

[backends.store]
type = "sqlite"

[backends.recent]
type = "memory"
max_evnts = "value-of-an-unknown-option"

[backends.warehouse]
processors = [{ type = "add", fields = { "context.site" = "${A_VARIABLE_NOBODY_SET}" } }]

[backends.nothing]
path = "value-of-a-backend-without-a-type"
"""

TEN_FIXES = [
    ("contexts", "unknown key; did you mean 'context'?"),
    ("shutdown_timeout", "expected duration (seconds, or text such as 30s, 2h, 3d), got str"),
    ("processors[0].regular_expressions[1]", "does not compile"),
    ("processors[1].rate", "must be between 0 and 1"),
    ("processors[2].on_error", "expected one of: continue, drop"),
    ("backends.archive.type", "unknown backend 'loger'; did you mean 'logger'? (installed: "),
    ("backends.store.path", "is required"),
    ("backends.recent.max_evnts", "unknown option; did you mean 'max_events'?"),
    (
        "backends.warehouse.processors[0].fields.context.site",
        "A_VARIABLE_NOBODY_SET is not set",
    ),
    ("backends.nothing", "needs a type, or processors and backends to be a router"),
]


def test_ten_mistakes_are_ten_problems_with_paths_and_fixes_and_no_value(tmp_path):
    (tmp_path / "eventtracking.toml").write_text(TEN_MISTAKES)
    ran = subprocess.run(
        [PROGRAM, "check", "eventtracking.toml"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("EVENTTRACKING_")},
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    title, *problems = ran.stderr.splitlines()
    assert title == "eventtracking.toml: 10 problems"
    told = dict(problem.strip().split(": ", 1) for problem in problems)
    assert told.keys() == {path for path, _ in TEN_FIXES}
    for path, fix in TEN_FIXES:
        assert fix in told[path], path
    assert "value-" not in ran.stdout + ran.stderr
    assert "7.25" not in ran.stdout + ran.stderr
