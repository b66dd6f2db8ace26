"""The catalogue in the forms of other tools, held to those tools."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NODE = Path(__file__).with_name("node")
BROWSER = Path(__file__).parents[2] / "browser"

FIELDS = {
    "total": {"type": "integer", "description": "In cents; <b>never</b> | negative."},
    "buyer": {"type": "object|null"},
    "buyer.email": {"type": "string", "pii": "email"},
    "items": {"type": "array", "required": False},
    "items.sku": {"type": "string"},
    "size": {"type": "string", "enum": ("s", "m")},
    "odd-key": {"required": False},
}
EXAMPLE = {"total": 5, "buyer": {"email": "a@example.org"}, "size": "s", "items": [{"sku": "x"}]}


@pytest.fixture(scope="module")
def exported(tmp_path_factory, a_record, an_event):
    """Every export of one log, as text by form."""
    from click.testing import CliRunner

    from eventtracking_catalog.commands.export import export
    from eventtracking_core.registry import FieldDoc

    directory = tmp_path_factory.mktemp("exports")
    placed = a_record(
        fields=FIELDS,
        description="An order was placed.\n\nOnce only: {braces}, */ and `ticks`.",
        owner="sales",
        tags=("money",),
        examples=(EXAMPLE,),
        context_fields=(FieldDoc("user_id", type="integer", pii="id"),),
    )
    tree = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}},
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "below": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    "size": {"type": "integer"},
                },
            }
        },
    }
    left = a_record("shop/cart~left", deprecated="Use shop.cart.closed.", schema=tree)
    seen = json.dumps(an_event("seen.only", {"class": 1}))
    lines = [placed.to_line(), left.to_line(), seen]
    path = directory / "events.log"
    path.write_text("\n".join(lines) + "\n")

    def text(form, *args):
        result = CliRunner().invoke(export, [form, "--from", str(path), *map(str, args)])
        assert result.exit_code == 0, result.output
        return result.stdout

    found = {form: text(form) for form in ("asyncapi", "jsonschema", "markdown", "typescript")}
    found["python"] = text("python")
    text("eventcatalog", "-o", directory / "eventcatalog")
    found["directory"] = directory / "eventcatalog"
    return found


@pytest.fixture(scope="module")
def node():
    """Run node with what npm has installed for these tests."""
    linter = NODE / "node_modules" / "@eventcatalog"
    if shutil.which("node") is None or not linter.is_dir():
        pytest.skip(
            f"needs node, and `npm install --no-package-lock` in {NODE.parent.name}/{NODE.name}"
        )

    def node(*args):
        return subprocess.run(["node", *args], capture_output=True, timeout=100, check=False)

    return node


@pytest.fixture(scope="module")
def checked(exported, node, an_event, tmp_path_factory):
    """What npm's parser of AsyncAPI, Ajv and the compiler of TypeScript say."""
    directory = tmp_path_factory.mktemp("checked")
    events = [
        an_event(data=EXAMPLE),
        an_event(data={"total": "5"}),
        an_event("shop/cart~left", {"root": {"below": [{"size": 1}]}}),
        an_event("shop/cart~left", {"root": {"below": [{"size": "big"}]}}),
        an_event("any.other", {"total": "5"}),
        {"name": "no id"},
    ]
    (directory / "asyncapi.json").write_text(exported["asyncapi"])
    (directory / "jsonschema.json").write_text(exported["jsonschema"])
    (directory / "events.json").write_text(json.dumps(events))
    use = """
    const placed: Event<"shop.order.placed">["data"] =
      { total: 5, buyer: null, size: "s", items: [{ sku: "x" }] };
    export const total: number = placed.total;

    const tracker = new Tracker<Events>({ endpoint: "/e", key: "public-1" });
    tracker.emit("shop.order.placed", { total: 5, buyer: null, size: "s", items: [{ sku: "x" }] });
    // @ts-expect-error  a field has another type
    tracker.emit("shop.order.placed", { total: "5", buyer: null, size: "s", items: [] });
    // @ts-expect-error  a field is missing
    tracker.emit("shop.order.placed", { total: 5 });
    // @ts-expect-error  a field is unknown
    tracker.emit("shop.order.placed", { total: 5, buyer: null, size: "s", items: [], price: 1 });
    // @ts-expect-error  there is no such event
    tracker.emit("shop.order.lost", { total: 5 });
    """
    client = f'import {{ Tracker }} from "{BROWSER.as_posix()}/dist/types/index.js";\n'
    (directory / "events.ts").write_text(client + exported["typescript"] + use)
    ran = node(NODE / "check.js", directory)
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


def test_the_official_parser_takes_the_asyncapi_document(checked):
    assert checked["asyncapi"] == {
        "version": "3.1.0",
        "messages": ["seen.only", "shop.order.placed", "shop/cart~left"],
        "problems": [],
    }


def test_the_json_schema_finds_the_data_of_each_name(checked):
    assert checked["jsonschema"] == [True, False, True, False, True, False]


def test_the_compiler_checks_what_a_page_emits(checked):
    assert checked["typescript"] == []


def test_markdown_shows_descriptions_as_they_are(exported):
    page = exported["markdown"]
    assert r"In cents; &lt;b&gt;never&lt;/b&gt; \| negative." in page
    assert "| `buyer.email` | string | yes | email |  |" in page
    assert r"**Deprecated:** Use shop.cart.closed." in page


def test_eventcatalog_gets_a_page_and_a_schema_for_each_event(exported):
    files = {
        path.relative_to(exported["directory"]).as_posix()
        for path in exported["directory"].rglob("*")
        if path.is_file()
    }
    assert files == {
        "teams/sales.mdx",
        "teams/unowned.mdx",
        *(
            f"events/{name}/{file}"
            for name in ("SeenOnly", "ShopCartLeft", "ShopOrderPlaced")
            for file in ("index.mdx", "schema.json")
        ),
    }
    page = (exported["directory"] / "events/ShopOrderPlaced/index.mdx").read_text()
    head = dict(line.split(": ", 1) for line in page.split("---")[1].strip().splitlines())
    assert json.loads(head["name"]) == "shop.order.placed"
    assert r"\{braces\}" in page


def test_the_linter_of_eventcatalog_finds_no_error_in_its_files(exported, node):
    linter = NODE / "node_modules" / ".bin" / "eventcatalog-linter"
    ran = node(linter, exported["directory"])
    said = ran.stdout.decode() + ran.stderr.decode()
    assert ran.returncode == 0, said
    # EventCatalog would like to know who sends and who reads an event; a catalogue does not.
    assert said.count(" warning ") == said.count("no producer and no consumer")


def test_the_python_module_registers_the_same_event_types(exported, tmp_path):
    (tmp_path / "shop.py").write_text(exported["python"])
    program = (
        "import json, shop, eventtracking_core as et\n"
        "print(json.dumps([r.to_dict() for r in et.get_tracker().event_types]))"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    records = {record["name"]: record for record in json.loads(ran.stdout)}
    placed = records["shop.order.placed"]
    again = {field["name"]: field for field in placed["fields"]}
    assert records.keys() == {"shop.order.placed", "shop/cart~left", "seen.only"}
    assert placed["owner"] == "sales"
    assert placed["description"].endswith("*/ and `ticks`.")
    assert again["buyer.email"]["pii"] == "email"
    assert again["items"]["required"] is False
    assert again["size"]["enum"] == ["s", "m"]
    assert again["odd-key"]["required"] is False
    assert placed["context_fields"][0]["pii"] == "id"
    assert records["shop/cart~left"]["schema"]["properties"].keys() == {"root"}


def test_eventcatalog_needs_a_directory(run, log):
    ran = run("export", "eventcatalog", "--from", log())
    assert ran.code == 2
    assert "-o" in ran.err


SURROGATES = """
import eventtracking_core as et

et.register("edx.a.b", "Text \\ud800.", {"f\\udfff": "x"}, examples=[{"f": "\\ud800"}])
"""


@pytest.mark.once
def test_lone_surrogates_are_escaped_in_every_form(tmp_path):
    """A program of its own, since the module registers at the default tracker."""
    (tmp_path / "types_.py").write_text(SURROGATES)
    event = {"id": "1", "name": "\ud800", "timestamp": "2026-01-01T00:00:00Z", "context": {}}
    (tmp_path / "log.ndjson").write_text(json.dumps(event | {"data": {"\ud800": "\udfff"}}) + "\n")
    program = Path(sys.executable).with_name("eventtracking")
    sources = ["--from", "types_", "--from", "log.ndjson"]
    forms = ("asyncapi", "eventcatalog", "jsonschema", "markdown", "python", "typescript")
    for arguments in (
        *(["export", form, *sources, "-o", f"{form}.out"] for form in forms),
        ["catalog", "build", *sources, "-o", "site"],
    ):
        ran = subprocess.run(
            [program, *arguments], capture_output=True, check=False, cwd=tmp_path, text=True
        )
        assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), arguments
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(
        path.read_text(encoding="utf-8") for path in written if path.suffix not in {".png", ".pyc"}
    )
