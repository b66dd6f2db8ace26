"""Contexts and traces in the tasks of an application."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.drivers

APPLICATION = '''
"""An application with a task that emits, and its own Celery."""

import celery
import eventtracking_core as et
from eventtracking_async_router import propagate

app = celery.Celery("shop", broker={broker!r}, include=["eventtracking_async_router.tasks"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={{"visibility_timeout": 5}},
    task_default_queue={queue!r},
)
propagate(app)
et.configure({config!r})


@app.task(name="grade")
def grade(n):
    et.emit("graded", {{"n": n}})
    if n:
        grade.delay(n - 1)
'''

CALLER = """
import eventtracking_core as et, shop
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

trace = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7, True, TraceFlags(1))
with et.context("request", {"user_id": 7, "ip": "203.0.113.9", "course_id": "c"}):
    with use_span(NonRecordingSpan(trace)):
        shop.grade.delay(2)
        shop.grade.apply_async((0,), headers={"eventtracking": {"eventtracking-context": "[]"}})
shop.grade.delay(0)
"""


def test_what_a_task_emits_has_the_context_of_the_request(site, redis_url, eventually):
    import subprocess
    import sys

    node = site.node(None, {"store": site.store()}, app="shop:app")
    site.config.write_text(json.dumps({"context": ["trace"], "backends": {"node": node}}))
    text = APPLICATION.format(broker=redis_url, queue=site.queue, config=str(site.config))
    (site.directory / "shop.py").write_text(text)
    worker = site.worker("-c", "2", app="shop")
    subprocess.run(
        [sys.executable, "-c", CALLER],
        env=site.environment(),
        cwd=site.directory,
        check=True,
        timeout=60,
    )
    eventually(lambda: len(site.stored()) >= 3 and sum(site.stored().values()) == 5)
    events = site.events()
    assert {event["name"] for event in events} == {"graded"}
    ours = [event["context"] for event in events if event["context"]]
    assert len(ours) == 4
    for context in ours:
        assert context["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
        assert (context["user_id"], context["course_id"]) == (7, "c")
        assert "ip" not in context
    assert "Traceback" not in worker.stop()
