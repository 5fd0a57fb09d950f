"""Which addresses a delivery may go to: public unicast only. The lists are ours, as Python's `is_global` changed between patch releases."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# Source: IANA's IPv4 and IPv6 Special-Purpose Address Registries, multicast registry, and the cloud providers' documentation.
_V4 = """
0.0.0.0/8 this network
10.0.0.0/8 private
100.64.0.0/10 shared (carrier NAT; some clouds' metadata)
127.0.0.0/8 loopback
168.63.129.16/32 metadata (Azure)
169.254.0.0/16 link-local (most clouds' metadata)
172.16.0.0/12 private
192.0.0.0/24 reserved
192.0.2.0/24 documentation
192.31.196.0/24 reserved
192.52.193.0/24 reserved
192.88.99.0/24 6to4
192.168.0.0/16 private
192.175.48.0/24 reserved
198.18.0.0/15 benchmarking
198.51.100.0/24 documentation
203.0.113.0/24 documentation
224.0.0.0/4 multicast
240.0.0.0/4 reserved
"""
_V6 = """
::/128 unspecified
::1/128 loopback
64:ff9b:1::/48 translated
2001::/23 reserved (Teredo and other protocols)
2001:db8::/32 documentation
2002::/16 6to4
2620:4f:8000::/48 reserved
3fff::/20 documentation
fc00::/7 private
fe80::/10 link-local
fec0::/10 private
ff00::/8 multicast
"""
_PUBLIC = IPv6Network("2000::/3")  # all that is given out for global unicast
_NAT64 = IPv6Network("64:ff9b::/96")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

Address = IPv4Address | IPv6Address


def _read(table: str) -> list[tuple[IPv4Network | IPv6Network, str]]:
    rows = (line.split(" ", 1) for line in table.strip().splitlines())
    return [(ip_network(network), kind) for network, kind in rows]


_REFUSED = {4: _read(_V4), 6: _read(_V6)}


def refusal(address: Address) -> str | None:
    """The kind of an address that nothing may be delivered to, None for a public one; what an IPv6 address wraps is judged as IPv4."""
    if isinstance(address, IPv6Address):
        wrapped = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None)
        if wrapped is not None:
            return refusal(wrapped)
    for network, kind in _REFUSED[address.version]:
        if address in network:
            return kind
    return None if address.version == 4 or address in _PUBLIC else "reserved"


def literal(host: str) -> Address | None:
    """The address that a host is, None where it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def host_fault(host: str) -> str | None:
    """Why a lower-case host of a URL cannot be delivered to, before anything is resolved; None where it can be looked up."""
    address = literal(host)
    if address is not None:
        kind = refusal(address)
        return f"it is a {kind} address" if kind else None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return "it is not a host name (write international names as punycode, xn--..)"
    last = host.rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        return "it is an address in an unusual form; write four decimal numbers"
    return "it is this machine" if last == "localhost" else None
