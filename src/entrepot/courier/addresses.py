"""Which addresses a partner's name may lead to, so that a partner's URL is no way into the house.

A public address, or one of the tenant's ``allowed_networks``; checked on the resolved address, at the
moment of connecting, so that a name that changes its mind is caught too.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """Return CIDRs as networks; host bits are allowed (``10.0.0.5/8``)."""
    return tuple(ipaddress.ip_network(cidr.strip(), strict=False) for cidr in cidrs)


def permitted(address: str, allowed: Iterable[Network]) -> bool:
    """Tell whether a call may connect to ``address`` (text, without a scope)."""
    found = _real(ipaddress.ip_address(address.partition("%")[0]))
    if any(found in network for network in allowed):
        return True
    return found.is_global and not found.is_multicast


def _real(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
