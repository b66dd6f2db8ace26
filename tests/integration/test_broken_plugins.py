"""Installed plugins that cannot be used: who names one is told why, and nobody else notices."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.once

HOOK = """\
    from eventtracking_core import hookimpl

    @hookimpl
    def eventtracking_backends():
        """

UNRESOLVABLE = """\
    from __future__ import annotations

    from typing import TYPE_CHECKING

    from eventtracking_core import hookimpl

    if TYPE_CHECKING:
        from pathlib import Path

    class Backend:
        def __init__(self, path: Path) -> None: ...

        def send(self, event): ...

    @hookimpl
    def eventtracking_backends():
        return {"unresolvable": Backend}
"""

# What each plugin is made of, and what is told where it is named.
BROKEN = {
    "raises": ("raise RuntimeError('no licence')", "cannot be imported: RuntimeError: no licence"),
    "lacks": ("import not_installed", "ModuleNotFoundError: No module named 'not_installed'"),
    "exits": ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    "hangs": (
        "import threading; threading.Event().wait()",
        "is importing: nothing loaded for 10 seconds",
    ),
    "misspelt": (
        HOOK.replace("eventtracking_backends", "eventtracking_backend") + "...",
        "there is no hook 'eventtracking_backend'",
    ),
    "empty": ("", "registers nothing"),
    "fails": (HOOK + "raise LookupError('swordfish')", "backends raised LookupError"),
    "quits": (HOOK + "raise SystemExit('swordfish')", "backends raised SystemExit"),
    "lists": (HOOK + "return ['lists']", "must return factories by name"),
    "uncallable": (HOOK + "return {'uncallable': 1}", "must return factories by name"),
    "unresolvable": (
        UNRESOLVABLE,
        "annotations cannot be resolved at run time: NameError: name 'Path'",
    ),
}
MODULES = {f"eventtracking_{name}" for name in [*BROKEN, "twice_one", "twice_two"]}


@pytest.fixture(scope="module")
def site(plugin_wheel, pip_install):
    """All of them, installed."""
    broken = [
        plugin_wheel(f"eventtracking-{name}", f'{name} = "eventtracking_{name}"', source)
        for name, (source, _) in BROKEN.items()
    ]
    twice = [
        plugin_wheel(f"eventtracking-twice-{which}", f'twice = "eventtracking_twice_{which}"', "")
        for which in ("one", "two")
    ]
    return pip_install(*broken, *twice)


def beside_a_good_one(*types):
    """Return a configuration of a backend that works, and of these types of backends."""
    return {"backends": {"good": "memory", **{name: {"type": name} for name in types}}}


@pytest.mark.parametrize("name", BROKEN)
def test_naming_it_is_an_error_that_says_which_distribution_and_why(site, configure_and_emit, name):
    _, cause = BROKEN[name]
    ran = configure_and_emit(site, beside_a_good_one(name))
    (problem,) = ran.problems
    assert problem.startswith(f"backends.{name}.type: ")
    assert cause in problem
    assert f"eventtracking-{name} 1.2.3" in problem
    assert MODULES & set(ran.modules) <= {f"eventtracking_{name}"}


def test_all_of_them_are_told_at_once_and_no_message_of_a_hook(site, configure_and_emit):
    causes = {name: cause for name, (_, cause) in BROKEN.items() if name != "hangs"}
    ran = configure_and_emit(site, beside_a_good_one(*causes))
    assert len(ran.problems) == len(causes)
    for problem, (name, cause) in zip(ran.problems, causes.items(), strict=True):
        assert problem.startswith(f"backends.{name}.type: ")
        assert cause in problem
        assert "swordfish" not in problem


def test_it_is_told_wherever_it_is_named(site, configure_and_emit):
    ran = configure_and_emit(site, {"context": ["raises"], "processors": [{"type": "raises"}]})
    assert [problem.split(":")[0] for problem in ran.problems] == [
        "context[0].type",
        "processors[0].type",
    ]
    assert all("eventtracking-raises 1.2.3" in problem for problem in ran.problems)


def test_a_tracker_that_works_goes_on_when_it_is_named_later(site, configure_and_emit):
    ran = configure_and_emit(site, beside_a_good_one(), beside_a_good_one("exits"))
    assert len(ran.problems) == 1
    assert ran.delivered == 1


def test_a_name_that_two_distributions_claim_is_an_error_naming_both(site, configure_and_emit):
    ran = configure_and_emit(site, beside_a_good_one("twice"))
    (problem,) = ran.problems
    assert "eventtracking-twice-one 1.2.3" in problem
    assert "eventtracking-twice-two 1.2.3" in problem
    assert problem.endswith("uninstall one of them")
    assert not MODULES & set(ran.modules)


def test_those_that_are_not_named_are_not_imported_and_hurt_nobody(site, configure_and_emit):
    ran = configure_and_emit(site, beside_a_good_one())
    assert (ran.problems, ran.delivered) == ([], 1)
    assert not MODULES & set(ran.modules)


def test_a_misspelt_name_imports_none_of_them(site, configure_and_emit):
    ran = configure_and_emit(site, {"backends": {"a": {"type": "hangz"}}})
    assert len(ran.problems) == 1
    assert "did you mean 'hangs'?" in ran.problems[0]
    assert not MODULES & set(ran.modules)


def test_one_that_is_disabled_is_never_imported(site, configure_and_emit):
    config = beside_a_good_one("hangs", "exits")
    by_config = configure_and_emit(site, {**config, "disable": ["hangs", "exits"]})
    by_environment = configure_and_emit(site, config, EVENTTRACKING_DISABLE_PLUGINS="hangs, exits")
    for ran in (by_config, by_environment):
        assert ran.problems == [
            "backends.hangs.type: plugin 'hangs' is disabled",
            "backends.exits.type: plugin 'exits' is disabled",
        ]
        assert not MODULES & set(ran.modules)
