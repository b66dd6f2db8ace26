"""What a log alone tells of its event types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from eventtracking_catalog.sources import collect_catalogue
from eventtracking_catalog.timeline import MAX_BUCKETS, Timeline

START = datetime(2026, 9, 12, tzinfo=UTC)


def entry_of(path, name="shop.order.placed"):
    return collect_catalogue([str(path)]).entries[name]


def fields_of(entry):
    return {row.doc.name: row.doc for row in entry.fields}


def test_fields_are_told_with_their_types_and_whether_they_are_always_there(log, an_event):
    path = log(
        an_event(data={"items": 2, "total": 3.5, "gift": None, "coupon": "X", "at": {"city": "Y"}}),
        an_event(data={"items": 1, "total": 3, "gift": True, "at": {"city": "Z", "zip": "1"}}),
    )
    entry = entry_of(path)
    fields = fields_of(entry)
    assert entry.timeline.total == 2
    assert {name: doc.type for name, doc in fields.items()} == {
        "at": "object",
        "at.city": "string",
        "at.zip": "string",
        "coupon": "string",
        "gift": "boolean|null",
        "items": "integer",
        "total": "number",
    }
    assert {name for name, doc in fields.items() if not doc.required} == {"at.zip", "coupon"}
    assert {row.doc.name: row.share for row in entry.fields}["coupon"] == 0.5


def test_keys_that_are_values_are_no_fields(log, an_event):
    answers = {f"i4x_{number:08x}_2_1": "choice" for number in range(3)}
    assert set(fields_of(entry_of(log(an_event(data={"answers": answers}))))) == {"answers"}


def test_few_words_are_choices_only_where_they_were_seen_often(log, an_event):
    def events(number):
        sizes = ("small", "large")
        return [an_event(data={"size": sizes[n % 2], "note": f"n {n}"}) for n in range(number)]

    assert fields_of(entry_of(log(*events(4))))["size"].enum == ()
    fields = fields_of(entry_of(log(*events(24))))
    assert fields["size"].enum == ("large", "small")
    assert fields["note"].enum == ()


def test_what_is_personal_by_its_name_is_told_and_masked_in_samples(log, an_event):
    path = log(an_event(data={"buyer": {"email": "ada@example.org"}}, context={"ip": "192.0.2.9"}))
    entry = entry_of(path)
    [sample] = entry.samples
    assert entry.classes == ("email", "ip")
    assert sample.data == {"buyer": {"email": "‹email›"}}  # noqa: RUF001
    assert sample.context == {"ip": "‹ip›"}  # noqa: RUF001


def test_what_a_record_says_is_personal_is_masked_whatever_its_name(log, an_event, a_record):
    record = a_record(fields={"nick": {"pii": "name"}, "user_id": {"pii": None}})
    path = log(record, an_event(data={"nick": "ada", "user_id": "shared"}))
    [sample] = entry_of(path).samples
    assert sample.data == {"nick": "‹name›", "user_id": "shared"}  # noqa: RUF001


def test_a_log_documents_itself(log, an_event, a_record):
    old = a_record(fields={"total": {"type": "integer"}}, at=1)
    new = a_record(fields={"total": {"type": "number", "description": "In cents."}}, at=2)
    entry = entry_of(log(old, an_event(name_id=old.id), new, an_event(name_id=new.id)))
    assert entry.versions == (old, new)
    assert fields_of(entry)["total"].description == "In cents."


def test_fields_that_nobody_documented_follow_those_that_are(log, an_event, a_record):
    record = a_record(fields={"total": {}})
    entry = entry_of(log(record, an_event(data={"total": 1, "extra": 2})))
    assert [(row.doc.name, row.documented) for row in entry.fields] == [
        ("total", True),
        ("extra", False),
    ]


def test_lines_that_are_no_events_are_counted(log, an_event):
    assert collect_catalogue([str(log("no event", an_event(), "{"))]).rejected == 2


def test_the_contexts_of_an_event_are_found_by_its_composed_id(log, an_event, a_record):
    from eventtracking_catalog.site.views import contexts_of

    request = a_record("request", kind="context")
    user = a_record("user", kind="context")
    both = a_record("request+user", kind="composed", members=(request.id, user.id))
    catalogue = collect_catalogue(
        [str(log(request, user, both, an_event(context_type_id=both.id)))]
    )
    assert contexts_of(catalogue, catalogue.entries["shop.order.placed"]) == ["request", "user"]


@given(
    st.lists(
        st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)),
        min_size=1,
        max_size=700,
    )
)
def test_a_timeline_is_bounded_and_loses_no_event(moments):
    timeline = Timeline()
    for moment in moments:
        timeline.add(START + moment)
    assert timeline.total == len(moments)
    assert sum(timeline.bars(timeline.first, timeline.last, 48)) == len(moments)
    fine = timeline.bars(timeline.first, timeline.last, 100_000)
    assert sum(1 for bar in fine if bar) <= MAX_BUCKETS
