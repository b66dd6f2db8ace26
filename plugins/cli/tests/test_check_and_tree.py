"""`eventtracking check`, `tree` and `schema`: what a configuration has, and its problems."""

from __future__ import annotations

import json
import os

import pytest

from eventtracking_core import EventType
from eventtracking_core.registry import FieldDoc

ROUTED = """
    context = ["process", { type = "static", values = { service = "lms" } }]
    processors = [{ type = "regex_filter", filter_type = "blocklist", regular_expressions = [] }]
    [backends.course]
    processors = [{ type = "redact", fields = ["context.ip"] }]
    [backends.course.backends.store]
    type = "sqlite"
    path = "events.db"
    [backends.nowhere]
    type = "null"
"""

WRONG = """
    contexts = []
    processors = [{ type = "regex_filter", filter_type = "some", regular_expressions = ["("] }]
    [backends.a]
    type = "sqlit"
    [backends.b]
    type = "sqlite"
    pth = "hunter2"
"""


def test_a_good_configuration_is_ok_and_nothing_is_opened(run, config, tmp_path):
    ran = run("check", config(ROUTED))
    assert ran.code == 0
    assert ran.out == (
        "et.toml: ok (2 context providers; 2 backends: store (sqlite), nowhere (null))\n"
    )
    assert not (tmp_path / "events.db").exists()


def test_every_problem_is_printed_with_its_path_and_no_value(run, config):
    ran = run("check", config(WRONG))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("et.toml: 6 problems\n")
    paths = [line.split(":")[0].strip() for line in ran.err.splitlines()[1:]]
    assert paths == [
        "contexts",
        "processors[0].filter_type",
        "processors[0].regular_expressions[0]",
        "backends.a.type",
        "backends.b.pth",
        "backends.b.path",
    ]
    assert "did you mean 'sqlite'?" in ran.err
    assert "hunter2" not in ran.err


def test_problems_come_as_json_too(run, config):
    ran = run("check", config(WRONG), "--json")
    assert ran.code == 1
    assert ran.json["ok"] is False
    assert ran.json["problems"][0]["path"] == "contexts"
    assert run("check", config(ROUTED), "--json").json == {
        "source": "et.toml",
        "ok": True,
        "problems": [],
        "warnings": [],
    }


@pytest.mark.parametrize("verb", ["check", "tree"])
def test_without_a_file_the_environment_says_which(run, config, monkeypatch, verb):
    monkeypatch.setenv("EVENTTRACKING_CONFIG_FILE", str(config(ROUTED)))
    ran = run(verb)
    assert ran.code == 0
    assert "et.toml" in ran.out


@pytest.mark.parametrize("verb", ["check", "tree"])
def test_a_configuration_that_cannot_be_read_is_a_line_not_a_traceback(run, tmp_path, verb):
    (tmp_path / "broken.toml").write_text("[backends")
    for file, reason in (
        ("missing.toml", "No such file"),
        ("broken.toml", "not well-formed"),
        (tmp_path, "is a directory"),
    ):
        ran = run(verb, file)
        assert ran.code == 1
        assert reason in ran.err
        assert "Traceback" not in ran.err


def test_the_tree_is_drawn(run, config):
    lines = run("tree", config(ROUTED)).out.splitlines()
    assert [line.rstrip() for line in lines] == [
        "context: process, static",
        "et.toml",
        "├── ▸ regex_filter",
        "├── course  router",
        "│   ├── ▸ redact",
        "│   └── store  sqlite, inline",
        "└── nowhere  null, inline",
    ]


def test_the_tree_comes_as_json_too(run, config):
    ran = run("tree", config(ROUTED), "--json").json
    assert ran["context"] == ["process", "static"]
    assert ran["tree"]["processors"] == ["regex_filter"]
    course, nowhere = ran["tree"]["backends"]
    assert nowhere == {"name": "nowhere", "type": "null", "delivery": "inline"}
    assert course["backends"][0]["type"] == "sqlite"


def test_names_in_a_configuration_cannot_act_on_the_terminal(run, config):
    text = '[backends."[red]\\u001b[31mx"]\ntype = "null"\n'
    out = run("tree", config(text)).out
    assert "[red]\\x1b[31mx" in out
    assert "\x1b" not in out


def test_the_schema_knows_the_installed_components(run):
    ran = run("schema")
    assert ran.code == 0
    assert ran.json["$schema"].endswith("2020-12/schema")
    assert "sqlite" in ran.json["$defs"]["backend"]["anyOf"][0]["enum"]


def test_the_schema_for_a_backend_is_what_creates_its_tables(run, tmp_path):
    assert "CREATE TABLE IF NOT EXISTS `events` (" in run("schema", "--for", "clickhouse").out
    config = tmp_path / "tracking.toml"
    config.write_text(
        '[backends.one]\ntype = "clickhouse"\ntable = "analytics.shop"\n'
        '[backends.two]\ntype = "clickhouse"\ntable = "other"\n'
    )
    ran = run("schema", "--for", "clickhouse", "--config", config)
    assert ran.code == 0
    assert "`analytics`.`shop` (" in ran.out
    assert "`analytics`.`event_types` (" in ran.out
    assert "`other` (" in ran.out


def test_the_schema_for_a_backend_has_the_event_types_of_a_source(run, tmp_path):
    log = tmp_path / "events.ndjson"
    record = EventType(name="shop.placed", fields=(FieldDoc("sku", type="string"),))
    log.write_text(json.dumps({"event_type": record.to_dict()}) + "\n")
    ran = run("schema", "--for", "clickhouse", "--from", log)
    assert ran.code == 0
    assert "CREATE TABLE IF NOT EXISTS `events_shop.placed` (" in ran.out
    assert "ADD COLUMN IF NOT EXISTS data_sku Nullable(String)" in ran.out
    assert run("schema", "--from", log).code == 2


@pytest.mark.parametrize(
    ("kind", "said"), [("memory", "has no tables to be created"), ("clikhouse", "clickhouse")]
)
def test_a_backend_without_tables_has_no_schema(run, kind, said):
    ran = run("schema", "--for", kind)
    assert ran.code
    assert said in ran.err


@pytest.mark.once
def test_the_schema_leaves_out_a_plugin_that_fails_and_names_it(program, plugin):
    plugin("broken", "raise RuntimeError('no licence')")
    ran = program("schema")
    assert ran.code == 0
    assert "eventtracking-broken 1.2" in ran.err
    assert "broken" not in ran.out


DOUBTFUL = """
    [backends.directory]
    type = "sqlite"
    path = "."
    [backends.segment]
    type = "segment"
    processors = [{ type = "redact", fields = ["context.ip"] }]
    [backends.keyed]
    type = "segment"
    write_key = "$SEGMENT_KEY"
    [backends.one]
    type = "file"
    path = "events.ndjson"
    [backends.branch.backends.two]
    type = "file"
    path = "./events.ndjson"
    [backends.below]
    type = "file"
    path = "et.toml/events.ndjson"
    [backends.home]
    type = "file"
    path = "$HOME/home.ndjson"
    [backends.dash]
    type = "file"
    path = "${DATA-DIR}/dash.ndjson"
    [backends.set]
    type = "file"
    path = "${OF_THE_TEST}"
    [backends.waits]
    type = "file"
    path = "waits.ndjson"
    delivery = { max_queue_size = 5 }
    [backends.queued]
    type = "file"
    path = "queued.ndjson"
    delivery = { mode = "queue", max_queue_size = 5 }
    [backends.shared]
    delivery = { max_queue_size = 5 }
    backends.a = { type = "file", path = "a.ndjson" }
"""


FIRST = "backends.one.path"
UNLESS = "the application sets segment.analytics.write_key"
PLAIN = "is taken as it stands: a variable is written ${NAME}"


def test_what_will_not_deliver_is_warned_of(run, config, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_THE_TEST", "${as it is}")
    ran = run("check", config(DOUBTFUL))
    assert ran.code == 0
    assert {tuple(line.split(": ", 2)[1:]) for line in ran.err.splitlines()} == {
        ("backends.below.path", "lies below a file, not a directory"),
        ("backends.branch.backends.two.path", "is the file of another backend too: " + FIRST),
        ("backends.directory.path", "is a directory: name a file"),
        ("backends.keyed.write_key", PLAIN),
        ("backends.home.path", PLAIN),
        ("backends.dash.path", PLAIN),
        ("backends.waits.delivery", "has no effect on inline delivery: set mode to queue or spool"),
        ("backends.segment", "has no write_key: nothing is delivered unless " + UNLESS),
    }


EFFECTLESS = [
    ("EVENTTRACKING_DISABLE", "1", "unknown variable; did you mean 'EVENTTRACKING_DISABLED'?"),
    ("EVENTTRACKING_MAX_QUEUE_SIZ", "5", "did you mean 'EVENTTRACKING_MAX_QUEUE_SIZE'?"),
    ("EVENTTRACKING_DISABLED", "ture", "has no effect: expected one of: 1, true, yes, on, "),
    ("EVENTTRACKING_STACK_TRACES", "none", "has no effect: expected one of: 1, true, "),
]


@pytest.mark.parametrize(("name", "value", "warning"), EFFECTLESS)
def test_a_variable_that_has_no_effect_is_warned_of(program, config, name, value, warning):
    ran = program("check", config('[backends]\na = "memory"\n'), env={**os.environ, name: value})
    assert ran.code == 0
    assert ran.err.startswith(f"warning: {name}: ")
    assert warning in ran.err


DISABLED = [
    ("kafak", "unknown plugin; did you mean 'kafka'? (known: "),
    ("otel.baggage", "unknown plugin; did you mean 'otel'? (known: "),
    ("memory", "is built in, not a plugin: it cannot be disabled"),
    ("nothing-like-it", "unknown plugin; (known: "),
]


@pytest.mark.parametrize(("name", "warning"), DISABLED)
def test_a_name_that_disables_no_plugin_is_warned_of(run, config, monkeypatch, name, warning):
    backends = '[backends]\na = "memory"\n'
    monkeypatch.setenv("EVENTTRACKING_DISABLE_PLUGINS", f"segment, {name}")
    ran = run("check", config(f'disable = ["sqlite", "{name}"]\n{backends}'))
    assert ran.code == 0
    first, second = ran.err.splitlines()
    assert first.startswith(f"warning: EVENTTRACKING_DISABLE_PLUGINS: {warning}")
    assert second.startswith(f"warning: disable[1]: {warning}")


@pytest.mark.parametrize("name", ["EVENTTRACKING_DISABLED", "EVENTTRACKING_OF_THE_APPLICATION"])
def test_a_variable_that_is_as_it_should_be_is_not_warned_of(program, config, name):
    assert not program(
        "check", config('[backends]\na = "memory"\n'), env={**os.environ, name: " Off "}
    ).err


def test_warnings_come_as_json_too(run, config):
    ran = run("check", config(""), "--json")
    assert (ran.code, ran.json["ok"]) == (0, True)
    assert ran.json["warnings"] == [
        {"path": "", "message": "there is no backend: events go nowhere"}
    ]


def test_the_configuration_may_be_an_option(run, config):
    assert run("check", "--config", config(ROUTED)).code == 0


TYPES = """
import eventtracking_core as et

et.register("quiz.opened", "A quiz was opened.", {"mail": et.FieldDoc("mail", pii="email")})
"""


def test_what_a_branch_accepts_is_checked_against_the_types_of_a_module(program, config, tmp_path):
    (tmp_path / "quiz_types.py").write_text(TYPES)
    text = '[backends.partner]\naccepts = ["id"]\nbackends.memory = "memory"\n'
    file = config(text)
    ran = program("check", file, "--types", "quiz_types")
    assert ran.code == 1
    assert "backends.partner.accepts: registered types would bring email here" in ran.err
    assert (
        program("check", config(text.replace('"id"', '"email"')), "--types", "quiz_types").code == 0
    )
    assert "nothing cannot be imported" in program("check", file, "--types", "nothing").err


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("raise SystemExit(0)", "careless cannot be imported: SystemExit"),
        ("raise ValueError('hunter2')", "careless cannot be imported: ValueError"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_without_its_secrets(
    program, config, tmp_path, source, says
):
    (tmp_path / "careless.py").write_text(source)
    file = config('[backends]\na = "memory"\n')
    for words in (("check", file, "--types", "careless"), ("migrate", "careless")):
        ran = program(*words)
        assert ran.code
        assert says in ran.err
        assert "hunter2" not in ran.err
        assert "Traceback" not in ran.err


@pytest.mark.once
@pytest.mark.parametrize("path", ["a\\u0000b", "~nobody_of_that_name/x", "a\\ud800b", "x" * 5000])
def test_a_path_that_is_none_is_no_traceback(program, config, path):
    text = f'{{"backends": {{"a": {{"type": "sqlite", "path": "{path}"}}}}}}'
    ran = program("check", config(text, "et.json"))
    assert "Traceback" not in ran.err
    assert ran.code in {0, 1}
