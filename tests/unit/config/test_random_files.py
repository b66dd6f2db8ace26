"""Files of random text: each is a configuration, or one kind of error with no value in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et

SECRET = "hunter2"

TOKENS = [
    *("backends", "processors", "delivery", "type", "ENGINE", "OPTIONS", "accepts", "telemetry"),
    *(
        ": ",
        ":",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        '"',
        "'",
        "\n",
        "\n  ",
        "=",
        "<<",
        "&a ",
        "*a",
        "|",
    ),
    *("!!int ", "!!timestamp ", "!x ", "? ", "%", "@", "#", "---\n", "\\", "\\x", "${A}", "${A:-"),
    *(
        SECRET,
        "memory",
        "router",
        "null",
        "1e999",
        "-1",
        "nan",
        ".inf",
        "\t",
        "\ud800",
        "\x1b",
        "é",
    ),
]


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
    st.sampled_from(["toml", "json", "yaml"]),
)
def test_any_text_is_a_configuration_or_one_error_without_values(tmp_path_factory, text, suffix):
    file = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    file.write_bytes(text.encode(errors="surrogatepass"))
    tracker, problems = et.Tracker(), []
    try:
        tracker.configure(file)
    except et.ConfigurationError as error:
        problems = error.problems
    tracker.shutdown(1)

    assert all(str(problem).isprintable() for problem in problems)


SOUND = {
    "toml": f"[backends.a]\ntype = 'memory'\nuri = '{SECRET}'\nlist = ['{SECRET}', 1]\n",
    "json": json.dumps({"backends": {"a": {"type": "memory", "uri": SECRET, "list": [SECRET, 1]}}}),
    "yaml": f"backends:\n  a:\n    type: memory\n    uri: {SECRET}\n    list: [{SECRET}, 1]\n",
}


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.sampled_from(sorted(SOUND)),
    st.integers(0, 90),
    st.integers(0, 3),
    st.sampled_from([token for token in TOKENS if token != SECRET]),
)
def test_what_is_said_of_a_damaged_file_has_no_value_of_it(
    tmp_path_factory, suffix, at, cut, token
):
    text = SOUND[suffix]
    file = tmp_path_factory.getbasetemp() / f"damaged.{suffix}"
    file.write_bytes((text[:at] + token + text[at + cut :]).encode(errors="surrogatepass"))
    tracker, messages = et.Tracker(), []
    try:
        tracker.configure(file)
    except et.ConfigurationError as error:
        # A key, and the name of a type, may be shown: no value can become one here but by damage.
        messages = [each.message for each in error.problems if not each.path.endswith("type")]
    tracker.shutdown(1)

    assert not [message for message in messages if SECRET in message]
