"""Which options there are, and what is said of those that cannot be used."""

from __future__ import annotations

import re

import pytest
from pymongo.uri_parser import parse_uri

from eventtracking_core import ConfigurationError, Tracker
from eventtracking_mongo import MongoBackend


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"uri": "mongodb://h", "host": "hunter2"}, "either uri, or host and port"),
        ({"uri": "mongodb://h", "port": 27017}, "either uri, or host and port"),
        ({"password": "hunter2"}, "password must be given together with user"),
        ({"uri": "mongodb://u:hunter2@x@h/"}, "percent-encoded"),
        ({"uri": "hunter2://h"}, "uri must have the form mongodb://"),
        ({"extra": {"maxPoolSise": "hunter2"}}, "rejects maxPoolSise"),
        ({"extra": {"maxPoolSize": "hunter2", "tls": False}}, "rejects maxPoolSize "),
        ({"user": "a", "password": "b", "extra": {"authMechanism": "hunter2"}}, "authMechanism"),
        ({"database": "hunter2 $"}, "names that MongoDB allows"),
        ({"collection": "hunter2$"}, "names that MongoDB allows"),
        ({"w": 0}, "w must be at least 1"),
        ({"w": ""}, "w must be at least 1"),
        ({"ttl": 0.5}, "ttl must be from 1"),
        ({"ttl": 2.0**31}, "ttl must be from 1"),
        ({"indexes": "timestamp"}, "a list of fields"),
        ({"indexes": ["name", "$hunter2"]}, "a list of fields"),
        ({"indexes": [""]}, "a list of fields"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_with_advice_and_without_its_value(
    options, advice
):
    with pytest.raises(ValueError, match=re.escape(advice)) as refused:
        MongoBackend(**options)
    assert "hunter2" not in str(refused.value)


def test_nothing_is_connected_or_looked_up_before_the_first_event():
    MongoBackend("mongodb+srv://no-such-host.invalid/db")
    MongoBackend(host="no-such-host.invalid", user="u", password="p")


def test_a_configuration_names_the_backend_and_is_told_its_mistakes():
    with pytest.raises(ConfigurationError) as refused:
        Tracker().configure({"backends": {"m": {"type": "mongo", "prot": 1, "w": [1]}}})
    assert "backends.m.prot: unknown option" in str(refused.value)
    assert "backends.m.w: expected" in str(refused.value)


def test_the_options_of_event_tracking_are_understood_and_events_are_queued(
    mongo_uri, mongo_database
):
    host, port = parse_uri(mongo_uri)["nodelist"][0]
    tracker = Tracker()
    tracker.configure(
        {
            "backends": {
                "mongo": {
                    "ENGINE": "eventtracking.backends.mongodb.MongoBackend",
                    "OPTIONS": {
                        "host": host,
                        "port": port,
                        "database": mongo_database.name,
                        "collection": "tracked",
                        "extra": {"serverSelectionTimeoutMS": 5000},
                    },
                }
            }
        }
    )
    event_id = tracker.emit("edx.problem.check", {"attempts": 3})
    assert tracker.shutdown(60)
    [leaf] = tracker.stats()["tree"]["backends"]
    assert leaf["delivery"] == "queue"
    assert [document["_id"] for document in mongo_database.tracked.find()] == [event_id]


def test_the_database_is_the_one_that_the_uri_names(
    a_backend, an_event, stored, mongo_uri, mongo_database
):
    base, _, query = mongo_uri.partition("?")
    backend = a_backend(uri=f"{base}{mongo_database.name}?{query}", database=None)
    backend.send(an_event())
    assert len(stored()) == 1


def test_writes_are_acknowledged_by_a_majority_and_journaled_whatever_the_uri_says(
    a_backend, an_event, mongo_uri
):
    from pymongo import monitoring

    class Listener(monitoring.CommandListener):
        def started(self, event):
            if event.command_name == "insert":
                concerns.append(event.command["writeConcern"])

        def succeeded(self, event):
            pass

        def failed(self, event):
            pass

    concerns: list[object] = []
    weak = f"{mongo_uri}{'&' if '?' in mongo_uri else '?'}w=1&journal=false"
    for options in ({}, {"w": 1, "journal": False}):
        backend = a_backend(uri=weak, extra={"event_listeners": [Listener()]}, **options)
        backend.send(an_event())
    assert concerns == [{"w": "majority", "j": True}, {"w": 1, "j": False}]
