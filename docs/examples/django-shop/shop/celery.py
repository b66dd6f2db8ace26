"""The Celery application: its tasks know whose request sent them."""

import os

from celery import Celery

from eventtracking_async_router import propagate

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
propagate(app, keys=["user_id", "request_id"])
