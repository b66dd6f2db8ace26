"""The views that the tests ask."""

import asyncio

from asgiref.sync import async_to_sync, sync_to_async
from django.contrib import admin
from django.contrib.auth import get_user_model, login
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

import eventtracking_core as et


def shown(request, order):
    et.emit("shown", {"order": order})
    return HttpResponse("ok")


async def shown_async(request, order):
    await asyncio.sleep(0)
    et.emit("shown", {"order": order})
    return HttpResponse("ok")


def streamed(request, order):
    def chunks():
        try:
            for part in ("a", "b"):
                et.emit(f"chunk.{part}", {"order": order})
                yield part
        finally:
            et.emit("closed", {"order": order})

    return StreamingHttpResponse(chunks())


async def streamed_async(request, order):
    async def chunks():
        for part in ("a", "b"):
            await asyncio.sleep(0)
            et.emit(f"chunk.{part}", {"order": order})
            yield part

    return StreamingHttpResponse(chunks())


def entering(request, order):
    et.emit("entered", {"order": order})
    et.get_tracker().enter_context("leaking", {"leak": order})  # and never left
    return HttpResponse("ok")


async def endless_async(request, order):
    async def chunks():
        try:
            while True:
                await asyncio.sleep(0)
                yield "a"
        finally:
            et.emit("closed", {"order": order})

    return StreamingHttpResponse(chunks())


def to_async(request):
    async def inner():
        await asyncio.sleep(0)
        et.emit("inside")

    async_to_sync(inner)()
    return HttpResponse("ok")


async def to_sync(request):
    await sync_to_async(et.emit)("inside")
    return HttpResponse("ok")


def committed(request):
    with transaction.atomic():
        transaction.on_commit(lambda: et.emit("committed"))
        et.emit("before")
    return HttpResponse("ok")


def log_in(request):
    user = get_user_model().objects.get(username=request.GET["name"])
    login(request, user)
    return HttpResponse("ok")


def failing(request):
    et.emit("failing")
    raise RuntimeError("of the view")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("orders/<int:order>/", shown),
    path("async/orders/<int:order>/", shown_async),
    path("stream/<int:order>/", streamed),
    path("async/stream/<int:order>/", streamed_async),
    path("entering/<int:order>/", entering),
    path("async/endless/<int:order>/", endless_async),
    path("to-async/", to_async),
    path("to-sync/", to_sync),
    path("committed/", committed),
    path("login/", log_in),
    path("failing/", failing),
]
