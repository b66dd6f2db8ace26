"""The program itself: usage, endings, terminals, and what it imports."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

VERBS = [
    "check",
    "deadletters",
    "demo",
    "emit",
    "events",
    "ingest",
    "plugins",
    "schema",
    "spool",
    "stats",
    "tree",
]


def test_the_help_lists_every_verb_in_a_line(run):
    ran = run("--help")
    assert ran.code == 0
    for verb in VERBS:
        assert f"  {verb} " in ran.out
    assert "..." not in ran.out.partition("Commands:")[2]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run, verb):
    ran = run(verb, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: eventtracking {verb}")


def test_wrong_usage_is_exit_code_2(run):
    for arguments in (["nonsense"], ["ingest"], ["emit"], ["tree", "--nonsense"], ["events", "x"]):
        assert run(*arguments).code == 2


def test_the_version_is_the_distributions(run):
    assert run("--version").out.startswith("eventtracking, version ")


def test_importing_the_package_imports_nothing_else(tmp_path):
    code = "import sys, eventtracking_cli; print(*sorted(sys.modules))"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"click", "rich", "msgspec", "pluggy", "eventtracking_core"} & set(modules)


def test_a_verb_imports_what_it_needs(program, config):
    code = """if True:
        import sys
        from eventtracking_cli import main
        try: main(["check", sys.argv[1]])
        finally: print(*sys.modules)
    """
    out = subprocess.check_output([sys.executable, "-c", code, config()], text=True)
    loaded = {name for name in out.split() if name.startswith("eventtracking_cli.")}
    assert "eventtracking_cli.check" in loaded
    assert not {"eventtracking_cli.demo", "eventtracking_cli.ingest"} & loaded


def test_it_completes_its_verbs(program):
    environment = {**os.environ, "_EVENTTRACKING_COMPLETE": "bash_complete"}
    environment |= {"COMP_WORDS": "eventtracking e", "COMP_CWORD": "1"}
    assert program(env=environment).out.split() == ["plain,emit", "plain,events"]


def on_a_terminal(command, **environment):
    """Return what a command writes to a terminal."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment}
    with subprocess.Popen(command, stdout=its, stderr=its, stdin=its, env=environment):
        os.close(its)
        written = b""
        try:
            while some := os.read(ours, 65536):
                written += some
        except OSError:  # the other side was closed
            pass
    os.close(ours)
    return written.decode()


def test_a_terminal_gets_colours_unless_no_color_says_no(program, config):
    command = [program.path, "tree", config(ROUTED)]
    assert "\x1b[36m" in on_a_terminal(command)
    assert "\x1b[36m" not in on_a_terminal(command, NO_COLOR="1")


def test_a_terminal_gets_a_progress_bar(program, config, log, edx):
    nowhere = config('[backends.nowhere]\ntype = "null"\n')
    command = [program.path, "ingest", log(*[edx()] * 2000), "--config", nowhere]
    written = on_a_terminal(command)
    assert "lines" in written
    assert "━" in written
    assert "2,000 lines read" in written


def test_a_terminal_that_lacks_characters_gets_others(program):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = program("demo", env=environment)
    assert ran.code == 0
    assert "####" in ran.out


ROUTED = """
    [backends.course]
    processors = [{ type = "redact", fields = ["context.ip"] }]
    [backends.course.backends.nowhere]
    type = "null"
"""
