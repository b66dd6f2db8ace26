"""The project: its settings, and the applications that servers and workers load."""

from shop.celery import app

__all__ = ["app"]
