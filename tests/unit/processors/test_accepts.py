"""Branches that say which personal data they accept."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import encode_json

EMAIL = "ann@example.org"
KEY = "0123456789abcdef0123456789abcdef"
FIELDS = {
    "user": et.FieldDoc("", pii="id"),
    "email": et.FieldDoc("", pii="email"),
    "n": "A number.",
}
KEEPING_IN = {
    "redact": {"type": "redact", "pii": ["email"]},
    "redact, by name": {"type": "redact", "fields": ["data.email"]},
    "drop_pii": {"type": "drop_pii", "classes": ["email"]},
    "drop_pii, all": "drop_pii",
    "pseudonymize": {"type": "pseudonymize", "pii": ["email"], "key": KEY},
    "truncate_ip": {"type": "truncate_ip", "pii": ["email"]},
}


def branching(*processors, accepts=("id",), above=(), **partner):
    """Return a configuration with a branch of everything, and one that does not accept it."""
    branch = {"processors": list(processors), "accepts": list(accepts), **partner}
    branch["backends"] = {"memory": "memory"}
    return {"processors": list(above), "backends": {"all": "memory", "partner": branch}}


def branches(tracker):
    """Return the data that came to the branch of everything, and to the other one."""
    partner = tracker.get_backend("partner").backends["memory"]
    backends = (tracker.get_backend("all"), partner)
    return [[event["data"] for event in backend.events] for backend in backends]


def test_a_tree_that_would_bring_what_is_not_accepted_is_refused():
    tracker = et.Tracker()
    tracker.register("a.b", "", FIELDS)
    with pytest.raises(et.ConfigurationError) as refused:
        tracker.configure(branching(accepts=[]))

    [problem] = refused.value.problems
    assert problem.path == "backends.partner.accepts"
    assert "email, id" in problem.message
    assert tracker.backends == {}


def test_what_contexts_hold_counts():
    tracker = et.Tracker()
    tracker.event_types.describe_context("request", "", {"ip": et.FieldDoc("", pii="ip")})
    with pytest.raises(et.ConfigurationError, match="would bring ip here"):
        tracker.configure(branching())


@pytest.mark.parametrize("where", ["above", "beside"])
@pytest.mark.parametrize("name", KEEPING_IN)
def test_a_tree_that_keeps_it_in_is_not(name, where):
    tracker = et.Tracker()
    tracker.register("a.b", "", FIELDS)
    node = KEEPING_IN[name]
    config = branching(node) if where == "beside" else branching(above=[node])
    tracker.configure(config)
    tracker.emit("a.b", {"email": EMAIL, "n": 1})

    everything, partners = branches(tracker)
    assert (EMAIL in str(everything)) is (where == "beside")
    assert partners[0]["n"] == 1
    assert EMAIL not in str(partners)


def test_a_processor_that_may_be_passed_keeps_nothing_in():
    tracker = et.Tracker()
    tracker.register("a.b", "", FIELDS)
    with pytest.raises(et.ConfigurationError, match="would bring email here"):
        tracker.configure(branching({**KEEPING_IN["redact"], "on_error": "continue"}))


def test_a_processor_of_another_branch_keeps_nothing_in():
    tracker = et.Tracker()
    tracker.register("a.b", "", FIELDS)
    config = branching()
    config["backends"]["other"] = {"processors": ["drop_pii"], "backends": {"memory": "memory"}}
    with pytest.raises(et.ConfigurationError, match="would bring email here"):
        tracker.configure(config)


def test_a_custom_processor_may_mask_a_class():
    class Forget:
        on_error = "drop"

        def masks(self, field, pii_class):
            return (field, pii_class) == (("data", "email"), "email")

        def __call__(self, event):
            return {**event, "data": {}}

    tracker = et.Tracker()
    tracker.register("a.b", "", FIELDS)
    tracker.configure(branching(Forget()))
    tracker.emit("a.b", {"email": EMAIL})

    assert branches(tracker) == [[{"email": EMAIL}], [{}]]


def test_an_event_of_a_type_that_comes_later_is_dropped_from_that_branch_alone(caplog):
    tracker = et.Tracker()
    tracker.configure(branching())
    tracker.register("late.type", "", FIELDS)
    with caplog.at_level(logging.ERROR, "eventtracking"):
        tracker.emit("late.type", {"email": EMAIL})
    tracker.emit("late.type", {"email": None, "user": "ann"})
    tracker.emit("late.type", {"n": 1})

    everything, partners = branches(tracker)
    assert len(everything) == 3
    assert partners == [{"email": None, "user": "ann"}, {"n": 1}]
    _, node = tracker.stats()["tree"]["backends"]
    assert node["dropped"] == {"pii": 1}
    assert "data.email is of a class that is not accepted" in caplog.text
    assert EMAIL not in caplog.text


def test_an_event_of_unknown_type_is_dropped():
    tracker = et.Tracker()
    tracker.configure(branching("drop_pii", accepts=[]))
    tracker.emit("unregistered.type", {"n": 1})
    passing = {"type": "drop_pii", "unclassified": "pass"}
    tracker.configure(branching(passing, accepts=[]))
    tracker.emit("unregistered.type", {"n": 1})

    assert branches(tracker) == [[{"n": 1}], []]


@pytest.mark.parametrize(
    ("node", "path", "message"),
    [
        ({"type": "memory", "accepts": "id"}, "accepts", "expected list"),
        ({"backends": {}, "accepts": "id"}, "accepts", "expected list"),
        ({"backends": {}, "accepts": [1]}, "accepts[0]", "expected str"),
        ({"accepts": ["id"]}, "", "needs a type, or processors and backends"),
    ],
)
def test_what_is_no_list_of_classes_of_a_router_is_refused(node, path, message, refused):
    assert f"backends.a{path and '.'}{path}: {message}" in refused({"backends": {"a": node}})


CLASSES = ["id", "email", "ip"]
NAMES = st.sampled_from(["a", "b", "a.b", "b.a", "a.b.a"])
DECLARED = st.dictionaries(NAMES, st.sampled_from([*CLASSES, None]), max_size=4)
TREES = st.dictionaries(
    st.sampled_from(["a", "b", "a.b"]),
    st.recursive(
        st.none(),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=3,
)
SOME = st.lists(st.sampled_from(CLASSES), unique=True)
ANY_PROCESSORS = st.lists(
    st.builds(lambda pii: {"type": "redact", "pii": pii or ["id"]}, SOME)
    | st.builds(lambda pii: {"type": "truncate_ip", "pii": pii}, SOME)
    | st.builds(lambda pii: {"type": "drop_pii", "classes": pii or ["ip"]}, SOME)
    | st.builds(lambda pii: {"type": "pseudonymize", "pii": pii or ["id"], "key": KEY}, SOME)
    | st.builds(lambda name: {"type": "redact", "fields": [f"data.{name}"]}, NAMES),
    max_size=2,
)


def filled(tree, path, secrets):
    """Return a tree with a secret at each end, and note the path of each."""
    if isinstance(tree, dict):
        return {key: filled(item, (*path, key), secrets) for key, item in tree.items()}
    if isinstance(tree, list):
        return [filled(item, path, secrets) for item in tree]
    secret = f"secret-{len(secrets)}-"
    secrets[secret] = ".".join(path)
    return secret


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    declared=DECLARED,
    parts=st.tuples(TREES, TREES),
    nodes=st.tuples(ANY_PROCESSORS, ANY_PROCESSORS),
    accepts=SOME,
    is_late=st.booleans(),
)
def test_no_value_of_a_class_that_is_not_accepted_ever_leaves(
    declared, parts, nodes, accepts, is_late
):
    tracker, partner = et.Tracker(), MemoryBackend()
    docs = {name: et.FieldDoc(name, pii=kind) for name, kind in declared.items()}
    above, beside = nodes
    config = branching(*beside, accepts=accepts, above=above)
    config["backends"]["partner"]["backends"] = {"memory": partner}
    if not is_late:
        tracker.register("a.b", "", docs, docs)
    refused = []
    try:
        tracker.configure(config)
    except et.ConfigurationError as error:
        refused = [path for path, _ in error.problems]
    assert refused in ([], ["backends.partner.accepts"])
    if refused:
        assert not is_late
        return
    tracker.register("a.b", "", docs, docs)
    secrets = {}
    data, context = (filled(part, (), secrets) for part in parts)
    with tracker.context(context):
        tracker.emit("a.b", data)

    left = b"".join(map(encode_json, partner.events)).decode()
    for secret, path in secrets.items():
        classes = {kind for name, kind in declared.items() if f"{path}.".startswith(f"{name}.")}
        if classes - {None, *accepts}:
            assert secret not in left
