"""The site's files: whole, escaped, and closed to the world."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_catalog.site import pages
from eventtracking_catalog.site.views import slugs, tokens
from eventtracking_catalog.sources import collect_catalogue

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> & \"quoted\" 'text' {{ 7 * 7 }}"


class Elements(HTMLParser):
    """Collects what a page links to, its text, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.ids, self.text = [], [], [], []
        self.handlers = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
            if key in {"href", "src"}:
                self.links.append(value)
            if key == "id":
                self.ids.append(value)
            if key.startswith("on") or key == "style":
                self.handlers.append(key)

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def site(log, an_event, a_record):
    """The files of a site whose every text is markup."""
    from eventtracking_core.registry import FieldDoc

    context = a_record(MARKUP, {MARKUP: {"description": MARKUP}}, kind="context", at=3)
    old = a_record(MARKUP, description="It was.")
    new = a_record(
        MARKUP,
        {"total": {"description": MARKUP, "enum": (MARKUP,)}},
        at=2,
        where=MARKUP,
        description=MARKUP,
        owner=MARKUP,
        tags=(MARKUP,),
        deprecated=MARKUP,
        context_fields=(FieldDoc(MARKUP, MARKUP),),
    )
    event = an_event(MARKUP, {"total": MARKUP}, {MARKUP: MARKUP})
    return dict(pages(collect_catalogue([str(log(context, old, new, event, an_event("a.b")))])))


def html(site):
    return {name: Elements(content.decode()) for name, content in site.items() if ".html" in name}


def test_markup_stays_text(site):
    for name, page in html(site).items():
        assert page.tags.count("script") == 2, name  # its own two
        assert "img" not in page.tags
        assert page.handlers == []
    [event_page] = [page for name, page in html(site).items() if "script" in name]
    assert "".join(event_page.text).count(MARKUP) >= 5


def test_nothing_comes_from_elsewhere_and_every_link_leads_somewhere(site):
    found = html(site)
    for name, page in found.items():
        assert page.links
        for link in page.links:
            target, _, anchor = urljoin(name, link).partition("#")
            assert ":" not in link
            assert target in site, (name, link)
            if anchor:
                assert anchor in found[target].ids


def test_every_page_forbids_all_but_its_own_files(site):
    policy = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]+)"')
    for name, content in site.items():
        if name.endswith(".html"):
            [said] = policy.findall(content)
            assert b"default-src &#39;none&#39;" in said
            assert b"unsafe" not in said
            assert b"http" not in said


def test_the_search_index_is_a_script_of_plain_data(site):
    text = site["static/index.js"].decode()
    entries = json.loads(text.removeprefix("window.catalogIndex = ").removesuffix(";\n"))
    assert {entry["t"] for entry in entries} == {MARKUP, "a.b"}
    assert all(entry["u"].partition("#")[0] in site for entry in entries)


def test_versions_tell_what_changed(site):
    [page] = [page for name, page in html(site).items() if "script" in name]
    text = " ".join(" ".join(page.text).split())
    assert "total added, required: any type" in text
    assert "description reworded" in text
    assert "the first one known" in text


def test_a_field_documented_without_a_type_has_the_one_that_was_observed(log, an_event, a_record):
    record = a_record("a.b", {"n": {"description": "A number."}, "m": {"description": "None yet."}})
    catalogue = collect_catalogue([str(log(record, an_event("a.b", {"n": 1})))])
    assert {field.doc.name: field.type for field in catalogue.entries["a.b"].fields} == {
        "n": "integer",
        "m": "any",
    }


def test_a_catalogue_of_nothing_is_a_site_too(log):
    site = dict(pages(collect_catalogue([str(log())])))
    assert "There are no event types here yet." in site["index.html"].decode()


def test_the_routing_tree_is_drawn(run, log, an_event, tmp_path):
    config = tmp_path / "et.toml"
    config.write_text(
        '[backends.course]\nprocessors = [{ type = "redact", fields = ["context.ip"] }]\n'
        '[backends.course.backends.log]\ntype = "file"\npath = "e.log"\n'
        '[backends.rest]\ntype = "null"\n'
    )
    ran = run("catalog", "build", "--from", log(an_event()), "--config", config, "-o", tmp_path)
    assert ran.code == 0, ran.err
    page = Elements((tmp_path / "routing.html").read_text())
    for text in ("course", "▸ redact", "log", "file, inline", "rest", "null, inline"):
        assert text in page.text
    assert page.tags.count("path") >= 3


def test_code_is_scanned_for_the_lines_that_emit(program, module):
    module(
        """
        from eventtracking_core import event

        @event("shop.order.placed")
        class Placed:
            "An order was placed."
            total: int
        """
    )
    module(
        """
        import eventtracking_core as et
        from events import Placed

        class Shop:
            def buy(self):
                et.emit(Placed(total=1))

        def leave():
            et.emit("shop.cart.left", {})
        """,
        name="shop.py",
    )
    ran = program("catalog", "build", "--from", "events", "-o", "site")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == "site/index.html"
    ran = program("export", "markdown", "--from", "events")
    assert "Emitted by: `shop.py:7`" in ran.out
    assert "Emitted by: `shop.py:10`" in ran.out
    assert "An order was placed." in ran.out


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("no/such/file.log", "no such file, and no name of a module"),
        ("no_such_module", "no_such_module: no such file or module"),
        ("events.py", "name the module, not its file: events"),
    ],
)
def test_a_source_that_is_none_is_one_line(program, module, source, says):
    module("")
    ran = program("catalog", "build", "--from", source, "-o", "site")
    assert ran.code == 1
    assert says in ran.err
    assert ran.err.count("\n") == 1


TWICE = ("notes.txt", "notes.txt")


def test_a_log_without_an_event_makes_no_catalogue(program, tmp_path):
    (tmp_path / "notes.txt").write_text("one\ntwo\n")
    ran = program("catalog", "build", "--from", "notes.txt", "-o", "site")
    assert (ran.code, ran.err) == (1, "Error: notes.txt: 2 lines read, and none is an event\n")
    assert not (tmp_path / "site").exists()
    for words in (("export", "python", "--from", "notes.txt"), ("catalog", "diff", *TWICE)):
        ran = program(*words)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == "Error: notes.txt: 2 lines read, and none is an event\n"


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=20))
def test_every_name_has_a_page_of_its_own(names):
    found = slugs(dict.fromkeys(names))
    assert len({slug.lower() for slug in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", slug) for slug in found.values())


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_highlighting_changes_no_character(value):
    text = "".join(part for _, part in tokens(value))
    assert json.loads(text) == value


def test_the_program_has_the_commands():
    program = Path(sysconfig.get_path("scripts"), "eventtracking")
    ran = subprocess.run([program, "catalog", "--help"], capture_output=True, check=True)
    for verb in (b"build", b"diff", b"serve"):
        assert verb in ran.stdout
