"""Scenarios of filters, of the logger and of Segment."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

from observing import (
    Log,
    Memory,
    calls,
    emitted,
    raised,
    shown,
)

from eventtracking.backends.logger import DateTimeJSONEncoder, LoggerBackend
from eventtracking.backends.segment import SegmentBackend
from eventtracking.processors.regex_filter import RegexFilter
from eventtracking.processors.whitelist import NameWhitelistProcessor
from eventtracking.tracker import Tracker


def name_filters():
    filters = [
        NameWhitelistProcessor(whitelist=["x"]),
        NameWhitelistProcessor(whitelist=["y"], other=1),
        NameWhitelistProcessor(whitelist=frozenset(["x", "y"])),
    ]
    kept = [[event["name"] for event in emitted(each, events=[("x",), ("y",)])] for each in filters]
    wrong = [
        raised(NameWhitelistProcessor),
        raised(NameWhitelistProcessor, None),
        raised(NameWhitelistProcessor, 7),
        raised(NameWhitelistProcessor, "xy"),
        raised(NameWhitelistProcessor, []),
    ]
    return [kept, wrong, shown(filters[0]({"name": "x"})), raised(filters[0], {"name": "z"})]


def expression_filters():
    names = ["edx.course", "edx.course.enrolled", "other", "not.edx.course", "edxXcourse"]
    events = [(name,) for name in names]

    def kept(*arguments, **options):
        return [
            event["name"] for event in emitted(RegexFilter(*arguments, **options), events=events)
        ]

    return [
        kept("allowlist", [r"edx\.course"]),
        kept("allowlist", [r"edx\.course$", "oth"]),
        kept("blocklist", [r"edx\.course"]),
        kept("allowlist", []),
        kept("blocklist", []),
        kept("allowlist", ["edx.course"]),
        raised(kept, "allowlist"),
        raised(kept),
        raised(kept, "blocklist"),
    ]


def filters_and_lists_of_events():
    events = [{"name": "x"}, {"name": "y"}]
    keep = NameWhitelistProcessor(whitelist=["x"])
    return [raised(keep, events), raised(keep, events[1:]), raised(keep, [])]


def expression_filters_and_lists_of_events():
    return raised(RegexFilter("allowlist", ["x"]), [{"name": "x"}, {"name": "y"}])


def wrong_expression_filters():
    return [
        raised(RegexFilter, "unknown", ["a"]),
        raised(RegexFilter, "allowlist", ["("]),
        raised(RegexFilter, "allowlist", ["a", "(", "["]),
        raised(RegexFilter, "allowlist", "text"),
        raised(RegexFilter, "allowlist", [7]),
        raised(RegexFilter, None, ["a"]),
    ]


def messages_of_wrong_expression_filters():
    with Log("eventtracking") as log:
        for arguments in (("unknown", ["a"]), ("allowlist", ["("])):
            raised(RegexFilter, *arguments)
    return log.lines


def the_text_of_the_logger():
    with Log("lb") as log:
        backend = LoggerBackend(name="lb")
        moment = datetime(2026, 9, 12, 12, 55, 0, 123450, tzinfo=UTC)
        for event in (
            {"name": "x", "timestamp": moment, "data": {"ü": "ö"}, "context": {}},
            {"b": 1, "a": [1, 2.5, None, True], "when": date(2026, 9, 12)},
            {
                "t": datetime(2026, 9, 12, 12, 55),
                "o": moment.astimezone(timezone(timedelta(hours=2))),
            },
            {"t": datetime(2026, 9, 12, 12, 55, tzinfo=UTC)},
            {"nan": float("nan"), 7: "int"},
        ):
            backend.send(event)
    return log.lines


def options_of_the_logger():
    results = []
    for options in (
        {},
        {"level": "debug"},
        {"level": "WARNING"},
        {"level": "nothing"},
        {"max_event_size": 20},
        {"name": "lc", "other": 1},
    ):
        with Log("lc", "eventtracking", "", "root") as log:
            try:
                backend = LoggerBackend(**{"name": "lc", **options})
                backend.send({"a": 1})
                backend.send({"a": "x" * 40})
            except Exception as error:
                results.append([type(error).__name__, str(error)])
        results.append(log.lines)
    return results


def a_long_event_in_the_log():
    with Log("lb", "eventtracking") as log:
        backend = LoggerBackend(name="lb")
        for size in (900, 1200, 100_000):
            backend.send({"name": "x", "data": {"text": "y" * size}})
    return [[line[0], line[1], len(line[2]), line[2][:60]] for line in log.lines]


def what_json_cannot_hold_in_the_log():
    memory = Memory()
    with Log("lb", "eventtracking") as log:
        Tracker({"a": LoggerBackend(name="lb"), "b": memory}).emit("x", {"a": object()})
    return [[line[:2] for line in log.lines], len(memory.events)]


def the_encoder():
    values = [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1),
        date(2026, 1, 1),
        datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=5))),
    ]
    return [raised(json.dumps, each, cls=DateTimeJSONEncoder) for each in (*values, object(), {1})]


def segment_calls():
    backend = SegmentBackend()
    contexts = [
        {"user_id": 1},
        {},
        {"user_id": None},
        {"user_id": 0},
        {
            "user_id": "text",
            "agent": "A",
            "client_id": "1.2",
            "host": "h.org",
            "ip": "192.0.2.1",
            "page": "https://h.org/p",
            "path": "/p",
            "referer": "https://r",
        },
        {"user_id": 1, "host": "h.org", "path": "/p"},
        {"user_id": 1, "host": "h.org"},
        {"user_id": 1, "path": "/p"},
        {"user_id": 1, "agent": "", "client_id": None, "ip": ""},
        {"user_id": 1, "page": None, "host": "h.org", "path": "/p"},
    ]
    result = []
    for context in contexts:
        del calls[:]
        event = {
            "name": "x",
            "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
            "data": {"a": 1},
            "context": context,
        }
        result.append([raised(backend.send, event), shown(calls)])
    del calls[:]
    result.append(
        [
            raised(backend.send, {"name": "x"}),
            raised(backend.send, {"context": {"user_id": 1}}),
            shown(calls),
        ]
    )
    return result
