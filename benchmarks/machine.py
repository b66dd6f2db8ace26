"""On what it ran: a figure without its machine says little."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

__all__ = ["machine"]

PACKAGES: Final = (
    "eventtracking-core",
    "event-tracking",
    "msgspec",
    "opentelemetry-sdk",
    "orjson",
    "pymongo",
    "segment-analytics-python",
    "structlog",
)


def machine(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the interpreter, the processor and the versions of what took part."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        **{package: version(package) for package in packages},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # there is none outside Linux
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
