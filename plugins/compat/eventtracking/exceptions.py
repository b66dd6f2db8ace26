"""Errors of a configuration."""

from __future__ import annotations

__all__ = ["ImproperlyConfigured"]


class ImproperlyConfigured(Exception):  # noqa: N818  its name is the one that applications catch
    """An option has an unusable value."""
