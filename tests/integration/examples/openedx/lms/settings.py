"""An Open edX that changed the names of applications, and not a line of its event tracking."""

import os

SECRET_KEY = "not-a-secret"
USE_TZ = True
DATABASES = {}
INSTALLED_APPS = ["eventtracking_django", "eventtracking_async_router"]
MIDDLEWARE = ["eventtracking_django.middleware.EventTrackingMiddleware"]

CELERY_BROKER_URL = os.environ["LMS_BROKER"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 300} if CELERY_BROKER_URL.startswith("redis") else {}
)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1

LOGGING = {
    "version": 1,
    "handlers": {"tracking": {"class": "logging.FileHandler", "filename": "tracking.log"}},
    "loggers": {"tracking": {"handlers": ["tracking"], "level": "INFO"}},
}

# The sample of the documentation of event-tracking, in whose place an ellipsis stands there.
# ruff: noqa: Q000
# fmt: off
EVENT_TRACKING_BACKENDS = {
    'caliper': {
        'ENGINE': 'eventtracking.backends.async_routing.AsyncRoutingBackend',
        'OPTIONS': {
            'backend_name': 'caliper',
            'processors': [
                {
                    'ENGINE': 'eventtracking.processors.regex_filter.RegexFilter',
                    'OPTIONS': {
                        'filter_type': 'allowlist',
                        'regular_expressions': [
                            'edx.course.enrollment.activated',
                            'edx.course.enrollment.deactivated',
                        ]
                    }
                }
            ],
            'backends': {
                'caliper': {
                    'ENGINE': 'dummy.backend.engine',
                    'OPTIONS': {
                        'uri': os.environ['LMS_MONGO'],
                        'database': os.environ['LMS_DATABASE'],
                    }
                }
            },
        },
    },
    'tracking_logs': {
        'ENGINE': 'eventtracking.backends.routing.RoutingBackend',
        'OPTIONS': {
            'backends': {
                'logger': {
                    'ENGINE': 'eventtracking.backends.logger.LoggerBackend',
                    'OPTIONS': {
                        'name': 'tracking',
                        'max_event_size': 50000,
                    }
                }
            },
            'processors': []
        }
    },
}
# fmt: on
