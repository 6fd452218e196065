"""Call an address somebody else has named, and never one inside our own network. The name is resolved once, every address it has is looked
at, and the connection goes to one that was looked at; nobody is followed anywhere else."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS = 15.0
MOST_BYTES = 64 * 1024
PORTS = {"https": (443, 8443)}
# In the same words for names nobody knows: or whoever asks learns which names there are inside.
_NO_HOST = "The name of the host leads to no address on the public internet."
# Ranges that reach further in than they look: translated, tunnelled, site-local and segment addresses, relays, and the one address of a
# large cloud that answers from inside. Registries of IANA, special-purpose address blocks.
_NOT_OUTSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "::/96",
        "fec0::/10",
        "5f00::/16",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
    )
)


class Unreachable(Exception):
    """The call was not made or not answered; the text says why, for people."""


class NotOutside(Unreachable):
    """The address lies inside the operator's network, or is none that may be called."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the first characters of the body, and when to try again if that was said, in seconds."""

    status: int
    text: str = ""
    retry_after: int | None = None

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be called. The default is https on two ports, to public addresses; only tests use another one."""

    ports: Mapping[str, tuple[int, ...]]
    allows: Callable[[Address], bool]


def is_outside(address: Address) -> bool:
    """Say whether an address belongs to the public internet; one written inside another one counts as the inner one."""
    inner = getattr(address, "ipv4_mapped", None)
    if inner is not None:
        return is_outside(inner)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in net for net in _NOT_OUTSIDE if net.version == address.version)


PUBLIC = Guard(PORTS, is_outside)


def check(url: str, *, guard: Guard = PUBLIC) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path with query of an address that may be called, as far as its text tells.

    Raises: NotOutside.
    """
    if any(ord(char) <= 32 or ord(char) == 127 for char in url) or "\\" in url:
        raise NotOutside("The address contains characters no address has.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NotOutside("This is not an address.") from None
    allowed = guard.ports.get(parts.scheme)
    if allowed is None:
        raise NotOutside(f"Only {' and '.join(sorted(guard.ports))} addresses are called.")
    if not host or parts.username is not None or parts.password is not None:
        raise NotOutside("The address must name a host, and no user.")
    port = port or allowed[0]
    if allowed[0] and port not in allowed:
        raise NotOutside(f"Only the ports {', '.join(map(str, allowed))} are called.")
    with contextlib.suppress(ValueError):
        if not guard.allows(ipaddress.ip_address(host)):
            raise NotOutside("The address lies inside a network of its own.")
    path = parts.path or "/"
    return parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    guard: Guard = PUBLIC,
    seconds: float = SECONDS,
) -> Answer:
    """Post `body` and return what came back within `seconds` in all; redirects are answers like any other.

    Raises: NotOutside, Unreachable.
    """
    scheme, host, port, target = check(url, guard=guard)
    ends_at = time.monotonic() + seconds
    connection = _Connection(scheme, host, port, _look_up(host, port, guard), ends_at)
    # However slowly the other side speaks, byte by byte, the whole call ends in time.
    watchdog = threading.Timer(seconds, connection.cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.request("POST", target, body=body, headers={**headers, "Connection": "close"})
        response = connection.getresponse()
        text = response.read(MOST_BYTES).decode("utf-8", "replace")
        if connection.is_cut:
            # What was cut off looks like an answer that has ended.
            raise TimeoutError
        return Answer(response.status, text[:500], _seconds(response.getheader("Retry-After")))
    except ssl.SSLError as error:
        raise Unreachable(f"The certificate was not accepted: {error.reason or 'unknown'}.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection.is_cut or time.monotonic() >= ends_at:
            raise Unreachable(f"There was no answer within {seconds:.0f} seconds.") from error
        raise Unreachable(f"The connection failed: {type(error).__name__}.") from error
    finally:
        watchdog.cancel()
        connection.close()


def _look_up(host: str, port: int, guard: Guard) -> list[str]:
    """Return the addresses of a host, all of which may be called.

    Raises: NotOutside, Unreachable.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(_NO_HOST) from error
    addresses = list(dict.fromkeys(str(entry[4][0]).split("%")[0] for entry in found))
    # One bad address spoils the name: otherwise a second look-up could be sent there.
    if not addresses or not all(guard.allows(ipaddress.ip_address(each)) for each in addresses):
        raise NotOutside(_NO_HOST)
    return addresses


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 8 else None


class _Connection(http.client.HTTPConnection):
    """A connection to addresses that were looked at before; the name is only used for TLS and for the Host header."""

    def __init__(self, scheme: str, host: str, port: int, addresses: list[str], ends_at: float) -> None:
        super().__init__(host, port)
        self._scheme, self._addresses, self._ends_at = scheme, addresses, ends_at
        self.is_cut = False
        self.default_port = 443 if scheme == "https" else 80

    def connect(self) -> None:
        """Connect to the first address that answers."""
        fault: OSError | None = None
        for address in self._addresses:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                break
            try:
                self.sock = socket.create_connection((address, self.port), timeout=left)
            except OSError as error:
                fault = error
                continue
            if self._scheme == "https":
                context = ssl.create_default_context()
                self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
            return
        raise fault or TimeoutError

    def cut(self) -> None:
        """End the connection whatever it is waiting for."""
        self.is_cut = True
        sock = self.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
