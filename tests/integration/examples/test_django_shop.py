"""The Django example of the documentation, on real servers, with SQLite and MongoDB."""

from __future__ import annotations

import json
from collections import Counter
from uuid import uuid4

import pymongo
import pytest

GUNICORN = ("-m", "gunicorn", "shop.wsgi", "--bind", "127.0.0.1:PORT", "--threads", "4")
UVICORN = ("-m", "uvicorn", "shop.asgi:application", "--port", "PORT")

BOUGHT = {"shop.order.placed": 3, "shop.order.refused": 2}
ALL = BOUGHT | {"shop.receipt.sent": 3, "shop.order.shown": 3, "shop.orders.exported": 1}

SET_UP = """
import django, json
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

call_command("migrate", verbosity=0)
call_command("loaddata", "products", verbosity=0)
sessions = {}
for name in ("ada", "bob"):
    user = User.objects.create_superuser(name)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    sessions[name] = session.session_key
print(json.dumps(sessions))
"""


@pytest.fixture
def shop(example, mongo_uri):
    """The shop with a database of its own, products, two users who are logged in, and MongoDB."""
    name = f"shop_{uuid4().hex}"
    shop = example(
        "django-shop",
        DJANGO_SETTINGS_MODULE="shop.settings",
        SHOP_MONGO_URI=mongo_uri,
        SHOP_SECRET_KEY="of the test",
    )
    settings = shop.directory / "shop" / "settings.py"
    settings.write_text(settings.read_text().replace('"database": "shop"', f'"database": "{name}"'))
    shop.sessions = json.loads(shop.run("-c", SET_UP))
    with pymongo.MongoClient(mongo_uri) as client:
        shop.warehouse = client[name]["events"]
        yield shop
        client.drop_database(name)


def use(shop, client):
    """Order as two users, one after the other; look at what they ordered."""

    def order(user, quantity):
        client.cookies.set("sessionid", shop.sessions[user])
        wanted = {"product": "lamp", "quantity": quantity, "email": "private@example.org"}
        return client.post("/orders/", json=wanted).status_code

    assert [order("ada", quantity) for quantity in (1, 2, 99)] == [201, 201, 409]
    assert [order("bob", quantity) for quantity in (3, 99)] == [201, 409]
    for number in (1, 2, 3):
        assert client.get(f"/orders/{number}/").json()["quantity"] == number
    assert client.get("/orders.csv").text == "1,1\n2,2\n3,3\n"


def users(events):
    """Return how often each user is in the context of each name."""
    return Counter((event["name"], int(event["context"].get("user_id") or 0)) for event in events)


def has_everything(shop):
    stored, bought = shop.stored(), list(shop.warehouse.find())
    assert Counter(event["name"] for event in stored) == ALL
    assert Counter(event["name"] for event in bought) == BOUGHT
    assert {event["_id"] for event in bought} < {event["id"] for event in stored}
    assert users(bought) == {
        ("shop.order.placed", 1): 2,
        ("shop.order.placed", 2): 1,
        ("shop.order.refused", 1): 1,
        ("shop.order.refused", 2): 1,
    }
    assert users(stored) == users(bought) | {
        ("shop.receipt.sent", 1): 2,
        ("shop.receipt.sent", 2): 1,
        ("shop.order.shown", 2): 3,
        ("shop.orders.exported", 2): 1,
    }
    assert "private" not in f"{stored}{bought}"


def test_on_gunicorn_the_events_of_committed_orders_arrive_with_their_users(shop):
    server, client = shop.serve(*GUNICORN, "--workers", "2")
    use(shop, client)
    server.end()
    shop.run("manage.py", "eventtracking", "deliver", "--once")
    has_everything(shop)


def test_on_uvicorn_with_a_worker_and_a_deliverer_too(shop, redis_url, eventually):
    shop.environment["SHOP_BROKER_URL"] = redis_url
    programs = [
        shop.start(
            *("-m", "celery", "--app", "shop", "worker", "--concurrency", "1"),
            *("--max-tasks-per-child", "1", "--without-gossip", "--without-mingle"),
        ),
        shop.start("manage.py", "eventtracking", "deliver", "--interval", "0.1"),
    ]
    server, client = shop.serve(*UVICORN)
    programs.append(server)
    use(shop, client)

    def arrived():
        assert [program.process.poll() for program in programs] == [None] * 3, logs()
        names = [event["name"] for event in shop.stored()]
        return names.count("shop.receipt.sent") == 3 and shop.warehouse.count_documents({}) == 5

    def logs():
        return "\n".join(program.log() for program in programs)

    eventually(arrived, logs)
    for program in programs:
        program.end()
    has_everything(shop)
