"""Make the database of the campus, and say where the package's own client finds the LRS."""

import os

import campus  # noqa: F401  sets up Django
from django.contrib.auth import get_user_model
from django.core.management import call_command
from event_routing_backends.models import RouterConfiguration

call_command("migrate", verbosity=0)
get_user_model().objects.create(username="alice", email="alice@example.org")
if os.environ.get("OWN_CLIENT"):
    RouterConfiguration.objects.create(
        backend_name="xAPI",
        enabled=True,
        route_url=os.environ["LRS"],
        auth_scheme="Basic",
        username="lrs",
        password="secret",
        configurations={},
    )
