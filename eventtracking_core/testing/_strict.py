"""Tests fail where an event is not what it should be: `--eventtracking-strict`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest

from eventtracking_core.diagnostics import observers

__all__ = ["Strict"]


class Strict:
    """A pytest plugin that fails a test in which a tracker warned of an event."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Run a test, its fixtures or their ends; fail it after that."""
        warnings: Counter[str] = Counter()

        def tell(_code: str, name: str, message: str) -> None:
            warnings[f"  {name}: {message}"] += 1

        observers.append(tell)
        try:
            result = yield
        finally:
            observers.remove(tell)
        if warnings:
            lines = [
                f"{line} ({times} times)" if times > 1 else line for line, times in warnings.items()
            ]
            pytest.fail("\n".join(["events are not what they should be:", *lines]), pytrace=False)
        return result

    pytest_runtest_setup = pytest_runtest_teardown = pytest_runtest_call
