"""Walks of eventtracking-core in C, which the core uses if this package is installed."""

from eventtracking_speedups._walk import plain_copy, plain_size, plain_weight

__all__ = ["plain_copy", "plain_size", "plain_weight"]
