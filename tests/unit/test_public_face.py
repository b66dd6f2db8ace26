"""What `import eventtracking_core` gives, and what it costs."""

from __future__ import annotations

import inspect
import json
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import eventtracking_core as et

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(et.__path__, prefix="eventtracking_core.")
)
PUBLIC = [name for name in MODULES if "._" not in name]


def modules_after(statements):
    program = f"import sys\n{statements}\nimport json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    return set(json.loads(done.stdout))


@pytest.mark.native
def test_importing_and_emitting_costs_nobody_a_dependency():
    imported = modules_after("import eventtracking_core as et; et.emit('name', {'a': 1})")
    foreign = {"click", "msgspec", "opentelemetry", "pluggy", "yaml"}

    assert not foreign & {name.partition(".")[0] for name in imported}
    assert not {"ctypes", "logging"} & imported
    assert not {name for name in imported if name.startswith("eventtracking_core.config")}


@pytest.mark.native
def test_a_tracker_made_in_code_needs_no_pluggy():
    made = "et.Tracker({'a': NullBackend()}).emit('name')"
    imported = modules_after(
        f"import eventtracking_core as et\n"
        f"from eventtracking_core.backends.null import NullBackend\n{made}"
    )

    assert not {"pluggy", "opentelemetry", "msgspec"} & imported


@pytest.mark.native
def test_what_is_not_configured_is_not_imported():
    imported = modules_after(
        "import eventtracking_core as et\n"
        "et.configure({'telemetry': False, 'backends': {'a': 'null'}})"
    )

    assert not {"click", "yaml", "sqlite3", "eventtracking_logger", "opentelemetry"} & imported


@pytest.mark.parametrize("name", et.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(et, name)

    assert name in dir(et)
    if inspect.isclass(value) or inspect.isroutine(value):  # an alias is documented in its source
        assert inspect.getdoc(value)


def test_all_public_names_are_listed_in_order():
    there = {
        name for name, value in vars(et).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }  # fmt: skip
    imported = {"TYPE_CHECKING", "annotations", "lazy"}

    assert et.__all__ == sorted(et.__all__)
    assert there - imported <= set(et.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        et.no_such_name  # noqa: B018


@pytest.mark.parametrize("module", PUBLIC)
def test_a_module_says_what_it_is_for_and_lists_what_is_public(module):
    there = import_module(module)

    assert inspect.getdoc(there)
    for name in getattr(there, "__all__", []):
        value = getattr(there, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name


@pytest.mark.parametrize("module", PUBLIC)
def test_what_is_public_of_a_class_is_documented(module):
    there = import_module(module)
    for name in getattr(there, "__all__", []):
        value = getattr(there, name)
        if not inspect.isclass(value) or value.__module__ != module:
            continue
        for attribute, member in vars(value).items():
            if not attribute.startswith("_") and inspect.isfunction(member):
                assert inspect.getdoc(getattr(value, attribute)), f"{name}.{attribute}"
