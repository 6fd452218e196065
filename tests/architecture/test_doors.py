"""Every address declares who may enter, and every role is sent to every address: nobody gets in who may not, and nothing breaks."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize
from pytest_django.fixtures import Settings

from prm.accounts import policy
from prm.accounts.models import User
from tests.architecture import doors
from tests.architecture.house import listing
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory

# Well-formed words that name nothing.
SAMPLES = (
    "1",
    "nothing",
    "prt_00000000000000000000000000",
    "2026-11",
    "2026",
    "00000000-0000-4000-8000-000000000000",
)
LOGINS = ("/accounts/login/", "/admin/login/", "/accounts/reauthenticate/")


@dataclass(frozen=True)
class Address:
    """A route as the URL configuration writes it, and a path that leads to it."""

    route: str
    path: str

    @property
    def names_something(self) -> bool:
        return "<" in self.route or "(" in self.route


def addresses(resolver: URLResolver | None = None, route: str = "", path: str = "/") -> Iterator[Address]:
    for pattern in (resolver or get_resolver()).url_patterns:
        here, there = route + str(pattern.pattern), path + filled(pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, here, there)
        else:
            yield Address(here, there)


def filled(pattern: URLPattern | URLResolver) -> str:
    converters = getattr(pattern.pattern, "converters", {})
    if converters:
        return re.sub(
            r"<(?:[^:>]+:)?([^>]+)>", lambda hit: sample(converters[hit[1]].regex), str(pattern.pattern)
        )
    text, names = (
        normalize(str(pattern.pattern))[0] if "(" in str(pattern.pattern) else (str(pattern.pattern), [])
    )
    return str(text % {name: sample(named_group(str(pattern.pattern), name)) for name in names})


def named_group(pattern: str, name: str) -> str:
    found = re.search(rf"\(\?P<{name}>([^)]*)\)", pattern)
    return found[1] if found else ".*"


def sample(regex: str) -> str:
    found = next((word for word in SAMPLES if re.fullmatch(regex, word)), None)
    return found or regex.split("|")[0]


def test_every_address_declares_who_may_enter() -> None:
    undeclared = sorted({address.route for address in addresses() if doors.entry_for(address.route) is None})
    assert not undeclared, listing(undeclared, "add a line to tests/architecture/doors.py")


def test_no_declaration_is_left_over() -> None:
    used = {doors.entry_for(address.route) for address in addresses()}
    left_over = sorted(set(doors.DOORS) - used)
    assert not left_over, listing(left_over, "no address needs these lines any more")


def someone(role: str) -> User | None:
    staff = {
        doors.MANAGER: policy.ACCOUNT_MANAGER,
        doors.FINANCE: policy.FINANCE,
        doors.ADMINISTRATOR: policy.ADMINISTRATOR,
    }
    if role == doors.STRANGER:
        return None
    if role in staff:
        return UserFactory(role=staff[role])
    user: User = UserFactory()
    if role == doors.PARTNER:
        MemberFactory(user=user)
    return user


def turned_away(answer: HttpResponse, *, posted: bool) -> bool:
    if answer.status_code in (401, 403, 404, 405, 410):
        return True
    is_login = answer.status_code == 302 and answer["Location"].startswith(LOGINS)
    return is_login or (answer.status_code in (301, 302) and not posted)


def let_in(answer: HttpResponse, address: Address) -> bool:
    if answer.status_code == 302 and answer["Location"].startswith(LOGINS[:2]):
        return False
    return answer.status_code not in (401, 403) and (answer.status_code != 404 or address.names_something)


@pytest.mark.django_db
@pytest.mark.parametrize("role", doors.ROLES)
def test_every_door_opens_to_those_it_is_for_and_never_breaks(
    role: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PRM_STAFF_MFA = False
    caplog.set_level(logging.CRITICAL, logger="django.request")  # hundreds of refusals are the point here
    user = someone(role)
    wrong: list[str] = []
    faults: list[str] = []

    def remember(**_: Any) -> None:
        faults.append(repr(sys.exc_info()[1])[:300])

    got_request_exception.connect(remember)
    try:
        for address in addresses():
            # The admin's forms are read-only to a POST without a valid form; asking once is enough there.
            for method in ("get",) if address.route.startswith("admin/") else ("get", "post"):
                client = Client(raise_request_exception=False)
                if user is not None:
                    client.force_login(user)
                answer = getattr(client, method)(address.path)
                door = doors.DOORS[doors.entry_for(address.route) or ""]
                where = f"{role} {method.upper()} {address.path}: {answer.status_code} {answer.get('Location', '')}"
                if answer.status_code >= 500 and address.route not in ("readyz", "statusz"):
                    wrong.append(f"{where} broke: {faults[-1:] or ''}")
                elif role not in door.who and not turned_away(answer, posted=method == "post"):
                    wrong.append(f"{where} let in")
                elif role in door.who and not door.finer and method == "get" and not let_in(answer, address):
                    wrong.append(f"{where} turned away")
    finally:
        got_request_exception.disconnect(remember)
    assert not wrong, listing(wrong)
