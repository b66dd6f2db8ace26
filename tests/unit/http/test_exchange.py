"""Batches that are split into requests."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.http.exchange import split

texts = st.dictionaries(st.integers(0, 99), st.binary(max_size=12), max_size=30)


@given(texts=texts, size=st.integers(1, 40), count=st.integers(1, 8))
def test_each_event_is_in_one_request_in_its_turn_and_only_one_alone_is_too_large(
    texts, size, count
):
    parts = list(split(texts, size=size, count=count))
    assert [index for part in parts for index in part] == list(texts)
    for part in parts:
        assert 1 <= len(part) <= count
        assert len(part) == 1 or sum(len(texts[index]) + 1 for index in part) <= size


@given(texts=texts, size=st.integers(1, 40), count=st.integers(1, 8))
def test_a_request_is_as_full_as_it_may_be(texts, size, count):
    parts = list(split(texts, size=size, count=count))
    for part, following in pairwise(parts):
        taken = sum(len(texts[index]) + 1 for index in (*part, following[0]))
        assert len(part) == count or taken > size
