"""Every problem, with its path and a fix."""

from __future__ import annotations

import pytest

SHOWING = "testing.showing"


class Careless:
    """Misspells what becomes of an event on which it fails."""

    on_error = "dorp"

    def __call__(self, event):
        return event


class Misshapen:
    """Has methods that cannot be called as those of a component are."""

    def __init__(self, **methods):
        vars(self).update(methods)


WRONG = {
    "a backend whose send takes no event": (
        {"backends": {"a": Misshapen(send=lambda: None)}},
        "backends.a",
        "send must take (event), as it is called",
    ),
    "a backend whose batch has no timeout": (
        {"backends": {"a": Misshapen(send_batch=lambda events: None)}},
        "backends.a",
        "send_batch must take (events, *, timeout), as it is called",
    ),
    "a processor that takes no event": (
        {"processors": [lambda: None]},
        "processors[0]",
        "must take (event), as it is called",
    ),
    "a provider that takes something": (
        {"context": [lambda event: {}]},
        "context[0]",
        "must take no arguments, as it is called",
    ),
    "a store whose method takes no record": (
        {"metadata": Misshapen(save_event_type=lambda: None)},
        "metadata",
        "save_event_type must take (record), as it is called",
    ),
    "an unknown key": ({"x": {}}, "x", "unknown key (expected one of: context, processors, "),
    "a key that is nearly one": (
        {"backend": {}},
        "backend",
        "unknown key; did you mean 'backends'?",
    ),
    "a store without its options": ({"metadata": "testing.store"}, "metadata.path", "is required"),
    "backends that are no table": ({"backends": []}, "backends", "expected a table of backends"),
    "processors that are no list": ({"processors": {}}, "processors", "expected a list, got table"),
    "context that is no list": ({"context": "process"}, "context", "expected a list, got str"),
    "disable that is no list": ({"disable": "a"}, "disable", "expected list, got str"),
    "a time that is none": (
        {"shutdown_timeout": "x"},
        "shutdown_timeout",
        "expected duration (seconds, or text",
    ),
    "an unknown backend": (
        {"backends": {"a": "memori"}},
        "backends.a.type",
        "unknown backend 'memori'; did you mean 'memory'? (installed: ",
    ),
    "an unknown processor": (
        {"processors": ["sampel"]},
        "processors[0].type",
        "unknown processor 'sampel'; did you mean 'sample'?",
    ),
    "an unknown provider": (
        {"context": ["proces"]},
        "context[0].type",
        "unknown context provider 'proces'; did you mean 'process'?",
    ),
    "a type a plugin has not": (
        {"backends": {"a": "testing.nothing"}},
        "backends.a.type",
        "plugin 'testing' has no backend 'testing.nothing' (it has: testing.composite",
    ),
    "an empty table": ({"backends": {"a": {}}}, "backends.a", "needs a type, or processors and"),
    "a router with options": (
        {"backends": {"a": {"backends": {}, "port": 1}}},
        "backends.a.port",
        "a router has no options (add a type to have some)",
    ),
    "a type that is no text": (
        {"backends": {"a": {"type": 5}}},
        "backends.a.type",
        "expected the type of a backend",
    ),
    "a type that is empty": (
        {"backends": {"a": {"type": ""}}},
        "backends.a.type",
        "unknown backend '' (installed: ",
    ),
    "a node that is no node": ({"backends": {"a": 5}}, "backends.a", "expected a backend, got int"),
    "a processor that is none": (
        {"processors": [5]},
        "processors[0]",
        "expected a processor, got int",
    ),
    "a missing option": ({"backends": {"a": "testing.strict"}}, "backends.a.host", "is required"),
    "an unknown option": (
        {"backends": {"a": {"type": "testing.strict", "host": "h", "x": 1}}},
        "backends.a.x",
        "unknown option (expected one of: host, port; on every node: accepts, delivery, ",
    ),
    "an option that is nearly one": (
        {"backends": {"a": {"type": "testing.strict", "host": "h", "prt": 1}}},
        "backends.a.prt",
        "unknown option; did you mean 'port'?",
    ),
    "an option of every backend that is nearly one": (
        {"backends": {"a": {"type": "memory", "deliver": "queue"}}},
        "backends.a.deliver",
        "unknown option; did you mean 'delivery'?",
    ),
    "an option of delivery beside it": (
        {"backends": {"a": {"type": "memory", "max_batch_size": 5}}},
        "backends.a.max_batch_size",
        "unknown option; did you mean 'delivery.max_batch_size'?",
    ),
    "a key of the top in a backend": (
        {"backends": {"a": {"type": "memory", "shutdown_timeout": 5}}},
        "backends.a.shutdown_timeout",
        "belongs at the top of the configuration",
    ),
    "a key of the top in a delivery": (
        {"backends": {"a": {"type": "memory", "delivery": {"mode": "queue", "telemetry": True}}}},
        "backends.a.delivery.telemetry",
        "belongs at the top of the configuration",
    ),
    "a key of the top in a router": (
        {"backends": {"a": {"backends": {}, "max_event_size": 5}}},
        "backends.a.max_event_size",
        "belongs at the top of the configuration",
    ),
    "an option of delivery at the top": (
        {"max_queue_size": 5},
        "max_queue_size",
        "belongs to a backend, in its table delivery",
    ),
    "an option of a router that is nearly one": (
        {"backends": {"a": {"backends": {}, "processor": []}}},
        "backends.a.processor",
        "unknown option; did you mean 'processors'?",
    ),
    "an option of a processor that is nearly one": (
        {"processors": [{"type": "sample", "rate": 1, "on_eror": "drop"}]},
        "processors[0].on_eror",
        "unknown option; did you mean 'on_error'?",
    ),
    "a switch of telemetry that is nearly one": (
        {"telemetry": {"span": True}},
        "telemetry.span",
        "unknown option; did you mean 'spans'?",
    ),
    "a name that is empty": (
        {"backends": {"": "memory"}},
        "backends",
        "the name of a backend must not be empty",
    ),
    "an option where there is none": (
        {"backends": {"a": {"type": "null", "a": 1}}},
        "backends.a.a",
        "unknown option (this type has no options; on every node: accepts, delivery, processors)",
    ),
    "backends where there are none": (
        {"backends": {"a": {"type": SHOWING, "backends": {}}}},
        "backends.a.backends",
        "this type takes none",
    ),
    "what a constructor refuses": (
        {"backends": {"a": {"type": "testing.strict", "host": "h", "port": -1}}},
        "backends.a.port",
        "must be positive",
    ),
    "deep in the tree": (
        {"backends": {"a": {"backends": {"b": {"processors": [{"type": "sample"}]}}}}},
        "backends.a.backends.b.processors[0].rate",
        "is required",
    ),
    "in what a type takes": (
        {
            "backends": {
                "a": {"type": "testing.composite", "processors": ["x"], "backends": {"b": "null"}}
            }
        },
        "backends.a.processors[0].type",
        "unknown processor 'x'",
    ),
    "on_error": (
        {"processors": [{"type": "sample", "rate": 1, "on_error": "stop"}]},
        "processors[0].on_error",
        "expected one of: continue, drop",
    ),
    "on_error of its own": (
        {"processors": [Careless()]},
        "processors[0]",
        "on_error of Careless must be continue or drop",
    ),
    "one name twice": (
        {"backends": {1: "null", "1": "null"}},
        "backends.1",
        "is the name of two backends",
    ),
    "a regular expression": (
        {
            "processors": [
                {"type": "regex_filter", "filter_type": "blocklist", "regular_expressions": ["("]}
            ]
        },
        "processors[0].regular_expressions[0]",
        "does not compile, at character 0",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_problem_says_where_it_is_and_what_to_do(what, problems):
    config, path, message = WRONG[what]
    ((found, said),) = problems(config)

    assert found == path
    assert said.startswith(message)


def test_all_problems_are_told_at_once_in_the_order_of_the_configuration(problems):
    config = {
        "context": ["nonsense"],
        "processors": ["nonsense", {"type": "sample", "rate": 2.0}],
        "backends": {
            "a": {"type": "testing.strict", "prt": 1, "port": "x"},
            "b": {"processors": ["nonsense"], "backends": {"c": "nonsense", "d": {}}},
        },
    }

    assert [path for path, _ in problems(config)] == [
        "context[0].type",
        "processors[0].type",
        "processors[1].rate",
        "backends.a.prt",
        "backends.a.port",
        "backends.a.host",
        "backends.b.processors[0].type",
        "backends.b.backends.c.type",
        "backends.b.backends.d",
    ]


@pytest.mark.parametrize("node", [{"backends": {}}, {"type": SHOWING}])
def test_unknown_options_are_told_in_their_order(node, problems):
    keys = [f"k{number}" for number in range(20)]
    found = problems({"backends": {"a": node | dict.fromkeys(keys, 1)}})

    assert [path.rpartition(".")[2] for path, _ in found] == keys


def test_the_message_names_the_file_and_counts(refused, tmp_path):
    file = tmp_path / "my.toml"
    file.write_text('a = 1\n[backends]\nb = "nonsense"\n')
    lines = refused(file).splitlines()

    assert lines[0] == "my.toml: 2 problems"
    assert [line[:4] for line in lines[1:]] == ["  a:", "  ba"]


def test_what_is_not_installed_says_how_to_get_it(problems):
    ((_, message),) = problems({"backends": {"a": "mongi"}})

    assert "did you mean 'mongo'?" in message


def test_a_disabled_plugin_cannot_be_named(problems, monkeypatch):
    expected = [("backends.a.type", "plugin 'testing' is disabled")]

    assert problems({"disable": ["testing"], "backends": {"a": SHOWING}}) == expected
    monkeypatch.setenv("EVENTTRACKING_DISABLE_PLUGINS", "other, testing")
    assert problems({"backends": {"a": SHOWING}}) == expected


def test_a_backend_keeps_its_name_also_where_that_has_dots(configured):
    tracker = configured({"backends": {"my.own.log": "memory"}})

    assert list(tracker.backends) == ["my.own.log"]
    assert [node["name"] for node in tracker.stats()["tree"]["backends"]] == ["my.own.log"]


def test_a_variable_that_is_not_set_is_one_problem(problems, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    config = {
        "processors": [{"type": "${NOT_SET}"}],
        "backends": {"a": {"type": "testing.strict", "host": "${NOT_SET}", "port": -1}},
        "shutdown_timeout": "${NOT_SET}",
    }

    assert [path for path, _ in problems(config)] == [
        "processors[0].type",
        "backends.a.host",
        "shutdown_timeout",
    ]
