"""Components with attributes that cannot be read, or that are false."""

from __future__ import annotations

import pytest

LOOKED_UP = {
    "backends": ("send", "send_batch", "flush", "shutdown", "takes_json", "default_delivery"),
    "processors": ("__call__", "mutates", "on_error", "bind_event_types"),
    "context": ("__call__",),
    "metadata": ("save_event_type",),
}
PLACES = {
    "backends": (lambda each: {"a": each}, "backends.a"),
    "processors": (lambda each: [each], "processors[0]"),
    "context": (lambda each: [each], "context[0]"),
    "metadata": (lambda each: each, "metadata"),
}


@pytest.mark.parametrize("error", [RuntimeError("s3cret"), SystemExit("s3cret")], ids=type)
@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key, names in LOOKED_UP.items() for name in names]
)
def test_an_attribute_that_cannot_be_read_is_a_problem_of_its_component(problems, key, name, error):
    def fail(_):
        raise error

    methods = {
        "send": lambda *_: None,
        "save_event_type": lambda *_: None,
        "__call__": lambda *_: None,
    }
    component = type("Failing", (), {**methods, name: property(fail)})()
    place, path = PLACES[key]
    ((where, message),) = problems({key: place(component)})
    assert where == path
    assert message.startswith(f"its attribute {name} cannot be read: {type(error).__name__}")
    assert "s3cret" not in message


def test_a_metadata_store_may_be_empty(configured):
    saved = []

    class Empty:
        def __len__(self):
            return 0

        def save_event_type(self, record):
            saved.append(record.name)

    tracker = configured({"metadata": Empty(), "backends": {"a": "memory"}})
    tracker.register("shop.placed", "An order was placed.")
    tracker.flush(60)
    assert saved == ["shop.placed"]
