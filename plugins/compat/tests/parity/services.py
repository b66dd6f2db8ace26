"""What a program observes of the event bus and of MongoDB, as JSON: run with either distribution.

The argument is the URI of a server. Results are plain values, without what differs in each run.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import types
import uuid
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

sys.modules.setdefault("analytics", types.ModuleType("analytics"))

import django
import pymongo
from bson import CodecOptions
from django.conf import settings

settings.configure(
    DATABASES={},
    EVENT_BUS_TRACKING_LOGS=["a.b", "c.*"],
    INSTALLED_APPS=[],
    SEND_TRACKING_EVENT_EMITTED_SIGNAL=True,
    USE_TZ=True,
)
django.setup()

from django.test import override_settings
from openedx_events.analytics.signals import TRACKING_EVENT_EMITTED

from eventtracking.backends.event_bus import EventBusRoutingBackend
from eventtracking.backends.mongodb import MongoBackend
from eventtracking.tracker import Tracker

URI = sys.argv[1]
TIME = datetime(2026, 9, 12, 12, 55, 0, 123456, UTC)
VALUES = {
    "text": "é\u2028\U0001f600",
    "number": 1,
    "big": 2**40,
    "float": 0.1,
    "flag": True,
    "none": None,
    "list": [1, "a", {"b": [None]}],
    "nested": {"deep": {"er": [{}]}},
    "time": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
}


class Memory:
    def __init__(self):
        self.events = []

    def send(self, event):
        self.events.append(event)


def sent(event, *, enabled=True, **options):
    """Return what receivers of the signal get of an event."""
    received = []

    def receive(signal, sender, metadata, tracking_log, **_):
        parts = {"data": tracking_log.data, "context": tracking_log.context}
        received.append(
            {
                "type": metadata.event_type,
                "name": tracking_log.name,
                "timestamp": str(tracking_log.timestamp),
                "version": metadata.minorversion,
                "source": metadata.source,
                **{key: json.loads(text) for key, text in parts.items()},
            }
        )

    TRACKING_EVENT_EMITTED.connect(receive)
    try:
        with override_settings(SEND_TRACKING_EVENT_EMITTED_SIGNAL=enabled):
            returned = EventBusRoutingBackend(**options).send(event)
    except Exception as error:
        return [type(error).__name__, received]
    finally:
        TRACKING_EVENT_EMITTED.disconnect(receive)
    return [returned, received]


def event(**changes):
    made = {"name": "a.b", "timestamp": TIME, "data": {"n": 1}, "context": {"user_id": 7}}
    return made | changes


def the_bus_gets_an_event():
    return sent(event())


def the_bus_gets_values_as_json():
    return sent(event(data=VALUES | {"date": date(2026, 1, 2)}))


def nothing_is_sent_unless_the_setting_is_on():
    return sent(event(), enabled=False)


def only_listed_names_are_sent():
    return [bool(sent(event(name=name))[1]) for name in ("a.b", "x", "a.bc", "c.d", "c.*")]


def nothing_is_sent_without_a_list():
    with override_settings():
        del settings.EVENT_BUS_TRACKING_LOGS
        return sent(event())


def texts_for_times():
    return sent(event(timestamp="2026-09-12T12:55:00.000001+00:00"))


def data_and_context_may_be_missing():
    return [
        sent({"name": "a.b", "timestamp": TIME}),
        sent(event(data=None, context=None)),
        sent(event(data={}, context={})),
    ]


def processors_that_change_and_drop():
    def change(event):
        event["data"] = {"changed": True}
        return event

    def rename(event):
        return event | {"name": "x"}

    return [sent(event(), processors=[each]) for each in (change, rename)]


def a_signal_in_the_log():
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append([record.levelname, record.getMessage()])
    logger = logging.getLogger("eventtracking.backends.event_bus")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    sent(event())
    logger.removeHandler(handler)
    return lines


def processors_and_backends_run_where_the_event_is_received():
    memory = Memory()
    seen = []
    found = sent(event(), processors=[seen.append], backends={"memory": memory})
    return [found, memory.events, seen]


def a_tracker_sends_to_the_bus():
    received = []

    def receive(tracking_log, **_):
        received.append([tracking_log.name, json.loads(tracking_log.data)])

    TRACKING_EVENT_EMITTED.connect(receive)
    with override_settings(SEND_TRACKING_EVENT_EMITTED_SIGNAL=True):
        tracker = Tracker({"bus": EventBusRoutingBackend()})
        with tracker.context("request", {"user_id": 7}):
            tracker.emit("a.b", {"n": 1})
    TRACKING_EVENT_EMITTED.disconnect(receive)
    return received


def stored(*events, **options):
    """Return the collections, the documents that events become, and the indexes."""
    name = f"parity_{uuid.uuid4().hex}"
    address = urlsplit(URI)
    backend = MongoBackend(host=address.hostname, port=address.port, database=name, **options)
    for each in events:
        backend.send(each)
    if hasattr(backend, "flush"):
        assert backend.flush(60)
    client = pymongo.MongoClient(URI)
    collection = options.get("collection", "events")
    aware = client[name].get_collection(collection, CodecOptions(tz_aware=True))
    try:
        deadline = time.monotonic() + 60
        # Nothing acknowledges what the published package writes.
        while aware.count_documents({}) < len(events):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        documents = list(aware.find({}, {"_id": False, "id": False}).sort("timestamp"))
        return [client[name].list_collection_names(), documents, indexed(aware)]
    finally:
        client.drop_database(name)
        client.close()


def indexed(collection):
    """Return the fields of the indexes."""
    return sorted(list(index["key"][0]) for index in collection.index_information().values())


def mongo_stores_an_event():
    return stored(event())[:2]


def mongo_stores_values():
    return stored(event(data=VALUES))[:2]


def mongo_stores_into_a_named_collection():
    return stored(event(), collection="tracked")[:2]


def mongo_stores_several_events_with_their_times():
    times = [TIME.replace(second=second) for second in range(3)]
    return stored(*[event(timestamp=time) for time in times])[:2]


def the_indexes_of_mongo():
    return stored(event())[2]


SCENARIOS = [
    value
    for value in list(globals().values())
    if isinstance(value, types.FunctionType)
    and value.__module__ == __name__
    and value.__name__ != "main"
    and not value.__code__.co_argcount
    and not value.__code__.co_flags & 0x0C
]


def main():
    results = {}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = json.loads(json.dumps(scenario(), default=str))
        except BaseException as error:
            results[scenario.__name__] = ["the scenario failed", type(error).__name__, str(error)]
    json.dump(results, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
