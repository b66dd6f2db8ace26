"""Contexts that a server hands to the page's tracker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import django
import jinja2
from django.conf import settings
from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

from eventtracking_core.encoding import normalize
from eventtracking_web import page_contexts


class Reader(HTMLParser):
    """Reads a page with one element as a browser does."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.text = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data!r}")


dangerous = st.sampled_from(
    ["</script>", "</SCRIPT >", "<!--", "<script>", "]]>", "&lt;", "\u2028", "\u2029", '"', "\\"]
)
texts = st.lists(dangerous | st.text(), max_size=4).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@given(
    contexts=st.dictionaries(texts, st.dictionaries(texts, values, max_size=3), max_size=3),
    nonce=texts,
)
def test_nothing_gets_out_of_the_element(contexts, nonce):
    element = page_contexts(contexts, nonce=nonce)
    inside = element.partition(">")[2].removesuffix("</script>")
    assert inside.isascii()
    assert not {"<", ">", "&"}.intersection(inside)
    read = Reader(element)
    [(tag, attributes), end] = read.tags
    assert (tag, end, attributes["type"]) == ("script", "script", "application/json")
    assert attributes.keys() == {"type", "id", "nonce"} if nonce else {"type", "id"}
    assert json.loads(read.text) == normalize(contexts)


def test_a_value_that_is_not_json_becomes_text():
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    element = page_contexts({"page": {"opened": moment}})
    assert json.loads(Reader(element).text)["page"]["opened"].startswith("2026-11-28")


def test_the_trace_is_added_within_a_span():
    context = trace.SpanContext(trace_id=0xABC, span_id=1, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        element = page_contexts({"user": {"plan": "free"}})
    assert json.loads(Reader(element).text) == {
        "trace": {"trace_id": f"{0xABC:032x}"},
        "user": {"plan": "free"},
    }


def test_templates_of_jinja_and_django_take_it_as_it_is():
    element = page_contexts({"page": {"title": "</script>"}}, nonce="n")
    in_jinja = jinja2.Environment(autoescape=True).from_string("{{ contexts }}")
    assert in_jinja.render(contexts=element) == element
    if not settings.configured:
        settings.configure()
        django.setup()
    in_django = Engine().from_string("{{ contexts }}")
    assert in_django.render(Context({"contexts": element})) == element
