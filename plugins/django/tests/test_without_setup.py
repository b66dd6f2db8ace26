"""An outbox where Django, or its application, is not set up."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.test import modify_settings

import eventtracking_core as et

OUTBOX = {"backends": {"a": {"type": "django.outbox", "backends": {"b": "memory"}}}}


@pytest.mark.once
def test_an_outbox_without_a_django_that_is_set_up_is_a_problem_that_says_so():
    ran = subprocess.run(
        [sys.executable, "-c", f"import eventtracking_core as et; et.configure({OUTBOX})"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "ConfigurationError" in ran.stderr
    assert "backends.a: set DJANGO_SETTINGS_MODULE, and call django.setup() first" in ran.stderr


def test_an_outbox_whose_application_is_not_installed_is_a_problem_that_says_so():
    with (
        modify_settings(INSTALLED_APPS={"remove": ["eventtracking_django"]}),
        pytest.raises(et.ConfigurationError, match=r'backends\.a: add "eventtracking_django" to'),
    ):
        et.Tracker().configure(OUTBOX)
