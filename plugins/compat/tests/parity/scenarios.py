"""What a program that uses `eventtracking` observes, as JSON: run with either distribution.

Each function is a scenario. It returns what reached the backends, and the messages and exceptions,
in plain values.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import types
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone

calls = []
analytics = types.ModuleType("analytics")
analytics.track = lambda *args, **kwargs: calls.append([list(args), kwargs])
sys.modules["analytics"] = analytics

import django
from celery import Celery
from django.conf import settings
from django.test import override_settings

sys.modules["scenarios"] = sys.modules[__name__]


class Memory:
    """Keeps what it gets."""

    def __init__(self, label="memory", order=None, **options):
        self.label, self.options, self.events = label, options, []
        self.order = order

    def send(self, event):
        self.events.append(event)
        if self.order is not None:
            self.order.append(self.label)


MEMORY = "scenarios.Memory"
TREE = {
    "logs": {"ENGINE": "eventtracking.backends.logger.LoggerBackend", "OPTIONS": {"name": "tl"}},
    "nested": {
        "ENGINE": "eventtracking.backends.routing.RoutingBackend",
        "OPTIONS": {
            "backends": {"memory": {"ENGINE": MEMORY, "OPTIONS": {"label": "inner"}}},
            "processors": [
                {
                    "ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor",
                    "OPTIONS": {"whitelist": ["kept"]},
                }
            ],
        },
    },
}
settings.configure(
    INSTALLED_APPS=["eventtracking.django.apps.EventTrackingConfig"],
    DATABASES={},
    CELERY_TASK_ALWAYS_EAGER=True,
    EVENT_TRACKING_ENABLED=True,
    EVENT_TRACKING_BACKENDS=TREE,
    EVENT_TRACKING_PROCESSORS=[],
)
app = Celery("parity", broker="memory://")
app.conf.task_always_eager = True
app.set_default()
django.setup()

from eventtracking import tracker as tracker_module
from eventtracking.backends.async_routing import AsyncRoutingBackend
from eventtracking.backends.logger import DateTimeJSONEncoder, LoggerBackend
from eventtracking.backends.routing import RoutingBackend
from eventtracking.backends.segment import SegmentBackend
from eventtracking.django.django_tracker import DjangoTracker, override_default_tracker
from eventtracking.locator import DefaultContextLocator, ThreadLocalContextLocator
from eventtracking.processors.exceptions import (
    EventEmissionExit,
    NoBackendEnabled,
    NoTransformerImplemented,
)
from eventtracking.processors.regex_filter import RegexFilter
from eventtracking.processors.whitelist import NameWhitelistProcessor
from eventtracking.tracker import Tracker, get_tracker, register_tracker


class Failing:
    def __init__(self, error=ValueError("no")):
        self.error = error

    def send(self, event):
        raise self.error

    __call__ = send


class Log(logging.Handler):
    """Collects the messages of the package, with the loggers' names and levels."""

    def __init__(self, *names):
        super().__init__()
        self.lines = []
        self.names = names

    def emit(self, record):
        message = re.sub(" at 0x[0-9a-f]+", "", record.getMessage())
        self.lines.append([record.name, record.levelname, message, bool(record.exc_info)])

    def __enter__(self):
        for name in self.names:
            logging.getLogger(name).addHandler(self)
            logging.getLogger(name).setLevel(logging.INFO)
        return self

    def __exit__(self, *_):
        for name in self.names:
            logging.getLogger(name).removeHandler(self)


def raised(function, *args, **kwargs):
    """The exception of a call: its class and message; or its result."""
    try:
        return ["returned", shown(function(*args, **kwargs))]
    except Exception as error:
        return [type(error).__name__, str(error)]


def shown(value):
    """A value as JSON, without what differs in each run."""
    if isinstance(value, dict):
        return {str(key): shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    if isinstance(value, datetime):
        return f"<datetime {value.tzname()}>"
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return f"<{type(value).__name__}>"


def emitted(*processors, events=(("name", {"a": 1}),), contexts=()):
    """What a backend gets of events."""
    memory = Memory()
    tracker = Tracker({"memory": memory}, processors=list(processors))
    for name, context in contexts:
        tracker.enter_context(name, context)
    for event in events:
        tracker.emit(*event)
    return shown(memory.events)


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


def contexts_by_name():
    memory = Memory()
    tracker = Tracker({"memory": memory})
    tracker.enter_context("a", {"x": 1})
    tracker.enter_context("b", {"x": 2})
    tracker.enter_context("a", {"x": 3, "y": 1})
    tracker.emit("replaced")
    tracker.exit_context("a")
    tracker.emit("left")
    with tracker.context("c", {"x": 4}):
        tracker.emit("inside")
    tracker.emit("outside")
    try:
        with tracker.context("d", {"x": 5}):
            raise ValueError
    except ValueError:
        tracker.emit("after")
    return [shown(memory.events), tracker.resolve_context()]


def nested_contexts_of_one_name():
    tracker = Tracker()
    with tracker.context("a", {"x": 1}):
        with tracker.context("a", {"y": 2}):
            inner = tracker.resolve_context()
        middle = tracker.resolve_context()
        error = raised(tracker.exit_context, "a")
        tracker.enter_context("a", {})
    return [inner, middle, error]


def leaving_an_unknown_context():
    return raised(Tracker().exit_context, "nothing")


def located_contexts():
    tracker = Tracker()
    tracker.enter_context("a", {"x": 1})
    return [dict(tracker.located_context), type(tracker.located_context).__name__]


def contexts_of_threads():
    result = []
    for locator in (None, DefaultContextLocator(), ThreadLocalContextLocator()):
        tracker = Tracker(context_locator=locator)
        tracker.enter_context("a", {"x": 1})
        thread = threading.Thread(target=lambda t=tracker: result.append(t.resolve_context()))
        thread.start()
        thread.join()
    return result


def a_locator_of_ones_own():
    class Locator:
        def __init__(self):
            self.contexts = OrderedDict()

        def get(self):
            return self.contexts

    locator = Locator()
    tracker = Tracker(context_locator=locator)
    tracker.enter_context("a", {"x": 1})
    locator.contexts["b"] = {"y": 2}
    return [dict(locator.contexts), tracker.resolve_context()]


def locators_return():
    locator = DefaultContextLocator()
    contexts = locator.get()
    contexts["a"] = {"x": 1}
    return [type(contexts).__name__, dict(locator.get()), dict(DefaultContextLocator().get())]


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


class DjangoMemory(Memory):
    pass


def django_trees():
    tracker = DjangoTracker()
    with Log("tl") as log:
        tracker.emit("kept", {"a": 1})
        tracker.emit("other", {"a": 1})
    nested = tracker.backends["nested"]
    memory = nested.backends["memory"]
    return [
        sorted(tracker.backends),
        type(nested).__name__,
        [type(each).__name__ for each in nested.processors],
        [memory.label, shown(memory.options), shown(memory.events)],
        len(log.lines),
        type(tracker.located_context).__name__,
    ]


def the_default_tracker_of_django():
    tracker = get_tracker()
    return [type(tracker).__name__, sorted(tracker.backends)]


def overriding_the_default_tracker():
    before = get_tracker()
    with override_settings(EVENT_TRACKING_BACKENDS={"m": {"ENGINE": MEMORY}}):
        result = raised(override_default_tracker)
        found = sorted(get_tracker().backends)
    register_tracker(before)
    with override_settings(EVENT_TRACKING_ENABLED=False):
        override_default_tracker()
        unchanged = get_tracker() is before
    register_tracker(before)
    return [result, found, unchanged]


def settings_of_any_form():
    def tracker(backends=None, processors=None):
        with override_settings(
            EVENT_TRACKING_BACKENDS=backends, EVENT_TRACKING_PROCESSORS=processors
        ):
            made = DjangoTracker()
            return [
                {name: type(each).__name__ for name, each in made.backends.items()},
                [type(each).__name__ for each in made.processors],
            ]

    cases = [
        ({}, []),
        ({"m": {"ENGINE": MEMORY}}, []),
        ({"m": {"ENGINE": MEMORY, "OPTIONS": {"a": {"ENGINE": MEMORY}}}}, []),
        ({"m": {"ENGINE": MEMORY, "OPTIONS": None}}, []),
        ({"m": {}}, []),
        ({"m": {"OPTIONS": {}}}, []),
        ({"m": {"ENGINE": "nowhere.Backend"}}, []),
        ({"m": {"ENGINE": "json.Nothing"}}, []),
        ({"m": {"ENGINE": "Memory"}}, []),
        ({"m": {"ENGINE": "json.loads"}}, []),
        ({"m": {"ENGINE": MEMORY, "OPTIONS": {"label": "l"}, "MORE": 1}}, []),
        ({"m": None}, []),
        ({"m": 7}, []),
        ({"m": Memory()}, []),
        (None, []),
        ({}, None),
        (
            {},
            [
                {
                    "ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor",
                    "OPTIONS": {"whitelist": []},
                }
            ],
        ),
        ({}, [{"ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor"}]),
        ({}, [{"ENGINE": "json.Nothing"}]),
        ({}, [print]),
        ({}, [{"OPTIONS": {}}]),
        ({}, {"a": {"ENGINE": MEMORY}}),
    ]
    return [raised(tracker, *case) for case in cases]


def options_are_instantiated_at_any_depth():
    inner = {"ENGINE": MEMORY, "OPTIONS": {"label": "inner"}}
    options = {
        "one": inner,
        "many": [inner, 7],
        "named": {"x": inner, "y": 7},
        "text": "t",
        "pair": (inner,),
    }
    with override_settings(EVENT_TRACKING_BACKENDS={"m": {"ENGINE": MEMORY, "OPTIONS": options}}):
        made = DjangoTracker().backends["m"]

    def kinds(value):
        if isinstance(value, dict):
            return {key: kinds(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [type(value).__name__, *map(kinds, value)]
        return type(value).__name__

    return kinds(made.options)


def settings_of_other_names():
    names = {"OTHER_BACKENDS": {"m": {"ENGINE": MEMORY}}, "OTHER_PROCESSORS": []}
    with override_settings(**names):
        tracker = DjangoTracker("OTHER_BACKENDS", "OTHER_PROCESSORS")
    return [sorted(tracker.backends), raised(DjangoTracker, "NOT_THERE", "NOT_THERE_EITHER")[0]]


def routing_through_celery():
    memory = Memory()

    def change(event):
        event["data"]["seen"] = True

    before = get_tracker()
    backend = AsyncRoutingBackend(backend_name="async", backends={"m": memory}, processors=[change])
    register_tracker(Tracker({"async": backend}))
    try:
        with Log("eventtracking") as log:
            get_tracker().emit("x", {"a": 1, "when": datetime(2026, 1, 1, tzinfo=UTC)})
    finally:
        register_tracker(before)
    return [
        [
            {**shown(event), "timestamp": type(event["timestamp"]).__name__}
            for event in memory.events
        ],
        log.lines,
    ]


def an_exit_on_the_way_to_celery():
    memory = Memory()
    before = get_tracker()
    backend = AsyncRoutingBackend(
        backend_name="async", backends={"m": memory}, processors=[Failing(EventEmissionExit("why"))]
    )
    register_tracker(Tracker({"async": backend}))
    try:
        with Log("eventtracking") as log:
            get_tracker().emit("x", {"a": 1})
    finally:
        register_tracker(before)
    return [len(memory.events), [line[:2] for line in log.lines]]


def wrong_names_of_async_backends():
    memory = Memory()
    backend = AsyncRoutingBackend(backends={"m": memory})
    with Log("eventtracking") as log:
        result = raised(backend.send, {"name": "x"})
    return [result, [line[:2] for line in log.lines], backend.backend_name, len(memory.events)]


def a_list_through_celery():
    memory = Memory()
    before = get_tracker()
    backend = AsyncRoutingBackend(
        backend_name="async",
        backends={"m": memory},
        processors=[lambda event: [{"a": 1}, {"b": 2}]],
    )
    register_tracker(Tracker({"async": backend}))
    try:
        get_tracker().emit("x", {"a": 1})
    finally:
        register_tracker(before)
    return shown(memory.events)


def what_modules_have():
    from eventtracking import exceptions
    from eventtracking.django import apps, django_tracker

    return [
        exceptions.ImproperlyConfigured.__mro__[1].__name__,
        apps.EventTrackingConfig.name,
        apps.EventTrackingConfig.label,
        django_tracker.DJANGO_BACKEND_SETTING_NAME,
        django_tracker.DJANGO_PROCESSOR_SETTING_NAME,
        django_tracker.DJANGO_ENABLED_SETTING_NAME,
        [
            each.__mro__[1].__name__
            for each in (EventEmissionExit, NoBackendEnabled, NoTransformerImplemented)
        ],
        issubclass(AsyncRoutingBackend, RoutingBackend),
        issubclass(DjangoTracker, Tracker),
    ]


SCENARIOS = [
    value
    for name, value in list(globals().items())
    if isinstance(value, types.FunctionType)
    and value.__module__ == __name__
    and not value.__code__.co_argcount
    and not value.__code__.co_flags & 0x0C
]


def main() -> None:
    logging.getLogger("eventtracking").propagate = False
    results = {}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = json.loads(json.dumps(scenario(), default=shown))
        except BaseException as error:
            results[scenario.__name__] = ["the scenario failed", type(error).__name__, str(error)]
    json.dump(results, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
