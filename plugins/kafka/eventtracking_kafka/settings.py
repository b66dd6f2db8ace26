"""Settings of librdkafka: those that are fixed, and those that it does not take."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaException, Producer

__all__ = ["FIXED", "Setting", "refused_settings"]

Setting = str | int | float | bool

FIXED: Final[dict[str, Setting]] = {
    "enable.idempotence": True,
    "message.timeout.ms": 0,
    "delivery.report.only.error": True,
}
"""Settings of librdkafka that the promises depend on."""

_REMOTE: Final = frozenset({"bootstrap.servers", "metadata.broker.list"})
"""Settings without which nothing is connected to."""


def refused_settings(own: dict[str, Setting], extra: dict[str, Setting]) -> list[str]:
    """Return the names of further settings that librdkafka does not take with the others.

    The producers that find out have no brokers, so nothing is connected to; their threads have
    ended when this returns.
    """
    extra = {name: value for name, value in extra.items() if name not in FIXED}
    if not extra or _is_taken(own | extra) or not _is_taken(own):
        return []
    alone = [name for name, value in extra.items() if not _is_taken({**own, name: value})]
    others = {name: value for name, value in extra.items() if name not in alone}
    refused = [name for name in alone if not _is_taken({**own, **others, name: extra[name]})]
    return refused or list(extra)


def _is_taken(settings: dict[str, Setting]) -> bool:
    local = {name: value for name, value in settings.items() if name not in _REMOTE}
    try:
        Producer(local | FIXED)
    except (KafkaException, TypeError, ValueError):
        return False
    return True
