"""Keep of a network address only a hash, with a key that is another one every UTC day and is thrown away after a month. Then nobody, we
included, can say whose clicks those were; the hashes themselves are emptied with the key.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction

from referrals.models import AddressKey, Click, Conversion

AT_ONCE = 2000  # rows emptied in one transaction
_keys: dict[date, bytes] = {}


def client_address(environ: Mapping[str, Any]) -> str:
    """Return the visitor's network address, read past exactly as many proxies as the settings trust; nothing when it cannot be told."""
    proxies: int = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    passed = environ.get("HTTP_X_FORWARDED_FOR") or ""
    if not proxies:
        # A proxy that the settings do not know of: its own address would be everybody's.
        near = environ.get("REMOTE_ADDR") or ""
        return "" if passed and _is_private(near) else network_of(near)
    hops = passed.split(",")
    return network_of(hops[-proxies].strip()) if len(hops) >= proxies else ""


def network_of(address: str) -> str:
    """Return an address as it is compared: of the long ones the part a household has for itself."""
    try:
        socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):  # a NUL in it is a value that makes no sense
        return _long_network_of(address)
    return address


@lru_cache(maxsize=4096)
def _long_network_of(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False).network_address)


@lru_cache(maxsize=1024)
def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return True


def hash_of(address: str, at: datetime) -> str:
    """Return what is kept of a network address seen on the day of `at`, 32 hexadecimal characters; of nothing, nothing."""
    network = network_of(address)
    return _hash(network, at, 16) if network else ""


def known_hashes(addresses: Collection[str], since: datetime, until: datetime) -> dict[str, set[str]]:
    """Return what would have been kept of addresses on each day whose key is still there; it makes no key. One query."""
    first, last = (at.astimezone(UTC).date() for at in (since, until))
    rows = AddressKey.objects.filter(used_on__gte=first, used_on__lte=last)
    keys = [row.secret.encode() for row in rows]
    networks = {address: network_of(address) for address in addresses}
    return {
        address: {_digest(key, network, 16) for key in keys}
        for address, network in networks.items()
        if network
    }


def agent_hash_of(agent: str, at: datetime) -> str:
    """Return what is kept of a browser's name, 16 hexadecimal characters."""
    return _hash(agent, at, 8) if agent else ""


def prepare(at: datetime) -> None:
    """Make the keys of today and tomorrow, so that no visitor waits for one."""
    for day in (at, at + timedelta(days=1)):
        _key_of(day.astimezone(UTC).date())


def purge(at: datetime) -> dict[str, int]:
    """Throw away keys older than the days of the settings, and empty what was hashed with them, in batches."""
    last = at.astimezone(UTC).date() - timedelta(days=settings.ADDRESS_DAYS)
    until = datetime.combine(last, time.min, UTC)
    for day in [day for day in _keys if day < last]:
        _keys.pop(day, None)
    keys, _per_model = AddressKey.objects.filter(used_on__lt=last).delete()
    clicks = _empty_clicks(until)
    conversions = _empty_conversions(until)
    return {"keys": keys, "clicks": clicks, "conversions": conversions}


def keep(at: datetime) -> dict[str, int]:
    """Do what every day asks for: forget what is old, and have the next keys ready."""
    prepare(at)
    return purge(at)


def forget() -> None:
    """Forget the keys this process has read."""
    _keys.clear()


def _hash(text: str, at: datetime, size: int) -> str:
    return _digest(_key_of(at.astimezone(UTC).date()), text, size)


def _digest(key: bytes, text: str, size: int) -> str:
    return hmac.digest(key, text.encode("utf-8", "replace"), "sha256")[:size].hex()


def _key_of(day: date) -> bytes:
    key = _keys.get(day)
    if key is None:
        while len(_keys) > 3:
            _keys.pop(min(_keys), None)
        # Whoever comes second reads the first one's key: the day is unique.
        row, _is_new = AddressKey.objects.get_or_create(
            used_on=day, defaults={"secret": secrets.token_hex(32)}
        )
        key = row.secret.encode()
        if not transaction.get_connection().in_atomic_block:
            _keys[day] = key  # a key whose transaction may yet be undone is nobody's
    return key


def _empty_clicks(until: datetime) -> int:
    # What browsers were called is kept only beside an address, so the index of addresses finds both.
    emptied = 0
    rows = Click.objects.filter(clicked_at__lt=until).exclude(address_hash="")
    while pks := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        emptied += Click.objects.filter(pk__in=pks).update(address_hash="", agent_hash="")
    return emptied


def _empty_conversions(until: datetime) -> int:
    emptied, last = 0, 0
    rows = Conversion.objects.filter(recorded_at__lt=until).exclude(address_hash="").order_by("pk")
    while pks := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        last = pks[-1]
        emptied += Conversion.objects.filter(pk__in=pks).update(address_hash="")
    return emptied
