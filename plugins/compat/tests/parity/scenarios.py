"""What a program that uses `eventtracking` observes, as JSON: run with either distribution.

Each function without arguments, in a module of scenarios, is one. It returns what reached the
backends, and the messages and exceptions, in plain values.
"""

from __future__ import annotations

import json
import logging
import sys
import types

import observing  # first: it sets Django up
import of_contexts
import of_django_and_celery
import of_filters_and_logs
import of_trackers

SCENARIOS = [
    value
    for module in (of_trackers, of_contexts, of_filters_and_logs, of_django_and_celery)
    for value in vars(module).values()
    if isinstance(value, types.FunctionType)
    and value.__module__ == module.__name__
    and not value.__code__.co_argcount
    and not value.__code__.co_flags & 0x0C
]


def main() -> None:
    logging.getLogger("eventtracking").propagate = False
    results = {}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = json.loads(json.dumps(scenario(), default=observing.shown))
        except BaseException as error:
            results[scenario.__name__] = ["the scenario failed", type(error).__name__, str(error)]
    json.dump(results, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
