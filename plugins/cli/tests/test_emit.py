"""`eventtracking emit`: one event, delivered or not."""

from __future__ import annotations

import pytest


def test_an_event_is_stored_and_its_id_printed(run, config):
    ran = run(
        "emit", "edx.note", "n=3", "done=true", "tags=[1]", "text=a=b", "odd=NaN", "--config",
        config(), "--context", "user_id=7", "--context", "org=X",
    )  # fmt: skip
    assert ran.code == 0
    event = run("events", "show", ran.out.strip(), "--from", "events.db").json
    assert event["name"] == "edx.note"
    assert event["data"] == {"n": 3, "done": True, "tags": [1], "text": "a=b", "odd": "NaN"}
    assert event["context"] == {"user_id": 7, "org": "X"}


def test_an_event_without_a_name_is_wrong_usage(run, config):
    ran = run("emit", "", "--config", config())
    assert ran.code == 2
    assert "an event needs a name" in ran.err


def test_what_is_no_pair_is_wrong_usage(run, config):
    for pairs in (["n"], ["=3"], ["n=1", "n=2"]):
        ran = run("emit", "edx.note", *pairs, "--config", config())
        assert ran.code == 2
        assert ran.out == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[backends.a]\ntype = "sqlite"\npath = "et.toml/x.db"\n', "a (error)"),
        (
            'processors = [{type="name_allowlist", names=["x"]}]\n[backends.a]\ntype="null"\n',
            "filtered",
        ),
        ("processors = []\n", "no backend"),
    ],
)
def test_what_was_not_delivered_is_said_and_makes_the_exit_code_1(run, config, text, reason):
    ran = run("emit", "edx.note", "--config", config(text))
    assert ran.code == 1
    assert reason in ran.err
    assert "Traceback" not in ran.err


def test_delivered_somewhere_is_delivered(run, config):
    text = """
        [backends.all]
        type = "null"
        [backends.some]
        processors = [{ type = "name_allowlist", names = ["x"] }]
        [backends.some.backends.store]
        type = "null"
    """
    assert run("emit", "edx.note", "--config", config(text)).code == 0
