"""Processors: filters, and the exceptions that processors raise."""
