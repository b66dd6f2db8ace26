"""Fields of many parts, and keys with dots in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.processors._fields import values

KEYS = st.sampled_from(["a", "b", "a.b", "b.a", "a.b.a", "a.", ".a", "a..b"])
DATA = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
FIELDS = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(tuple)


def expected(value, field, *, below):
    """Return the values of a field, the slow way."""
    if isinstance(value, list):
        return [found for item in value for found in expected(item, field, below=below)]
    if not isinstance(value, dict):
        return []
    found = []
    for key, inner in value.items():
        for length in range(1, len(field) + 1):
            if key == ".".join(field[:length]):
                rest = field[length:]
                found += expected(inner, rest, below=below) if rest else [inner]
        if below and key.startswith(".".join(field) + "."):
            found.append(inner)
    return found


@given(data=st.dictionaries(KEYS, DATA, max_size=4), field=FIELDS, below=st.booleans())
def test_a_field_has_the_values_under_each_key_that_spells_it(data, field, below):
    event = {"context": {}, "data": data}
    found = values(event, ("data", *field), below=below)
    assert sorted(map(repr, found)) == sorted(map(repr, expected(data, field, below=below)))
