"""Settings of a project that the tests run in processes of its own."""

import json
import os
from contextlib import suppress

with suppress(ImportError):  # Django knows drivers of MariaDB by the name of another one
    import pymysql

    pymysql.install_as_MySQLdb()

ALLOWED_HOSTS = ["*"]
DATABASES = {
    "default": json.loads(os.environ.get("SHOP_DATABASE", "null"))
    or {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.db"}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "eventtracking_django",
]
MIDDLEWARE = [
    "eventtracking_django.middleware.EventTrackingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "project_urls"
SECRET_KEY = "not-a-secret"
SILENCED_SYSTEM_CHECKS = ["admin.E403"]
USE_I18N = False
USE_TZ = True
EVENTTRACKING = json.loads(os.environ["SHOP_EVENTTRACKING"])
