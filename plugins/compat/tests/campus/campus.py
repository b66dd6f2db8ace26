"""A campus with event-routing-backends: Django, Celery, and what it imports of the LMS."""

import os
import sys
import uuid
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

from celery import Celery
from django.conf import settings


class Lms(MetaPathFinder, Loader):
    """Makes the modules of the LMS that the transformers import."""

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {"common", "openedx"}:
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return ModuleType(spec.name)

    def exec_module(self, module):
        module.get_course_overviews = lambda ids: [{"display_name": "Demo"} for _ in ids]
        module.get_potentially_retired_user_by_username = user
        module.ExternalId = ExternalId
        module.ExternalIdType = SimpleNamespace(XAPI="xapi", CALIPER="caliper")


class ExternalId:
    @staticmethod
    def add_new_user_id(user, type_name):
        return SimpleNamespace(external_user_id=uuid.uuid5(uuid.NAMESPACE_URL, str(user))), False


def user(name):
    from django.contrib.auth import get_user_model

    return get_user_model().objects.get(username=name)


sys.meta_path.append(Lms())
settings.configure(
    SECRET_KEY="x" * 40,
    FERNET_KEYS=["y" * 40],
    USE_TZ=True,
    LMS_ROOT_URL="http://localhost:18000",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DB"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "config_models",
        "celery_utils",
        "event_routing_backends.apps.EventRoutingBackendsConfig",
        "eventtracking.django.apps.EventTrackingConfig",
    ],
    EVENT_TRACKING_ENABLED=True,
    EVENT_TRACKING_BACKENDS={},
    EVENT_TRACKING_PROCESSORS=[],
)

from event_routing_backends.settings.common import plugin_settings

plugin_settings(settings)
settings.CALIPER_EVENTS_ENABLED = True
PROCESSORS = "event_routing_backends.processors"
LRS = {
    "type": "lrs",
    "url": os.environ["LRS"],
    "username": "lrs",
    "password": "secret",
    "delivery": {
        "mode": "spool",
        "directory": os.environ["SPOOL"],
        "initial_interval": 0.1,
        "max_interval": 0.5,
        "schedule_delay": 0.05,
    },
}
FILE = {"type": "file", "path": os.environ["CALIPER"]}
NATIVE = "eventtracking.backends.native.NativeBackend"


class AsList:
    """Begin a list of events, as event-routing-backends' own router does."""

    def __call__(self, event):
        return [event]


def branch(processor, options):
    return {
        "ENGINE": "eventtracking.backends.routing.RoutingBackend",
        "OPTIONS": {
            "processors": [{"ENGINE": "campus.AsList"}, {"ENGINE": f"{PROCESSORS}.{processor}"}],
            "backends": {"native": {"ENGINE": NATIVE, "OPTIONS": options}},
        },
    }


# The documented settings route to the package's own client. These add ours beside it.
routed = settings.EVENT_TRACKING_BACKENDS["event_transformer"]["OPTIONS"]["backends"]
# SQLite tells the name of a RouterConfiguration, "xAPI", from the one here; MySQL does not.
routed["xapi"]["OPTIONS"]["backend_name"] = "xAPI"
if not os.environ.get("OWN_CLIENT"):
    routed["native_xapi"] = branch("xapi.transformer_processor.XApiProcessor", LRS)
    routed["native_caliper"] = branch("caliper.transformer_processor.CaliperProcessor", FILE)

import django

django.setup()
app = Celery("campus", broker=os.environ["BROKER"])
app.conf.broker_connection_retry_on_startup = True
app.set_default()
app.autodiscover_tasks(["event_routing_backends", "eventtracking"], force=True)
