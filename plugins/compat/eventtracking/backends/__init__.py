"""Backends: where events go."""
