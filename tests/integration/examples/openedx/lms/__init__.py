from lms.celery import APP

__all__ = ["APP"]
