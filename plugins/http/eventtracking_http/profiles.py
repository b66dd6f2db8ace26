"""Profiles: options that suit a service, so that a configuration names the service and its key.

Every profile is configuration only: a user can write, and override, each of its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["PROFILES"]

_USER: Final = "{context.user_id}"

PROFILES: Final[Mapping[str, Mapping[str, Any]]] = {
    # https://posthog.com/docs/api/capture: batch, at most 20 MB; `uuid` is the idempotency key.
    "posthog": {
        "event": {
            "event": "{name}",
            "uuid": "{id}",
            "distinct_id": _USER,
            "timestamp": "{timestamp}",
            "properties": {"context": "{context}", "data": "{data}"},
        },
        "envelope": {"api_key": "{key}", "batch": "{events}"},
    },
    # https://amplitude.com/docs/apis/analytics/http-v2: at most 2,000 events and 1 MB;
    # `insert_id` is the idempotency key for 7 days.
    "amplitude": {
        "event": {
            "event_type": "{name}",
            "insert_id": "{id}",
            "user_id": _USER,
            "device_id": "{context.anonymous_id}",
            "time": "{timestamp_ms}",
            "ip": "{context.ip}",
            "event_properties": {"context": "{context}", "data": "{data}"},
        },
        "envelope": {"api_key": "{key}", "events": "{events}"},
        "max_events": 1000,
        "max_bytes": 1_000_000,
    },
    # https://developer.mixpanel.com/reference/import-events: at most 2,000 events and 10 MB;
    # `$insert_id` is the idempotency key.
    "mixpanel": {
        "event": {
            "event": "{name}",
            "properties": {
                "$insert_id": "{id}",
                "time": "{timestamp_ms}",
                "distinct_id": _USER,
                "ip": "{context.ip}",
                "context": "{context}",
                "data": "{data}",
            },
        },
        "username": "{key}",
        "answer": "failed_records",
        "max_events": 2000,
        "max_bytes": 9_000_000,
    },
    # https://www.rudderstack.com/docs/api/http-api: at most 4 MB, 32 KB a call.
    "rudderstack": {
        "event": {
            "type": "track",
            "messageId": "{id}",
            "event": "{name}",
            "userId": _USER,
            "anonymousId": "{context.anonymous_id}",
            "timestamp": "{timestamp}",
            "properties": {"context": "{context}", "data": "{data}"},
        },
        "envelope": {"batch": "{events}"},
        "username": "{key}",
        "max_bytes": 4_000_000,
        "max_event_bytes": 32 * 1024,
    },
    # The bulk interface; `create` with the event's id makes a repetition a conflict, not a copy.
    "elasticsearch": {
        "format": "ndjson",
        "action": {"create": {"_id": "{id}"}},
        "event": {
            "@timestamp": "{timestamp}",
            "event": {"id": "{id}", "action": "{name}"},
            "context": "{context}",
            "data": "{data}",
        },
        "answer": "items",
        "max_bytes": 10_000_000,
    },
    # https://grafana.com/docs/loki/latest/reference/loki-http-api: a line is identified by
    # its time and text, so a repetition is stored once.
    "loki": {
        "event": ["{timestamp_ns}", "{json}"],
        "envelope": {"streams": [{"stream": {"source": "eventtracking"}, "values": "{events}"}]},
    },
    # https://api-docs.honeycomb.io/api/events/createevents: at most 5 MB, 100 KB an event.
    "honeycomb": {
        "event": {
            "time": "{timestamp}",
            "data": {"id": "{id}", "name": "{name}", "context": "{context}", "data": "{data}"},
        },
        "headers": {"X-Honeycomb-Team": "{key}"},
        "max_bytes": 5_000_000,
        "max_event_bytes": 100_000,
    },
    # https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
    "cloudevents": {
        "event": {
            "specversion": "1.0",
            "id": "{id}",
            "source": "eventtracking",
            "type": "{name}",
            "time": "{timestamp}",
            "datacontenttype": "application/json",
            "data": {"context": "{context}", "data": "{data}"},
        },
        "headers": {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"},
    },
}
"""Options by the name of the service. `{key}` is replaced by the option `key`."""
