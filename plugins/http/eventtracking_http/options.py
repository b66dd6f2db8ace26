"""The options of the backend, with those of a profile below them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from eventtracking_http.answers import ANSWERS, Failures
from eventtracking_http.profiles import PROFILES

__all__ = ["Options"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options; `Options.of` lays those that are given over those of a profile."""

    url: str
    format: str
    event: Any
    action: Any
    envelope: Any
    headers: Mapping[str, str]
    read_answer: Callable[[bytes, int], Failures]
    max_events: int
    max_bytes: int
    max_event_bytes: int

    @classmethod
    def of(cls, url: str, profile: str | None, key: str | None, **given: Any) -> Self:
        """Return the options.

        Raises:
            ValueError: one of them cannot be used; the message says which.
        """
        if profile is not None and profile not in PROFILES:
            raise ValueError(f"profile must be one of {', '.join(PROFILES)}")
        options = dict(PROFILES[profile]) if profile else {}
        base_headers = options.pop("headers", {})
        options |= {name: value for name, value in given.items() if value is not None}
        options["headers"] = {**base_headers, **options.get("headers", {})}
        options["url"] = url
        options = _filled(options, key)
        _check_url(options["url"])
        max_bytes = options.get("max_bytes", MIB)
        max_event_bytes = min(options.get("max_event_bytes", max_bytes), max_bytes)
        max_events = options.get("max_events", 1000)
        if max_events < 1 or max_event_bytes < 1:
            raise ValueError("max_events, max_bytes and max_event_bytes must be positive")
        form = options.get("format", "array")
        if form not in {"array", "ndjson", "single"}:
            raise ValueError("format must be array, ndjson or single")
        if "action" in options and form != "ndjson":
            raise ValueError("action needs the format ndjson")
        if "envelope" in options and form != "array":
            raise ValueError("envelope needs the format array")
        answer = options.get("answer", "status")
        if answer not in ANSWERS:
            raise ValueError(f"answer must be one of {', '.join(ANSWERS)}")
        return cls(
            url=options["url"],
            format=form,
            event=options.get("event"),
            action=options.get("action"),
            envelope=options.get("envelope"),
            headers=_headers(options, form),
            read_answer=ANSWERS[answer],
            max_events=1 if form == "single" else max_events,
            max_bytes=max_bytes,
            max_event_bytes=max_event_bytes,
        )


def _filled(value: Any, key: str | None) -> Any:
    """Return a form with the key in place of `{key}`."""
    if isinstance(value, str):
        if "{key}" not in value:
            return value
        if key is None:
            raise ValueError("key is required by this profile or url")
        return value.replace("{key}", key)
    if isinstance(value, Mapping):
        return {name: _filled(each, key) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_filled(each, key) for each in value]
    return value


def _headers(options: Mapping[str, Any], form: str) -> dict[str, str]:
    kind = "application/x-ndjson" if form == "ndjson" else "application/json"
    headers = {"Content-Type": kind, "User-Agent": "eventtracking-http", **options["headers"]}
    username, token = options.get("username"), options.get("token")
    if username is not None and token is not None:
        raise ValueError("give a token or a username, not both")
    if username is not None:
        pair = f"{username}:{options.get('password') or ''}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    for name, value in headers.items():
        if not (f"{name}{value}".isprintable() and name.isascii()):
            raise ValueError("headers, token and username must be printable text")
    return headers


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("url must be an address such as https://example.org/events")
