"""`5`, `5.0` and `"5"` are one user wherever users are compared."""

from __future__ import annotations

import numpy as np
import pytest

from eventtracking_core import EventEmissionExit
from eventtracking_core.processors.match import Match
from eventtracking_core.processors.pseudonymize import Pseudonymize

SAME = [5, 5.0, "5", np.int64(5), np.float64(5)]
OTHER = [6, "5.0", 5.5, True, None, "five", [6]]


@pytest.mark.parametrize("value", SAME)
@pytest.mark.parametrize("wanted", [5, 5.0, "5"])
def test_a_filter_finds_an_id_of_any_type(an_event, value, wanted):
    Match({"context.user_id": wanted})(an_event(context={"user_id": value}))


@pytest.mark.parametrize("value", OTHER)
def test_a_filter_lets_no_other_through(an_event, value):
    event = an_event(context={"user_id": value})

    with pytest.raises(EventEmissionExit):
        Match({"context.user_id": 5})(event)
    Match({"context.user_id": [7, value]})(event)


def test_a_pseudonym_is_that_of_the_text(an_event):
    pseudonymize = Pseudonymize("k" * 32, ["context.user_id"])

    events = [pseudonymize(an_event(context={"user_id": value})) for value in SAME]

    assert len({event["context"]["user_id"] for event in events}) == 1
