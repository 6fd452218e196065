"""Calls to addresses somebody else named: what may be called, where the connection really goes, and that every call ends."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from prm.lib import outbound
from prm.lib.outbound import Guard, NotOutside, Unreachable

ANYWHERE = Guard({"http": (0,)}, lambda address: True)
LOOPBACK_IS_OUTSIDE = Guard({"http": (0,)}, lambda address: address.is_loopback)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",  # what clouds tell their own machines
        "100.64.0.1",
        "168.63.129.16",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "ff02::1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2001:0:1::1",
        "2002:a00:1::1",
        "5f00::1",
        "2001:db8::1",
    ],
)
def test_addresses_inside_are_not_outside(text: str) -> None:
    assert not outbound.is_outside(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
)
def test_addresses_of_the_internet_are(text: str) -> None:
    assert outbound.is_outside(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/hook",
        "ftp://partner.example/",
        "file:///etc/passwd",
        "https://partner.example:22/",
        "https://partner.example:99999/",
        "https://user@partner.example/",
        "https://user:secret@partner.example/",
        "https:///hook",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/",
        "https://partner.example/\r\nX-Evil: 1",
        "https://partner.example/a b",
        "https://partner.example\\@10.0.0.1/",
        "https://[::1/",
        "nonsense",
    ],
)
def test_what_an_address_may_not_be(url: str) -> None:
    with pytest.raises(NotOutside):
        outbound.check(url)


def test_an_address_is_taken_apart() -> None:
    assert outbound.check("https://partner.example:8443/hook?x={sub1}") == (
        "https",
        "partner.example",
        8443,
        "/hook?x={sub1}",
    )
    assert outbound.check("https://partner.example") == ("https", "partner.example", 443, "/")


class Names:
    """What names mean, changing with each question where a test wants that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked = 0
        self.answers = answers
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


def test_a_name_with_one_address_inside_is_not_called_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ["1.1.1.1", "10.0.0.5"])
    with pytest.raises(NotOutside):
        outbound.post("https://partner.example/", b"", {})


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    # A name server that answers well first and with an address inside the second time.
    names = Names(monkeypatch, ["1.1.1.1"], ["127.0.0.1"])
    dialled: list[Any] = []

    def dial(address: Any, timeout: float) -> socket.socket:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", dial)
    with pytest.raises(Unreachable):
        outbound.post("https://partner.example/", b"", {})
    assert (names.asked, dialled) == (1, [("1.1.1.1", 443)])


Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers on this machine that answer posts in a given way; the port is returned."""
    servers: list[HTTPServer] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_call_arrives_with_its_body_and_headers_and_its_host(serve: Serve) -> None:
    seen: list[tuple[Any, ...]] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        seen.append((request.path, body, request.headers["Host"], request.headers["X-Own"]))
        request.send_response(202)
        request.end_headers()
        request.wfile.write(b"thanks")

    port = serve(answer)
    found = outbound.post(f"http://127.0.0.1:{port}/hook?a=1", b"{}", {"X-Own": "yes"}, guard=ANYWHERE)
    assert (found.status, found.text, found.is_taken) == (202, "thanks", True)
    assert seen == [("/hook?a=1", b"{}", f"127.0.0.1:{port}", "yes")]


def test_a_redirect_is_an_answer_and_nobody_follows_it(serve: Serve) -> None:
    inside: list[str] = []

    def not_here(request: BaseHTTPRequestHandler) -> None:
        inside.append(request.path)

    hidden = serve(not_here)

    def elsewhere(request: BaseHTTPRequestHandler) -> None:
        request.send_response(307)
        request.send_header("Location", f"http://127.0.0.1:{hidden}/secret")
        request.end_headers()

    found = outbound.post(f"http://127.0.0.1:{serve(elsewhere)}/", b"", {}, guard=ANYWHERE)
    assert (found.status, found.is_taken, inside) == (307, False, [])


def test_however_slowly_a_server_speaks_the_call_ends(serve: Serve) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            for _byte in range(100):
                request.wfile.write(b"X")
                request.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass  # the caller has gone, as it should

    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer within"):
        outbound.post(f"http://127.0.0.1:{serve(drip)}/", b"", {}, guard=ANYWHERE, seconds=0.4)
    assert time.monotonic() - began < 3  # and not the five seconds the server takes


def test_a_long_answer_is_not_read_to_its_end(serve: Serve) -> None:
    def talk(request: BaseHTTPRequestHandler) -> None:
        request.send_response(500)
        request.send_header("Retry-After", "120")
        request.end_headers()
        with contextlib.suppress(OSError):  # the caller does not stay to the end
            request.wfile.write(b"a" * 5_000_000)

    found = outbound.post(f"http://127.0.0.1:{serve(talk)}/", b"", {}, guard=LOOPBACK_IS_OUTSIDE)
    assert (found.status, len(found.text), found.retry_after) == (500, 500, 120)
