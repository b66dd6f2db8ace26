"""Cut IP addresses, so that they name a network and not a person in it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from eventtracking_core.encoding import normalize
from eventtracking_core.processors._fields import readable
from eventtracking_core.processors._personal import FieldProcessor, Unclassified

__all__ = ["TruncateIp"]

IPV4_BITS: Final = 24
IPV6_BITS: Final = 48

_NO_ADDRESS: Final = object()


class TruncateIp(FieldProcessor):
    """Keep the network of internet addresses: /24 of IPv4, /48 of IPv6. Fails closed.

    `203.0.113.7` becomes `203.0.113.0`, `2001:db8:1:2::7` becomes `2001:db8:1::`. A value that
    is not an address is removed, and so is such an element of a list; null stays null.

    Args:
        fields: dotted fields: `["context.ip"]`.
        pii: classes of personal data: the fields that registered types declare to hold it; `ip`,
            if there is neither field nor class.
        unclassified: with `pii`, whether an event of a type that is not registered is dropped, or
            passes with only `fields` cut.

    Raises:
        ValueError: a field lies neither below `context` nor below `data`.
    """

    def __init__(
        self,
        fields: list[str] | None = None,
        pii: list[str] | None = None,
        unclassified: Unclassified = "drop",
    ) -> None:
        super().__init__(fields, pii or (None if fields else ["ip"]), unclassified)

    def _change(self, mapping: dict[str, Any], key: str) -> None:
        value = mapping[key]
        cut = _cut(normalize(value) if isinstance(value, list | tuple) else value)
        if cut is _NO_ADDRESS:
            del mapping[key]
        else:
            mapping[key] = cut


def _cut(value: object) -> object:
    known = value if isinstance(value, str) else readable(value)
    if known is None:
        return None
    if isinstance(known, list | tuple):
        return [cut for item in known if (cut := _cut(item)) is not _NO_ADDRESS]
    if not isinstance(known, str):
        return _NO_ADDRESS
    try:
        return _network(ip_address(str.__str__(known).strip()))
    except ValueError:
        return _NO_ADDRESS


def _network(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    bits = IPV4_BITS if isinstance(address, IPv4Address) else IPV6_BITS
    network = (int(address).to_bytes(address.max_prefixlen // 8), bits)
    return str(ip_network(network, strict=False).network_address)
