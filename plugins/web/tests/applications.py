"""Applications that the tests start under real servers."""

import asyncio
import os

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

import eventtracking_core as et
from eventtracking_web import ASGIMiddleware, WSGIMiddleware

delivery = {"mode": os.environ["EVENTS_MODE"]}
if delivery["mode"] == "spool":
    delivery["directory"] = "spool"
store = {"type": "sqlite", "path": os.environ["EVENTS_DB"], "delivery": delivery}
et.configure({"shutdown_timeout": 60, "backends": {"store": store}})
emitted = os.open("emitted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def dropped():
    """Return how many events were not accepted, since the process was ending already."""
    return et.get_tracker().stats()["tree"]["backends"][0]["dropped"].get("shutdown", 0)


def say(name, user):
    """Emit, and note the event if it was accepted."""
    before = dropped()
    event_id = et.emit(name, {"user": user})
    if dropped() == before:
        os.write(emitted, f"{event_id}\n".encode())


def ready(request):
    return PlainTextResponse("ready")


async def in_the_loop(request):
    user = request.path_params["user"]
    say("asked", user)
    await asyncio.sleep(0)
    say("asked.again", user)
    return PlainTextResponse("ab", background=BackgroundTask(say, "afterwards", user))


def in_a_thread(request):
    user = request.path_params["user"]
    say("asked", user)
    say("asked.again", user)
    return PlainTextResponse("ab", background=BackgroundTask(say, "afterwards", user))


async def streamed(request):
    user = request.path_params["user"]

    async def parts():
        for part in "ab":
            await asyncio.sleep(0)
            say("part", user)
            yield part

    say("asked", user)
    return StreamingResponse(parts())


bare_asgi = Starlette(
    routes=[
        Route("/ready", ready),
        Route("/loop/{user}", in_the_loop),
        Route("/thread/{user}", in_a_thread),
        Route("/stream/{user}", streamed),
    ]
)


def bare_wsgi(environ, start_response):
    """Answer at once or in parts, as the path says."""
    kind, _, user = environ["PATH_INFO"][1:].partition("/")
    if kind == "ready":
        start_response("200 OK", [("Content-Length", "5")])
        return [b"ready"]
    say("asked", user)
    start_response("200 OK", [("Content-Length", "2")])
    if kind == "stream":
        return parts(user)
    say("asked.again", user)
    say("afterwards", user)
    return [b"ab"]


def parts(user):
    for part in (b"a", b"b"):
        say("part", user)
        yield part


def path_user(scope):
    return scope.get("path", scope.get("PATH_INFO", "")).rpartition("/")[2]


asgi = ASGIMiddleware(bare_asgi, user=path_user)
wsgi = WSGIMiddleware(bare_wsgi, user=path_user)
