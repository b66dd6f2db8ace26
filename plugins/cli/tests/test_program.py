"""The program itself: usage, endings, terminals, and what it imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

VERBS = [
    "check",
    "completion",
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


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["chek"], "'check'"),
        (["evnts", "list"], "'events'"),
        (["events", "lst"], "'list'"),
        (["deadletters", "purg"], "'purge'"),
        (["events", "list", "--limt", "3"], "--limit"),
        (["plugin", "nw"], "'new'"),
    ],
)
def test_what_was_probably_meant_is_suggested(run, arguments, meant):
    ran = run(*arguments)
    assert ran.code == 2
    assert "Did you mean" in ran.err
    assert meant in ran.err


def test_the_help_says_of_each_command_what_its_own_help_says(run):
    summaries = {
        line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1]
        for line in run("--help").out.partition("Commands:")[2].splitlines()
        if line.startswith("  ")
    }
    for verb in VERBS:
        assert run(verb, "--help").out.split("\n\n")[1].strip() == summaries[verb]


def test_the_help_imports_no_command_and_starts_no_process():
    code = """if True:
        import os, subprocess, sys
        sys.addaudithook(lambda event, _: event in {"subprocess.Popen", "os.fork"} and os._exit(3))
        from eventtracking_cli import main
        try: main(["--help"])
        finally: print(*sys.modules)
    """
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0
    modules = ran.stdout.rpartition("\n\n")[2].split()
    ours = {name for name in modules if name.startswith("eventtracking_")}
    assert "  catalog" in ran.stdout
    assert not {"rich", "msgspec", "pluggy", "jinja2", "sqlite3"} & set(modules)
    assert not [name for name in ours if name.startswith("eventtracking_catalog")]
    assert not ours & {f"eventtracking_cli.{verb}" for verb in VERBS}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell_completes_its_commands(run, shell):
    ran = run("completion", shell)
    assert ran.code == 0
    assert f"_EVENTTRACKING_COMPLETE={shell}_complete" in ran.out
    assert run("completion", "csh").code == 2


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


@pytest.mark.once
def test_a_terminal_gets_colours_unless_no_color_says_no(program, config, on_a_terminal):
    command = [program.path, "tree", config(ROUTED)]
    assert "\x1b[36m" in on_a_terminal(command)
    assert "\x1b[36m" not in on_a_terminal(command, NO_COLOR="1")


@pytest.mark.once
def test_a_terminal_gets_a_progress_bar(program, config, log, edx, on_a_terminal):
    nowhere = config('[backends.nowhere]\ntype = "null"\n')
    command = [program.path, "ingest", log(*[edx()] * 2000), "--config", nowhere]
    written = on_a_terminal(command)
    assert "2,000 lines" in written
    assert "elapsed" in written
    assert "left" in written
    assert "━" in written
    assert "2,000 lines read" in written


@pytest.mark.once
def test_messages_never_stand_in_a_progress_bar(program, config, log, edx, on_a_terminal):
    nowhere = config('[backends.nowhere]\ntype = "null"\n')
    path = log(*[edx()] * 1500, "no event", *[edx()] * 1500)
    written = on_a_terminal([program.path, "ingest", path, "--config", nowhere])
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written).replace("\r", "\n").splitlines()
    assert f"{path}:1501: rejected: not JSON: there is no object in the line" in [
        line.strip() for line in lines
    ] or any(line.strip().endswith("in the line") for line in lines)


@pytest.mark.once
def test_a_terminal_that_lacks_characters_gets_others(program):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = program("demo", env=environment)
    assert ran.code == 0
    assert "####" in ran.out
    assert "\\u" not in ran.out


ROUTED = """
    [backends.course]
    processors = [{ type = "redact", fields = ["context.ip"] }]
    [backends.course.backends.nowhere]
    type = "null"
"""
