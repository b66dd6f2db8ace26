"""A source of events is opened by its name; what cannot be one is refused with a reason."""

from __future__ import annotations

import pytest

from eventtracking_core import RoutingBackend
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.sources import SourceError, find_reader, first_reader, open_reader, scheme

LINE = '{"name": "a.b", "timestamp": "2026-01-01T00:00:00Z", "data": {}, "context": {}}\n'


@pytest.fixture
def log(tmp_path):
    def written(name):
        (tmp_path / name).write_text(LINE)
        return str(tmp_path / name)

    return written


def test_several_files_of_events_are_one_source(log):
    with open_reader([log("one"), log("two")]) as reader:
        assert [event["name"] for event in reader.query()] == ["a.b", "a.b"]


def test_a_file_of_events_does_not_combine_with_another_kind_of_source(log):
    with pytest.raises(SourceError, match="several sources must all be files"):
        open_reader([log("one"), "mongodb://server/db"]).__enter__()


def test_an_address_of_no_known_store_is_refused_without_showing_it():
    with pytest.raises(SourceError, match=r"begins with ftp://; known: .*postgresql://") as caught:
        find_reader("ftp://user:secret@server/file")
    assert "secret" not in str(caught.value)


def test_the_scheme_of_an_address_names_the_store():
    assert scheme("postgresql://server/events") == "postgresql"
    assert scheme("ftp://server") is None
    assert scheme("events.ndjson") is None


def test_a_source_needs_a_name():
    with pytest.raises(SourceError, match="needs a name"):
        find_reader("")


def test_a_configuration_without_a_store_is_refused(tmp_path):
    (tmp_path / "events.toml").write_text('[backends]\nnothing = "null"\n')
    with pytest.raises(SourceError, match="no backend of the configuration can be read"):
        find_reader(str(tmp_path / "events.toml"))


def test_without_names_and_configuration_the_options_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVENTTRACKING_CONFIG_FILE", raising=False)
    with pytest.raises(SourceError, match="--from, or a configuration with --config"):
        open_reader().__enter__()


def test_a_tree_without_a_backend_that_can_be_read_has_no_reader():
    assert first_reader(RoutingBackend({"memory": MemoryBackend()})) is None
