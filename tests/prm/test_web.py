"""What every answer of the site carries, and what no address may contain."""

from __future__ import annotations

import json
import logging

import pytest
from django.conf import settings
from django.test import Client

from prm.logs import JsonFormatter, TextFormatter

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/accounts/login/", "/no-such-page", "/admin/login/"])
def test_one_strict_content_policy_covers_the_whole_site(path: str, client: Client) -> None:
    answer = client.get(path)
    assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} == POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez%00", "/accounts/login/?next=%00", "/%00/x.pdf"])
def test_a_nul_byte_never_reaches_a_page(path: str, client: Client) -> None:
    assert client.get(path).status_code == 400


def test_cookies_are_bound_to_the_browser_only() -> None:
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"


def event(message: str) -> logging.LogRecord:
    return logging.LogRecord("prm.test", logging.WARNING, __file__, 1, message, None, None)


def test_a_strangers_name_cannot_forge_a_log_line() -> None:
    line = TextFormatter().format(event("signed in: Eve\nerror root: all is lost \x1b[31m"))
    assert line == r"warning prm.test: signed in: Eve\x0aerror root: all is lost \x1b[31m"


def test_a_log_line_for_machines_is_one_json_object() -> None:
    line = JsonFormatter().format(event("zażółć\n"))
    assert "\n" not in line
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == ("warning", "prm.test", "zażółć\n")
