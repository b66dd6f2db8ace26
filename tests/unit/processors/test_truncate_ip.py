"""Addresses that name a network and nobody in it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.processors.truncate_ip import TruncateIp


def truncated(value):
    """Return the data that is left of an event with such an address."""
    event = {"id": "1", "name": "n", "context": {}, "data": {"ip": value}}
    return TruncateIp(["data.ip"])(event)["data"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0"),
        (" 203.0.113.7 ", "203.0.113.0"),
        ("2001:db8:1:2::7", "2001:db8:1::"),
        ("2001:DB8:0001:2:3:4:5:6", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.7", "203.0.113.0"),
        (IPv4Address("203.0.113.7"), "203.0.113.0"),
        (IPv6Address("2001:db8:1:2::7"), "2001:db8:1::"),
        (["203.0.113.7", "unknown", None], ["203.0.113.0", None]),
        (None, None),
    ],
)
def test_the_network_stays(address, network):
    assert truncated(address) == {"ip": network}


@pytest.mark.parametrize(
    "value",
    ["", "localhost", "203.0.113.7:80", "203.0.113.7, 10.0.0.1", "203.0.113.7/32", 3405803783, {}],
)
def test_what_is_no_address_is_removed(value):
    assert truncated(value) == {}


@given(address=st.ip_addresses())
def test_what_is_left_is_the_same_for_the_whole_network(address):
    [left] = truncated(str(address)).values()
    network = ip_network((left, 24 if "." in left else 48))

    assert ip_address(left) == network.network_address
    assert (getattr(address, "ipv4_mapped", None) or address) in network


def test_it_looks_for_the_class_ip_unless_told_otherwise(memory):
    tracker = et.Tracker({"memory": memory}, processors=[TruncateIp()])
    tracker.register("a.b", "", {"from": et.FieldDoc("", pii="ip")})
    tracker.emit("a.b", {"from": "203.0.113.7", "to": "203.0.113.8"})

    assert memory.events[0]["data"] == {"from": "203.0.113.0", "to": "203.0.113.8"}
