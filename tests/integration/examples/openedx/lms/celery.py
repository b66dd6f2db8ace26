import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
APP = Celery("lms")
APP.config_from_object("django.conf:settings", namespace="CELERY")
APP.autodiscover_tasks()
