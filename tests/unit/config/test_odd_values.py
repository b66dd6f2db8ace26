"""Values of a type or a depth that no option has are reported as problems."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("key", ["processors", "context"])
def test_an_empty_table_is_a_problem(key, refused):
    assert f"{key}[0].type: " in refused({key: [{}]})


@pytest.mark.parametrize("on_error", [["drop"], {"a": 1}, 5])
def test_what_is_no_text_is_a_problem_where_a_word_is_wanted(on_error, refused):
    text = refused({"processors": [{"type": "sample", "rate": 1.0, "on_error": on_error}]})

    assert "processors[0].on_error: expected one of: continue, drop" in text


def test_a_yaml_file_that_refers_to_itself_is_a_problem(refused, tmp_path):
    file = tmp_path / "eventtracking.yaml"
    file.write_text("backends: &here\n  a: *here\n")

    assert "1 problem" in refused(file)


@pytest.mark.parametrize(("ending", "text"), [("json", "[" * 100_000), ("toml", "a=" + "[" * 9000)])
def test_a_file_that_is_too_deep_is_a_problem(ending, text, refused, tmp_path):
    file = tmp_path / f"eventtracking.{ending}"
    file.write_text(text)

    assert "1 problem" in refused(file)
