"""Templates: a form of the configuration whose placeholders are replaced by fields of an event."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from eventtracking_core import Event
from eventtracking_core.encoding import encode_json

__all__ = ["Template", "compile_template"]

Template = Callable[[Event], Any]

_PLACEHOLDER: Final = re.compile(r"\{([\w.$-]*)\}")
_MISSING: Final = object()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def compile_template(form: object) -> Template:
    """Return a function that fills a form with the fields of an event.

    A text that is one placeholder, such as `"{context.user_id}"`, becomes the field's value with
    its type; a placeholder inside a longer text becomes text. `"{}"` is the whole event, `"{json}"`
    the event as JSON text; `"{timestamp_s}"` and `"{timestamp_ms}"` are its time since 1970 as
    numbers, `"{timestamp_ns}"` as text. A missing field is left out.

    Args:
        form: nested mappings and lists with texts, numbers and truth values.

    Raises:
        ValueError: a text has a brace that belongs to no placeholder.
    """
    if isinstance(form, str):
        return _text(form)
    if isinstance(form, Mapping):
        values = {str(key): compile_template(value) for key, value in form.items()}
        return lambda event: {
            key: filled for key, value in values.items() if (filled := value(event)) is not _MISSING
        }
    if isinstance(form, list | tuple):
        items = [compile_template(item) for item in form]
        return lambda event: [filled for item in items if (filled := item(event)) is not _MISSING]
    return lambda _event: form


def _text(text: str) -> Template:
    if set(_PLACEHOLDER.sub("", text)) & {"{", "}"}:
        raise ValueError(
            "a template has a brace that belongs to no placeholder such as {data.field}"
        )
    whole = _PLACEHOLDER.fullmatch(text)
    if whole is not None:
        return _field(whole[1])
    if "{" not in text:
        return lambda _event: text
    literals = _PLACEHOLDER.split(text)[::2]
    fields = [_field(name) for name in _PLACEHOLDER.findall(text)]

    def fill(event: Event) -> str:
        parts = [literals[0]]
        for field, literal in zip(fields, literals[1:], strict=True):
            parts += [_as_text(field(event)), literal]
        return "".join(parts)

    return fill


def _field(name: str) -> Template:
    if name in _SPECIAL:
        return _SPECIAL[name]
    path = name.split(".")

    def read(event: Event) -> Any:
        value: Any = event
        for part in path:
            value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
            if value is _MISSING:
                return _MISSING
        return value

    return read


def _as_text(value: object) -> str:
    if value is _MISSING or value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')


def _microseconds(event: Event) -> int:
    return (event["timestamp"] - _EPOCH) // _MICROSECOND


_SPECIAL: Final[Mapping[str, Template]] = {
    "": lambda event: event,
    "json": lambda event: encode_json(event).decode(),
    "timestamp_s": lambda event: _microseconds(event) / 1_000_000,
    "timestamp_ms": lambda event: _microseconds(event) // 1000,
    "timestamp_ns": lambda event: f"{_microseconds(event)}000",
}
