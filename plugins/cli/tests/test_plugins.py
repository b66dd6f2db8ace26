"""`eventtracking plugins`, and the commands that plugins add."""

from __future__ import annotations

import pytest

GREETING = """
    import click

    print("imported")

    @click.command()
    @click.argument("name")
    def greet(name):
        \"\"\"Say hello.\"\"\"
        click.echo(f"hello {name}")
"""


@pytest.mark.once
def test_each_plugin_is_listed_with_what_it_registers_or_why_it_cannot(run, plugin):
    """One listing of them all: each is imported by a process of its own."""
    plugin("raises", "raise RuntimeError('no licence')")
    plugin("exits", "import os; os._exit(3)")
    plugin("hangs", "import threading; threading.Event().wait()")
    plugin("empty", "")
    plugin("twice", "", distribution="one")
    plugin("twice", "", distribution="two")
    plugin("wrong", "greet = 'no command'", command="greet")
    plugin("leaves", "raise SystemExit(5)", command="leave")
    plugin("greeter", GREETING, command="say")
    ran = run("plugins", "--json", "--timeout", "60")
    assert ran.code == 1

    listed = {entry["name"]: entry for entry in ran.json}
    assert listed["sqlite"]["distribution"] == "eventtracking-sqlite"
    assert listed["sqlite"]["version"]
    assert listed["sqlite"]["registers"]["backend"] == ["sqlite"]
    assert listed["sqlite"]["problem"] is None
    built_in = listed["(built in)"]
    assert built_in["distribution"] == "eventtracking-core"
    assert built_in["registers"]["backend"] == ["memory", "null"]
    assert {"redact", "regex_filter"} <= set(built_in["registers"]["processor"])

    problems = {name: entry["problem"] for name, entry in listed.items()}
    assert "cannot be imported: RuntimeError: no licence" in problems["raises"]
    assert problems["exits"] == "its import ends the process (status 3)"
    assert "nothing loaded for 10 seconds" in problems["hangs"]
    assert "registers nothing" in problems["empty"]
    assert "two distributions claim the name" in problems["twice"]

    of = {entry["distribution"]: entry for entry in ran.json}
    assert "is no click command" in of["eventtracking-wrong"]["problem"]
    assert "cannot be imported: SystemExit: 5" in of["eventtracking-leaves"]["problem"]
    assert of["eventtracking-greeter"]["commands"] == ["say"]
    assert of["eventtracking-catalog"]["commands"] == ["catalog", "export", "learn", "validate"]


@pytest.mark.once
def test_a_plugin_that_takes_longer_than_it_may_is_still_importing(run, plugin):
    plugin("hangs", "import threading; threading.Event().wait()")
    ran = run("plugins", "--json", "--timeout", "0.5")
    assert ran.code == 1
    problems = {entry["name"]: entry["problem"] for entry in ran.json}
    assert problems["hangs"] == "still importing after 0.5 seconds"


@pytest.mark.once
def test_the_listing_is_a_table_where_it_is_read_by_people(run, plugin):
    plugin("raises", "raise RuntimeError('\\x1b[31m [red]')")
    out = run("plugins").out
    assert "eventtracking-core" in out
    assert "processors: add, drop_pii," in out
    assert "\\x1b[31m [red]" in out
    assert "\x1b" not in out


def test_a_plugin_adds_commands(program, plugin):
    plugin("greeter", GREETING, command="greet")
    ran = program("greet", "Ada")
    assert (ran.code, ran.out) == (0, "imported\nhello Ada\n")


def test_the_help_lists_commands_of_plugins_without_importing_them(program, plugin):
    plugin("greeter", GREETING, command="greet")
    plugin("hostile", "raise SystemExit(5)")
    ran = program("--help")
    assert ran.code == 0
    assert "greet of eventtracking-greeter" in " ".join(ran.out.split())
    assert "imported" not in ran.out


def test_a_plugin_is_not_imported_for_a_command_that_it_does_not_have(program, plugin):
    plugin("greeter", GREETING, command="greet")
    assert "imported" not in program("schema-of-things").out
    assert "imported" not in program("emit", "--help").out


def test_a_command_that_two_plugins_have_is_an_error_naming_both(program, plugin):
    plugin("one", GREETING, command="greet")
    plugin("two", GREETING, command="greet")
    ran = program("greet", "Ada")
    assert ran.code == 1
    assert "'greet' is claimed by eventtracking-one and eventtracking-two" in ran.err


def test_a_plugin_never_takes_the_place_of_a_verb(program, plugin):
    plugin("greeter", GREETING, command="tree")
    assert "imported" not in program("tree", "--help").out


def test_a_command_whose_module_cannot_be_imported_is_an_error_that_says_why(run, plugin):
    plugin("leaves", "raise SystemExit(5)", command="leave")
    ran = run("leave")
    assert (ran.code, "SystemExit: 5" in ran.err) == (1, True)


def test_a_command_of_a_plugin_is_suggested_too(run, plugin):
    plugin("greeter", GREETING, command="greet")
    assert "Did you mean 'greet'?" in run("gret").err
