"""What may be delivered to: public unicast, in every spelling, and nothing that an IPv6 address wraps."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.runtime.destinations import addresses


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "this network"),
        ("0.1.2.3", "this network"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("169.254.170.2", "link-local"),
        ("100.64.0.1", "shared"),
        ("100.100.100.200", "shared"),
        ("168.63.129.16", "metadata"),
        ("192.0.0.192", "reserved"),
        ("192.0.2.1", "documentation"),
        ("198.18.0.1", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("192.88.99.1", "6to4"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::7f00:1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:0:7f00:1", "reserved"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::1", "translated"),
        ("100::1", "reserved"),
        ("2001::1", "reserved"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "reserved"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("2002:a9fe:a9fe::1", "6to4"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "private"),
        ("fd20:ce::254", "private"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("4000::1", "reserved"),
    ],
)
def test_what_is_not_public_is_refused_by_its_kind(text: str, kind: str) -> None:
    assert kind in (addresses.refusal(ipaddress.ip_address(text)) or "")


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "168.63.129.15",
        "223.255.255.255",
        "192.0.1.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_what_is_public_is_taken(text: str) -> None:
    assert addresses.refusal(ipaddress.ip_address(text)) is None


def global_unicast(address: addresses.Address) -> bool:
    """By the standard library, the second judge."""
    wrapped = address.ipv4_mapped or address.sixtofour if isinstance(address, ipaddress.IPv6Address) else None
    judged = wrapped or address
    return judged.is_global and not judged.is_multicast and not judged.is_reserved


near = st.sampled_from([*addresses._V4.split("\n")[1:-1], *addresses._V6.split("\n")[1:-1]]).map(
    lambda row: ipaddress.ip_network(row.split()[0])
)


@given(st.ip_addresses() | near.flatmap(lambda network: st.integers(0, 3).map(lambda n: network[0] + n) | st.just(network[-1])))
def test_nothing_is_taken_that_the_standard_library_calls_private(address: addresses.Address) -> None:
    if addresses.refusal(address) is None:
        assert global_unicast(address) or address in ipaddress.ip_network("64:ff9b::/96")


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_however_ipv6_wraps_it(address: ipaddress.IPv4Address) -> None:
    for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert addresses.refusal(ipaddress.ip_address(wrapped)) == addresses.refusal(address)


@given(near.flatmap(lambda network: st.integers(0, network.num_addresses - 1).map(lambda n: network[n])))
def test_every_address_of_a_refused_network_is_refused(address: addresses.Address) -> None:
    assert addresses.refusal(address)


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("localhost", "this machine"),
        ("api.localhost", "this machine"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("fe80::1%eth0", "link-local"),
        ("2130706433", "unusual form"),
        ("0x7f000001", "unusual form"),
        ("0x7f.0.0.1", "unusual form"),
        ("0x7f.1", "unusual form"),
        ("127.1", "unusual form"),
        ("0177.0.0.1", "unusual form"),
        ("127.0.0.01", "unusual form"),
        ("10.0.0.0x1", "unusual form"),
        ("1.2.3.4.5", "unusual form"),
        ("256.256.256.256", "unusual form"),
        ("example.0x", "unusual form"),
        ("exämple.com", "not a host name"),
        ("127。0。0。1", "not a host name"),
        ("①②⑦.0.0.1", "not a host name"),
        ("a..b", "not a host name"),
        (".example.com", "not a host name"),
        ("-a.example.com", "not a host name"),
        ("a" * 64 + ".com", "not a host name"),
        ("a." * 130 + "com", "not a host name"),
        ("", "not a host name"),
        ("a b", "not a host name"),
    ],
)
def test_a_host_is_refused_before_it_is_resolved(host: str, why: str) -> None:
    assert why in (addresses.host_fault(host) or "")


@pytest.mark.parametrize(
    "host", ["example.com", "xn--exmple-cua.com", "a_b.example.com", "8.8.8.8", "2606:4700::1111", "intranet", "1password.com", "a.b.c.d9"]
)
def test_other_hosts_are_resolved_first(host: str) -> None:
    assert addresses.host_fault(host) is None
