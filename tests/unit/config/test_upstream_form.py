"""The settings of event-tracking, as they are written today."""

from __future__ import annotations

import pytest

from eventtracking_core.backends.memory import MemoryBackend

MEMORY = "eventtracking_core.backends.memory.MemoryBackend"
ROUTER = "eventtracking.backends.routing.RoutingBackend"
WHITELIST = "eventtracking.processors.whitelist.NameWhitelistProcessor"
REGEX = "eventtracking.processors.regex_filter.RegexFilter"


def node(engine, **options):
    return {"ENGINE": engine, "OPTIONS": options}


def test_a_dotted_path_is_a_type(configured):
    tracker = configured({"backends": {"a": node(MEMORY, max_events=3)}})

    assert isinstance(tracker.get_backend("a"), MemoryBackend)


def test_routers_filters_and_backends_are_taken_at_any_depth(configured):
    inner = node(
        ROUTER,
        processors=[node(WHITELIST, whitelist=["edx.a", "edx.b"])],
        backends={"memory": node(MEMORY)},
    )
    patterns = node(REGEX, filter_type="blocklist", regular_expressions=["edx.b"])
    outer = node(ROUTER, processors=[patterns], backends={"inner": inner})
    tracker = configured({"backends": {"default": outer}})
    for name in ("edx.a", "edx.b", "edx.c"):
        tracker.emit(name)

    found = tracker.get_backend("default").backends["inner"].backends["memory"]
    assert [event["name"] for event in found.events] == ["edx.a"]


def test_our_form_and_theirs_may_be_mixed(configured):
    config = {
        "processors": [{"type": "name_allowlist", "names": ["a"]}, node(WHITELIST, names=["a"])],
        "backends": {"theirs": node(ROUTER, backends={"ours": "memory"})},
    }
    tracker = configured(config)
    tracker.emit("a")

    assert len(tracker.get_backend("theirs").backends["ours"].events) == 1


def test_a_processor_may_say_what_becomes_of_failures(configured, problems):
    sample = node("eventtracking_core.processors.sample.Sample", rate=1.0)

    assert configured({"processors": [sample | {"on_error": "continue"}]})
    assert problems({"processors": [sample | {"on_error": "explode"}]}) == [
        ("processors[0].on_error", "expected one of: continue, drop")
    ]


def test_options_may_be_left_out(configured):
    assert configured({"backends": {"a": {"ENGINE": MEMORY}}}).get_backend("a")


@pytest.mark.parametrize(
    ("engine", "type_name"),
    [
        ("eventtracking.backends.logger.LoggerBackend", "logger"),
        ("eventtracking.backends.mongodb.MongoBackend", "mongo"),
        ("eventtracking.backends.segment.SegmentBackend", "segment"),
    ],
)
def test_their_backends_are_our_plugins(engine, type_name, problems):
    """A plugin that is switched off tells which one was asked for."""
    found = problems({"disable": [type_name], "backends": {"a": node(engine, name="tracking")}})

    assert found == [("backends.a.type", f"plugin {type_name!r} is disabled")]


@pytest.mark.parametrize(
    ("wrong", "path", "message"),
    [
        (node("no.such.Backend"), "backends.a.type", "cannot be imported: ModuleNotFoundError"),
        (node("os.path.nonsense"), "backends.a.type", "cannot be imported: AttributeError"),
        (node("NoDots"), "backends.a.ENGINE", "expected a dotted path"),
        (node("os.sep"), "backends.a.type", "is not callable"),
        (node(MEMORY, nonsense=1), "backends.a.nonsense", "unknown option"),
        ({"ENGINE": 5}, "backends.a", "ENGINE: expected str"),
        ({"ENGINE": MEMORY, "OPTIONS": [1]}, "backends.a", "OPTIONS: expected a table"),
        ({"ENGINE": MEMORY, "options": {}}, "backends.a.options", "unknown key (expected one of"),
    ],
)
def test_what_cannot_be_read_is_a_problem_at_its_path(wrong, path, message, problems):
    ((found, said),) = problems({"backends": {"a": wrong}})

    assert found == path
    assert message in said


def test_options_cannot_name_another_type(problems):
    ((path, message),) = problems({"backends": {"a": node(MEMORY, type="null")}})

    assert path == "backends.a.type"
    assert message.startswith("unknown option")


def passed(configured, names, **options):
    """Return the names of the events that a filter of theirs lets through."""
    config = {"processors": [node(REGEX, **options)], "backends": {"memory": node(MEMORY)}}
    tracker = configured(config)
    for name in names:
        tracker.emit(name)
    return [event["name"] for event in tracker.get_backend("memory").events]


NAMES = ["edx.user.settings.changed", "edx.user.settings", "play_video", "my.edx.user.settings"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"filter_type": "blocklist"}, NAMES[2:]),
        ({"filter_type": "allowlist"}, NAMES[:2]),
        ({}, NAMES[:2]),
    ],
)
def test_their_filter_matches_the_beginning_of_a_name(options, expected, configured):
    options = options | {"regular_expressions": [r"edx\.user\.settings"]}

    assert passed(configured, NAMES, **options) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("edx.user.settings$", NAMES[1:2]),
        ("(?i)EDX|play", NAMES[:3]),
        (".*user", [*NAMES[:2], NAMES[3]]),
    ],
)
def test_their_patterns_mean_what_they_mean_there(pattern, expected, configured):
    assert passed(configured, NAMES, regular_expressions=[pattern]) == expected


def test_their_filter_without_patterns_keeps_nothing_or_everything(configured):
    assert passed(configured, NAMES) == []
    assert passed(configured, NAMES, regular_expressions=None) == []
    assert passed(configured, NAMES, filter_type="blocklist") == NAMES


def test_our_filter_matches_the_whole_name(configured):
    ours = {"type": "regex_filter", "filter_type": "allowlist", "regular_expressions": ["edx"]}
    tracker = configured({"processors": [ours], "backends": {"memory": "memory"}})
    tracker.emit("edx.user")
    tracker.emit("edx")

    assert [event["name"] for event in tracker.get_backend("memory").events] == ["edx"]


def test_the_backends_of_their_routers_are_called_in_the_order_of_their_names(configured):
    backends = {name: node(MEMORY) for name in ("b", "c", "a")}
    tracker = configured({"backends": {"r": node(ROUTER, backends=backends)}})

    assert list(tracker.get_backend("r").backends) == ["a", "b", "c"]
