"""What the tests of the promises share."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def measured(record_property, capsys):
    """Says what was measured, in the report and on the terminal."""

    def say(name, figures):
        record_property(name, figures)
        with capsys.disabled():
            sys.stdout.write(f"\n{name}: {figures}\n")

    return say
