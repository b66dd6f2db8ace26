"""One event of a batch that cannot be encoded fails alone."""

from __future__ import annotations

import pytest

from eventtracking_core import RejectedError, RetryableError
from eventtracking_core.encoding import encode_each


def encode(event):
    if isinstance(event["data"], Exception):
        raise event["data"]
    return event["data"]


def batch(*data):
    return [{"data": each} for each in data]


def test_what_was_encoded_and_what_failed_go_by_their_place_in_the_batch():
    encoded, failures = encode_each(batch(1, ValueError("a secret"), 3), encode)
    assert encoded == {0: 1, 2: 3}
    assert list(failures) == [1]
    assert isinstance(failures[1], RejectedError)
    assert str(failures[1]) == "the event cannot be encoded (ValueError)"


@pytest.mark.parametrize("error", [RejectedError("too large"), RetryableError("no registry")])
def test_a_failure_that_has_a_class_of_ours_stays(error):
    assert encode_each(batch(error), encode) == ({}, {0: error})
