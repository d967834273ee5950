"""Decide which addresses are public: the ones that ``block_private`` allows.

Rule 1: a host is looked up once, and only the checked addresses are connected to: changing the name's address later has
no effect (DNS rebinding).
Rule 2: a host is refused if any of its addresses is not public: a public server has only public ones.
Rule 3: an address that carries an IPv4 address is judged by that one: connections may reach it.

The tables are those of IANA's special-purpose registries (RFC 6890), listed here since ``ipaddress`` differs between
Python versions.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from dynclient.exceptions import BlockedAddress

_PRIVATE4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by a provider's customers; 100.100.100.200 is a metadata service
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a metadata service at a public address
            "169.254.0.0/16",  # link-local; 169.254.169.254 is a metadata service
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata service
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # multicast tunnels
            "192.88.99.0/24",  # 6to4 relays, gone
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# RFC 4291, 2.4: addresses outside of it are not globally reachable.
_GLOBAL6 = ipaddress.IPv6Network("2000::/3")
_PRIVATE6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
# RFC 4291, 2.5.5.2; RFC 6052, 2.1; RFC 3056, 2: the network, and the number of bits after the IPv4 address.
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)


def public(host: str, addresses: Sequence[str]) -> list[str]:
    """Return the addresses of a host if all of them are public.

    Raises:
        BlockedAddress: one is not.
    """
    blocked = tuple(address for address in addresses if not is_public(address))
    if blocked:
        raise BlockedAddress(
            f"the host {host} has the address {blocked[0]}, which is not public",
            host=host,
            addresses=blocked,
            hint="block_private=True refuses it; nothing was sent",
        )
    return list(addresses)


def is_public(text: str) -> bool:
    """Whether an address from the resolver is globally reachable."""
    try:
        # RFC 4007, 11: the part after "%" is a zone of this machine.
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        for carrier, shift in _CARRIERS:
            if address in carrier:
                address = ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
                return is_public(str(address))
        return address in _GLOBAL6 and not any(address in network for network in _PRIVATE6)
    return not any(address in network for network in _PRIVATE4)
