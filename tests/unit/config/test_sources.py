"""Where a configuration is read from."""

from __future__ import annotations

import json

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend

TOML = """
processors = [{ type = "name_allowlist", names = ["a"] }]
[backends.memory]
type = "memory"
max_events = 2
"""
TREE = {
    "processors": [{"type": "name_allowlist", "names": ["a"]}],
    "backends": {"memory": {"type": "memory", "max_events": 2}},
}
YAML = """
processors:
  - {type: name_allowlist, names: [a]}
backends:
  memory: {type: memory, max_events: 2}
"""
FILES = {
    "eventtracking.toml": TOML,
    "eventtracking.json": json.dumps(TREE),
    "eventtracking.yaml": YAML,
    "eventtracking.YML": YAML,
    "pyproject.toml": TOML.replace("processors =", "[tool.eventtracking]\nprocessors =").replace(
        "[backends", "[tool.eventtracking.backends"
    ),
}


def kept(tracker):
    """Emit three events, one of which is filtered; return those that the backend kept."""
    for name in ("a", "b", "a", "a"):
        tracker.emit(name)
    return [event["name"] for event in tracker.get_backend("memory").events]


@pytest.mark.native
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_of_any_kind_is_read(name, as_text, configured, tmp_path):
    file = tmp_path / name
    file.write_text(FILES[name])

    assert kept(configured(str(file) if as_text else file)) == ["a", "a"]


def test_a_dict_is_read_and_left_as_it_is(configured):
    before = json.dumps(TREE)

    assert kept(configured(TREE)) == ["a", "a"]
    assert json.dumps(TREE) == before


def test_the_environment_names_a_file(configured, tmp_path, monkeypatch):
    file = tmp_path / "anything.json"
    file.write_text(json.dumps(TREE))
    monkeypatch.setenv("EVENTTRACKING_CONFIG_FILE", str(file))

    assert kept(configured()) == ["a", "a"]


def test_without_a_name_the_projects_file_is_read(configured, tmp_path, monkeypatch):
    monkeypatch.delenv("EVENTTRACKING_CONFIG_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(FILES["pyproject.toml"])

    assert kept(configured()) == ["a", "a"]


@pytest.mark.parametrize("project", [None, "[tool.other]\n"])
def test_where_there_is_none_the_problem_says_what_to_do(project, refused, tmp_path, monkeypatch):
    monkeypatch.delenv("EVENTTRACKING_CONFIG_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project)

    assert "set EVENTTRACKING_CONFIG_FILE" in refused(None)


UNREADABLE = {
    "not_there.toml": (None, "cannot be read: No such file or directory"),
    "broken.toml": ("a = ", "is not well-formed"),
    "broken.json": ('{"a": }', "is not well-formed"),
    "broken.yaml": ("a: [", "is not well-formed"),
    "latin.toml": (b"a = '\xe9'", "is not UTF-8 text"),
    "list.json": ("[1]", "must be a table"),
    "list.yaml": ("- 1", "must be a table"),
    "tracking.ini": ("[a]", "unknown kind of file; known: .toml, .json, .yaml, .yml"),
    "pyproject.toml": ("[tool.other]", "tool.eventtracking: the table is missing"),
    "duplicate.json": ('{"backends": {"a": "null", "a": "memory"}}', "duplicate key 'a'"),
    "duplicate.yaml": ("backends:\n  a: null\n  b: 1\n  a: memory\n", "duplicate key 'a', line 2"),
    "duplicate.toml": ("a = 1\na = 2", "is not well-formed"),
    "tag.yaml": ("a: !!python/object/apply:os.getcwd []", "is not well-formed: line 1"),
}


@pytest.mark.native
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_one_problem(name, refused, tmp_path):
    text, message = UNREADABLE[name]
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    said = refused(tmp_path / name)

    assert said.startswith(f"{name}: 1 problem\n  ")
    assert message in said


def test_objects_that_are_built_already_are_taken_as_they_are(configured):
    memory, seen = MemoryBackend(), []
    tracker = configured(
        {
            "context": [lambda: {"a": 1}],
            "processors": [lambda event: seen.append(event["name"])],
            "backends": {"memory": memory, "router": et.RoutingBackend({"memory": memory})},
        }
    )
    tracker.emit("name")

    assert seen == ["name"]
    assert [event["context"] for event in memory.events] == [{"a": 1}] * 2
    assert tracker.get_backend("memory") is memory


def test_an_empty_configuration_delivers_nowhere(configured):
    assert configured({}).emit("name")
