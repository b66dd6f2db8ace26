"""A lazy text is a name as its text is."""

import pytest
from django.conf import settings
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.translation import gettext_lazy

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend

if not settings.configured:
    settings.configure(USE_I18N=False)


@pytest.mark.parametrize(
    "name",
    [
        lazystr("org.quiz.answered"),
        gettext_lazy("org.quiz.answered"),
        SimpleLazyObject(lambda: "org.quiz.answered"),
    ],
)
@pytest.mark.parametrize("data", [None, {"answer": 1}])
def test_a_lazy_name_is_its_text(name, data):
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, strict=True)

    tracker.emit(name, data)
    tracker.emit(name, data)

    assert [event["name"] for event in memory.events] == ["org.quiz.answered"] * 2
    assert all(type(event["name"]) is str for event in memory.events)


@pytest.mark.parametrize("name", [5, b"org.quiz.answered", object(), lazystr("")])
def test_what_stands_for_no_text_is_no_name(name):
    memory = MemoryBackend()
    et.Tracker({"memory": memory}).emit(name)

    assert memory.events[0]["name"] == "unknown"
