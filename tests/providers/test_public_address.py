"""Which addresses a call may go to, address by address; both callers that a person can point somewhere ask the same."""

from __future__ import annotations

import socket

import pytest

from providers.errors import Refused
from providers.http import health_probe, public_address

PUBLIC = {
    "an IPv4 host": "93.184.216.34",
    "the first address": "1.0.0.1",
    "beside 100.64.0.0/10": "100.128.0.1",
    "beside 172.16.0.0/12": "172.32.0.1",
    "beside 192.0.0.0/24": "192.0.1.1",
    "beside 198.18.0.0/15": "198.20.0.1",
    "the last before multicast": "223.255.255.255",
    "an IPv6 host": "2606:2800:220:1:248:1893:25c8:1946",
    "beside protocol assignments": "2001:200::1",
    "mapped, public inside": "::ffff:8.8.8.8",
    "mapped, public inside, in hexadecimal": "::ffff:808:808",
    "NAT64, public inside": "64:ff9b::808:808",
}
REFUSED = {
    "this network": "0.0.0.0",
    "this network, a host": "0.1.2.3",
    "private 10": "10.1.2.3",
    "shared (carrier NAT)": "100.64.0.1",
    "shared, a cloud's metadata": "100.100.100.200",
    "loopback": "127.0.0.1",
    "loopback, its end": "127.255.255.254",
    "link-local, metadata": "169.254.169.254",
    "private 172, first": "172.16.0.1",
    "private 172, last": "172.31.255.255",
    "protocol assignments": "192.0.0.8",
    "protocol assignments, an anycast": "192.0.0.9",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.7",
    "documentation 3": "203.0.113.7",
    "AS112": "192.31.196.1",
    "AMT": "192.52.193.1",
    "6to4 relay": "192.88.99.1",
    "private 192": "192.168.0.1",
    "AS112, delegated": "192.175.48.1",
    "benchmarking": "198.19.255.255",
    "multicast": "224.0.0.1",
    "multicast, its end": "239.255.255.250",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 unspecified": "::",
    "IPv6 loopback": "::1",
    "compatible, loopback inside": "::127.0.0.1",
    "compatible, public inside": "::8.8.8.8",
    "mapped, loopback inside": "::ffff:127.0.0.1",
    "mapped, private inside, in hexadecimal": "::ffff:a00:1",
    "mapped, metadata inside": "::ffff:169.254.169.254",
    "translated (SIIT), public inside": "::ffff:0:808:808",
    "NAT64, loopback inside": "64:ff9b::7f00:1",
    "NAT64, private inside": "64:ff9b::a00:1",
    "NAT64 for local use, loopback inside": "64:ff9b:1::7f00:1",
    "NAT64 for local use, public inside": "64:ff9b:1::808:808",
    "beside NAT64": "64:ff9b:0:1::808:808",
    "6to4, loopback inside": "2002:7f00:1::",
    "6to4, public inside": "2002:808:808::1",
    "Teredo, private inside": "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    "Teredo, public inside": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "discard only": "100::1",
    "dummy": "100:0:0:1::1",
    "IPv6 benchmarking": "2001:2::1",
    "ORCHID": "2001:10::1",
    "ORCHID 2": "2001:20::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, the newer": "3fff::1",
    "IPv6 AS112": "2620:4f:8000::1",
    "segment routing": "5f00::1",
    "never allocated": "4000::1",
    "unique local": "fc00::1",
    "unique local, metadata": "fd00:ec2::254",
    "IPv6 link-local": "fe80::1",
    "IPv6 site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "a zone on link-local": "fe80::1%eth0",
    "a zone on a public address": "2606:2800:220:1:248:1893:25c8:1946%eth0",
    "a zone on a mapped address": "::ffff:8.8.8.8%1",
    "an empty zone": "2606:2800:220:1:248:1893:25c8:1946%",
    "octal": "0177.0.0.1",
    "octal, public when read as decimal": "010.8.8.8",
    "short": "127.1",
    "short, public": "8.8",
    "one number": "2130706433",
    "hexadecimal": "0x7f000001",
    "a final dot": "8.8.8.8.",
    "a space": " 8.8.8.8",
    "brackets": "[2606:2800:220:1:248:1893:25c8:1946]",
    "a prefix": "8.8.8.0/24",
    "a name": "example.com",
    "nothing": "",
}


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert public_address.is_public(address) is True


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_any_other_address_is_not(address: str) -> None:
    assert public_address.is_public(address) is False


@pytest.mark.parametrize(
    ("address", "called"),
    [("::ffff:8.8.8.8", True), ("::8.8.8.8", False), ("64:ff9b:1::7f00:1", False), ("2002:808:808::1", False)],
)
def test_both_callers_decide_alike(address: str, called: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: [(10, 1, 6, "", (address, port, 0, 0))])

    try:
        posted = public_address.check("https://hook.example/").address == address
    except Refused:
        posted = False
    try:
        probed = health_probe.checked_addresses("health.example", 443, allow_private=False) == [address]
    except ValueError:
        probed = False

    assert (posted, probed) == (called, called)
