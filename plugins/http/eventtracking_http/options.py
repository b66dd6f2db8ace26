"""The options of the backend, with those of a profile below them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from eventtracking_core import refuse_options
from eventtracking_http.answers import ANSWERS, Failures
from eventtracking_http.profiles import PROFILES

__all__ = ["Options"]

MIB: Final = 1024 * 1024

_FORMATS: Final = frozenset({"array", "ndjson", "single"})
_FAILURES: Final = range(300, 600)
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OF_THE_CLIENT: Final = frozenset({"content-length", "transfer-encoding", "content-encoding"})


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
    def of(
        cls,
        url: str,
        profile: str | None,
        key: str | None,
        retry: Sequence[int],
        **own_options: Any,
    ) -> Self:
        """Return the options.

        Raises:
            ValueError: one of them cannot be used; the message says which.
        """
        options = dict(PROFILES.get(profile or "", {}))
        base_headers = options.pop("headers", {})
        options |= {name: value for name, value in own_options.items() if value is not None}
        options["headers"] = {**base_headers, **options.get("headers", {})}
        options["url"] = url
        lacks_key = key is None and "{key}" in str(options)
        options = _filled(options, key or "")
        max_bytes = options.get("max_bytes", MIB)
        max_event_bytes = min(options.get("max_event_bytes", max_bytes), max_bytes)
        max_events = options.get("max_events", 1000)
        form = options.get("format", "array")
        answer = options.get("answer", "status")
        username, token = options.get("username"), options.get("token")
        headers = _headers(options, form)
        refuse_options(
            {
                f"profile must be one of {', '.join(PROFILES)}": profile is not None
                and profile not in PROFILES,
                "key must be given, for this profile or url": lacks_key,
                "url must be an address such as https://example.org/events, without a user and a"
                " password: they are options": not _is_address(options["url"]),
                **{
                    f"{name} must be positive": options.get(name, 1) < 1
                    for name in ("max_events", "max_bytes", "max_event_bytes")
                },
                "format must be array, ndjson or single": form not in _FORMATS,
                "action must be used with format ndjson": "action" in options and form != "ndjson",
                "envelope must be used with format array": "envelope" in options
                and form != "array",
                f"answer must be one of {', '.join(ANSWERS)}": answer not in ANSWERS,
                "token must not be given beside a username": None not in (username, token),
                "password must be given together with username": "password" in options
                and username is None,
                "headers must have names of letters, digits and -, with printable values in"
                " Latin-1, as token must be": not all(map(_is_header, headers.items())),
                "headers must not set the body's length or encoding": any(
                    name.lower() in _OF_THE_CLIENT for name in headers
                ),
                "retry must be statuses from 300 to 599": not all(
                    status in _FAILURES for status in retry
                ),
            }
        )
        return cls(
            url=options["url"],
            format=form,
            event=options.get("event"),
            action=options.get("action"),
            envelope=options.get("envelope"),
            headers=headers,
            read_answer=ANSWERS[answer],
            max_events=1 if form == "single" else max_events,
            max_bytes=max_bytes,
            max_event_bytes=max_event_bytes,
        )


def _filled(value: Any, key: str) -> Any:
    """Return a form with the key in place of `{key}`."""
    if isinstance(value, str):
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
    if username is not None:
        pair = f"{username}:{options.get('password') or ''}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _is_header(header: tuple[str, str]) -> bool:
    name, value = header
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return _HEADER.fullmatch(name) is not None and value.isprintable()


def _is_address(url: str) -> bool:
    """Return whether requests can be sent to an address, and it has no credentials."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return is_whole and "@" not in parts.netloc and url.isprintable()
