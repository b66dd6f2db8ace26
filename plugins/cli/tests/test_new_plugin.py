"""`eventtracking plugin new`: what it writes, and what it refuses."""

from __future__ import annotations

import tomllib

import pytest


def test_a_plugin_is_written_to_a_directory_of_its_name(run, tmp_path):
    ran = run("plugin", "new", "dead_drop")

    project = tmp_path / "eventtracking-dead-drop"
    made = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    assert ran.code == 0, ran.err
    assert made["name"] == "eventtracking-dead-drop"
    assert made["entry-points"]["eventtracking"] == {"dead_drop": "eventtracking_dead_drop"}
    assert "class DeadDropBackend:" in (project / "eventtracking_dead_drop.py").read_text()
    assert "cd eventtracking-dead-drop\n" in ran.out
    assert "tests/test_dead_drop.py\n" in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["eventtracking-dead-drop"]


def test_dashes_in_a_name_become_underscores_as_they_do_on_a_package_index(run, tmp_path):
    assert run("plugin", "new", "dead-drop").code == 0
    assert (tmp_path / "eventtracking-dead-drop" / "eventtracking_dead_drop.py").is_file()


@pytest.mark.parametrize("kind", ["backend", "processor", "context-provider"])
def test_nothing_is_left_to_fill_in(run, tmp_path, kind):
    assert run("plugin", "new", "carbon", "--kind", kind, "--directory", "a/b").code == 0

    written = [path for path in (tmp_path / "a" / "b").rglob("*") if path.is_file()]
    assert len(written) == 6
    assert not [path for path in written if not path.read_text(encoding="utf-8").isascii()]
    assert not [path for path in written if path.suffix == ".in"]


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("Carbon", "begin with a letter, followed by lower-case letters"),
        ("dead-drop-", "single underscores between words"),
        ("dead__drop", "single underscores between words"),
        ("otel.baggage", "lower-case letters and digits"),
        ("../carbon", "begin with a letter"),
        ("c" * 41, "40 characters at most"),
        ("eventtracking-carbon", "leave out 'eventtracking-': 'carbon'"),
        ("redact", "'redact' is a type of the core's own"),
        ("sqlite", "a plugin 'sqlite' is installed (eventtracking-sqlite)"),
        ("core", "a distribution eventtracking-core is installed"),
    ],
)
def test_a_name_that_cannot_be_one_or_is_taken_is_refused(run, tmp_path, name, because):
    ran = run("plugin", "new", name)

    assert ran.code == 2
    assert because in " ".join(ran.err.split())
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_alone(run, tmp_path):
    there = tmp_path / "eventtracking-carbon"
    there.mkdir()
    link = tmp_path / "link"
    link.symlink_to("nowhere")

    for arguments in ([], ["--directory", link]):
        ran = run("plugin", "new", "carbon", *arguments)
        assert ran.code == 1
        assert "is there already" in ran.err
        assert "Traceback" not in ran.err

    assert list(there.iterdir()) == []
    assert not link.exists()


def test_where_nothing_can_be_written_it_says_so(run, tmp_path):
    (tmp_path / "file").write_text("")

    ran = run("plugin", "new", "carbon", "--directory", "file/carbon")

    assert ran.code == 1
    assert ran.err.count("\n") == 1
