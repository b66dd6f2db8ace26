"""Scenarios of trackers and routers."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime

from observing import (
    Failing,
    Log,
    Memory,
    emitted,
    raised,
    shown,
)

from eventtracking import tracker as tracker_module
from eventtracking.backends.routing import RoutingBackend
from eventtracking.processors.exceptions import (
    EventEmissionExit,
    NoBackendEnabled,
    NoTransformerImplemented,
)
from eventtracking.processors.whitelist import NameWhitelistProcessor
from eventtracking.tracker import Tracker, get_tracker, register_tracker


def events_have_four_keys():
    return emitted(contexts=[("a", {"x": 1}), ("b", {"x": 2, "y": 3})])


def keys_in_order():
    return list(emitted(contexts=[("a", {"x": 1})])[0])


def names_and_data_of_any_kind():
    events = [
        (),
        (None, None),
        ("", {}),
        ("n",),
        ("n", 7),
        ("n", [1]),
        (7, {"a": 1}),
        ("n", "text"),
        ("n", 0),
    ]
    return emitted(events=events)


def emit_returns():
    return shown(Tracker().emit("x"))


def timestamps():
    memory = Memory()
    Tracker({"memory": memory}).emit("x")
    moment = memory.events[0]["timestamp"]
    return [
        type(moment).__name__,
        str(moment.utcoffset()),
        abs((datetime.now(UTC) - moment).total_seconds()) < 60,
    ]


def backends_are_called_in_the_order_of_their_names():
    order = []
    names = ["b", "a", "c", "B"]
    tracker = Tracker(OrderedDict((name, Memory(name, order)) for name in names))
    tracker.emit("x")
    return [order, list(tracker.backends)]


def processors_change_or_return_or_keep():
    def change(event):
        event["data"]["changed"] = True

    def replace(event):
        return {**event, "name": "replaced"}

    return emitted(change, replace, lambda _event: None)


def falsy_results_of_processors():
    return [emitted(lambda _event, value=value: value) for value in ({}, [], 0, "", False)]


def a_processor_returns_a_list():
    seen = []

    def split(event):
        return [{**event, "data": {"n": n}} for n in range(2)]

    return [emitted(split, lambda event: seen.append(shown(event))), seen]


def exit_drops_and_ends_the_chain():
    seen = []
    return [emitted(Failing(EventEmissionExit()), seen.append), seen]


def other_errors_are_logged_and_the_chain_goes_on():
    with Log("eventtracking") as log:
        errors = [ValueError("no"), NoBackendEnabled("nb"), NoTransformerImplemented("nt")]
        events = [
            emitted(Failing(error), lambda event: event["data"].update(after=1)) for error in errors
        ]
    return [events, log.lines]


def errors_of_backends_are_logged():
    memory = Memory()
    with Log("eventtracking") as log:
        for error in (
            ValueError("no"),
            NoBackendEnabled("nb"),
            NoTransformerImplemented("nt"),
            EventEmissionExit("ee"),
        ):
            Tracker({"a": Failing(error), "b": memory}).emit("x")
    return [len(memory.events), log.lines]


def the_callers_data_is_not_changed():
    data, context = {"a": {"b": 1}}, {"c": {"d": 1}}

    def change(event):
        event["data"]["a"]["b"] = 2
        event["context"]["c"]["d"] = 2

    emitted(change, events=[("x", data)], contexts=[("c", context)])
    return [data, context]


def branches_and_their_changes():
    one, two = Memory(), Memory()

    def change(event):
        event["data"]["changed"] = True

    tracker = Tracker({"a": RoutingBackend({"m": one}, [change]), "b": RoutingBackend({"m": two})})
    tracker.emit("x", {})
    return [shown(one.events), shown(two.events)]


def named_trackers():
    named = Tracker()
    register_tracker(named, "named")
    return [
        get_tracker("named") is named,
        raised(get_tracker, "unknown"),
        type(get_tracker()).__name__,
        sorted(tracker_module.TRACKERS),
        tracker_module.UNKNOWN_EVENT_TYPE,
        tracker_module.DEFAULT_TRACKER_NAME,
    ]


def the_module_emits_on_the_default_tracker():
    before, memory = get_tracker(), Memory()
    register_tracker(Tracker({"memory": memory}))
    tracker_module.emit("x", {"a": 1})
    tracker_module.emit()
    register_tracker(before)
    return shown(memory.events)


def the_parts_of_a_tracker():
    memory = Memory()
    processor = NameWhitelistProcessor(whitelist=["x"])
    tracker = Tracker({"memory": memory}, processors=[processor])
    return [
        tracker.get_backend("memory") is memory,
        raised(tracker.get_backend, "unknown"),
        tracker.processors == [processor],
        tracker.backends == {"memory": memory},
    ]


def what_a_router_refuses():
    router = RoutingBackend()

    class NotCallable:
        send = 7

    return [
        raised(RoutingBackend, {"a": object()}),
        raised(RoutingBackend, {"a": NotCallable()}),
        raised(RoutingBackend, {"a": None}),
        raised(RoutingBackend, None, ["no"]),
        raised(router.register_backend, "a", 1),
        raised(router.register_processor, 1),
        raised(Tracker, {"a": 1}),
        raised(Tracker, None, None, [1]),
    ]


def a_router_by_itself():
    memory, order = Memory(), []
    router = RoutingBackend({"b": memory}, [lambda event: {**event, "seen": True}])
    router.register_backend("a", Memory("a", order))
    router.register_processor(lambda event: event.update(again=True))
    router.send({"name": "x"})
    dropping = RoutingBackend({"b": memory}, [Failing(EventEmissionExit("why"))])
    dropping.send({"name": "y"})
    return [
        shown(memory.events),
        list(router.backends),
        len(router.processors),
        shown(router.process_event({"name": "z"})),
        raised(dropping.process_event, {"name": "z"}),
        raised(router.send_to_backends, {"name": "w"}),
        shown(memory.events),
    ]


def a_router_of_ones_own():
    class Router(RoutingBackend):
        def send(self, event):
            self.before = event["name"]
            return super().send(event)

        def process_event(self, event):
            return super().process_event({**event, "name": event["name"].upper()})

    memory = Memory()
    router = Router(backends={"memory": memory})
    Tracker({"router": router}).emit("x")
    return [router.before, shown(memory.events)]
