"""Settings. The environment has what differs between a developer's machine and production."""

import os
from pathlib import Path

BASE = Path(__file__).parent.parent
DATA = Path(os.environ.get("SHOP_DATA", BASE))

DEBUG = "SHOP_SECRET_KEY" not in os.environ
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "only for development")
ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS", "localhost 127.0.0.1").split()

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "eventtracking_django",
    "orders",
]
MIDDLEWARE = [
    "eventtracking_django.middleware.EventTrackingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

# Where events go. Without a MongoDB, the warehouse is a file.
if "SHOP_MONGO_URI" in os.environ:
    WAREHOUSE = {"type": "mongo", "uri": os.environ["SHOP_MONGO_URI"], "database": "shop"}
else:
    WAREHOUSE = {"type": "file", "path": str(DATA / "warehouse.ndjson")}

EVENTTRACKING = {
    "backends": {
        # Every event; the events of a transaction when it commits.
        "archive": {
            "type": "django.on_commit",
            "backends": {
                "sqlite": {
                    "type": "sqlite",
                    "path": str(DATA / "events.db"),
                    "delivery": "queue",
                },
            },
        },
        # The events that must not be lost: rows, written in the transaction of the order.
        "outbox": {
            "type": "django.outbox",
            "processors": [
                {
                    "type": "regex_filter",
                    "filter_type": "allowlist",
                    "regular_expressions": [r"shop\.order\.(placed|refused)"],
                }
            ],
            "backends": {"warehouse": WAREHOUSE},
        },
    },
}

# Without a broker, tasks run at once.
CELERY_BROKER_URL = os.environ.get("SHOP_BROKER_URL")
CELERY_TASK_ALWAYS_EAGER = CELERY_BROKER_URL is None

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "shop.db",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
ROOT_URLCONF = "shop.urls"
STATIC_ROOT = DATA / "static"
STATIC_URL = "static/"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
USE_TZ = True
