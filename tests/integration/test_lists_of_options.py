"""In code, an option that is a list refuses one text, which is a sequence of letters too."""

from __future__ import annotations

import pytest

from eventtracking_core.config.parameters import parameters
from eventtracking_core.plugins import plugins
from eventtracking_structlog import TrackProcessor

REQUIRED = {
    "fields": ["data.a"],
    "filter_type": "allowlist",
    "key": "k" * 40,
    "names": ["a"],
    "path": "a.db",
    "regular_expressions": ["a"],
    "uri": "s3://bucket",
    "url": "https://example.org",
}
LISTS = [
    pytest.param(factory, name, id=f"{type_name}.{name}")
    for components in plugins.available()[0].values()
    for type_name, factory in components.items()
    for name, parameter in parameters(factory)[0].items()
    if parameter.annotation.container in {list, tuple}
]


@pytest.mark.parametrize(("factory", "name"), LISTS)
def test_one_text_is_no_list(factory, name):
    known, _ = parameters(factory)
    needed = {each: REQUIRED[each] for each in known if known[each].required and each in REQUIRED}
    with pytest.raises(ValueError, match=r"."):
        factory(**{**needed, name: "email"})


def test_one_text_is_no_list_of_fields_of_structlog():
    with pytest.raises(ValueError, match="context must be a list"):
        TrackProcessor(context="user_id")
