"""No option's value is ever printed."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.plugins import plugins


@pytest.mark.parametrize("value", ["*hunter2", "!hunter2", "!!python/hunter2"])
def test_a_value_that_yaml_takes_for_syntax_is_not_printed(value, refused, tmp_path):
    file = tmp_path / "eventtracking.yaml"
    file.write_text(f"backends:\n  a:\n    type: memory\n    password: {value}\n")

    assert "hunter2" not in refused(file)


def test_a_pattern_that_does_not_compile_is_not_printed_in_part(refused):
    node = {"type": "regex_filter", "filter_type": "allowlist"}

    text = refused({"processors": [node | {"regular_expressions": ["(?P=hunter2)"]}]})

    assert "hunter2" not in text


class Refusing:
    """Says in its message what it was given."""

    def __init__(self, password: str) -> None:
        raise ValueError(f"wrong password {password!r}")

    def send(self, event: et.Event) -> None: ...


@pytest.mark.parametrize("password", ["hunter2", "it's hunter2", "hunter2\n", "\\hunter2"])
def test_what_a_constructor_quotes_is_not_printed(password, refused):
    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self):
            return {"refusing": Refusing}

    et.register_plugin(Plugin(), "refusing")
    try:
        text = refused({"backends": {"a": {"type": "refusing", "password": password}}})
    finally:
        plugins.unregister("refusing")

    assert "hunter2" not in text
