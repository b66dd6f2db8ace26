"""Tracebacks and debuggers show the code that is generated for an event type."""

import inspect
import traceback

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.registry import FieldDoc


class Interrupted(dict):
    """Data that cannot be read before the user interrupts the program."""

    def __getitem__(self, key):
        raise KeyboardInterrupt


def interrupt(tracker, data):
    with pytest.raises(KeyboardInterrupt) as caught:
        tracker.emit("org.quiz.answered", data)
    return caught.value


def test_a_traceback_shows_the_lines_of_generated_code():
    tracker = et.Tracker({"memory": MemoryBackend()})
    tracker.register("org.quiz.answered", "", {"answer": "what was answered"})

    text = "".join(traceback.format_exception(interrupt(tracker, Interrupted())))

    assert "events of org.quiz.answered" in text
    assert "value0 = data['answer']" in text


def test_a_debugger_shows_the_function_of_each_type():
    first, second = et.Tracker({"memory": MemoryBackend()}), et.Tracker({"memory": MemoryBackend()})
    first.register("org.quiz.answered", "", {"answer": "what was answered"})
    second.register("org.quiz.answered", "", {"reply": FieldDoc("reply", type="string")})

    for tracker, field in ((first, "answer"), (second, "reply")):
        walked = traceback.walk_tb(interrupt(tracker, Interrupted()).__traceback__)
        (code,) = [frame.f_code for frame, _ in walked if frame.f_code.co_name == "build"]
        source = inspect.getsource(code)

        assert source.startswith("def build(")
        assert f"data['{field}']" in source
