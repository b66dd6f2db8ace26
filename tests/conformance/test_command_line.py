"""Authors of plugins run the suites from the command line, for a component by its name."""

from __future__ import annotations

import subprocess
import sys

import pytest

CONFORMANCE = ("--pyargs", "eventtracking_core.testing.conformance")


def test_a_backend_is_found_by_its_name_and_passes(run_pytest):
    done = run_pytest(*CONFORMANCE, "--eventtracking-backend", "null", all_plugins=True)

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.once
def test_options_are_given_as_json(run_pytest, tmp_path):
    options = '{"path": "events.ndjson", "max_size": "64 MiB"}'
    done = run_pytest(
        *CONFORMANCE,
        *("--eventtracking-backend", "file"),
        *("--eventtracking-options", options, "-k", "twice"),
    )

    assert done.returncode == 0, done.stdout
    assert (tmp_path / "events.ndjson").read_text(encoding="utf-8").count("\n") == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        ("processor", "redact", '{"fields": ["context.ip"]}'),
        ("provider", "trace", "{}"),
        ("metadata-store", "memory", "{}"),
    ],
)
def test_other_components_are_checked_too(run_pytest, kind, name, options):
    done = run_pytest(
        *CONFORMANCE, f"--eventtracking-{kind}", name, "--eventtracking-options", options
    )

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.once
def test_the_suite_can_be_inherited(run_pytest):
    tests = """
        from eventtracking_core.testing import BackendConformance

        class Deaf:
            def send(self, event):
                raise OSError("nobody listens")

        class TestDeaf(BackendConformance):
            def make_backend(self):
                return Deaf()
    """

    done = run_pytest("-k", "twice or documented or opens", test_deaf=tests)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "nobody listens" in done.stdout
    assert "write a docstring" in done.stdout
    assert "2 failed, 2 passed" in done.stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to check, by its name: one of --eventtracking-backend, "),
        (["--eventtracking-backend", "mogno"], "did you mean 'mongo'?"),
        (["--eventtracking-backend", "file"], "backends.tested.path: is required"),
        (["--eventtracking-processor", "redcat"], "did you mean 'redact'?"),
        (["--eventtracking-provider", "static"], "context[0].values: is required"),
        (["--eventtracking-options", "{secret"], "expected a JSON object"),
        (["--eventtracking-options", '["secret"]'], "expected a JSON object"),
    ],
)
def test_mistakes_are_told_without_a_traceback(run_pytest, arguments, said):
    done = run_pytest(*CONFORMANCE, *arguments)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    printed = done.stdout + done.stderr
    assert said in printed
    assert "Traceback" not in printed
    assert "secret" not in printed


def test_whoever_has_no_use_for_it_pays_next_to_nothing():
    """pytest imports the plugin wherever the core is installed."""
    script = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import eventtracking_core.testing.pytest_plugin\n"
        "new = sys.modules.keys() - before\n"
        "print(*{'click', 'json', 'msgspec', 'opentelemetry', 'subprocess'} & new)\n"
        "print(*sorted(name for name in new if 'testing' in name or 'config' in name))"
    )
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    ours = "eventtracking_core.testing"
    assert done.stdout == f"\n{ours} {ours}.pytest_plugin\n"
