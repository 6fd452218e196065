from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from prm.accounts import policy
from tests.factories.prm import NOW, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/accounts/email/"


@pytest.fixture(autouse=True)
def easy_staff(settings: Any) -> None:
    settings.PRM_STAFF_MFA = False


def visit(client: Client, *, minutes: float) -> bool:
    """Say whether the person is still signed in at a visit so many minutes after noon."""
    with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
        client.get(PAGE)
        return "_auth_user_id" in client.session


def sign_in(client: Client, **person: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        client.force_login(UserFactory(**person))
        client.get(PAGE)


@pytest.mark.parametrize(("role", "minutes"), [(None, 120), (policy.FINANCE, 30)])
def test_whoever_is_away_too_long_is_signed_out(client: Client, role: str | None, minutes: int) -> None:
    sign_in(client, role=role)
    assert visit(client, minutes=minutes)
    assert not visit(client, minutes=2 * minutes + 0.1)


def test_whoever_keeps_reading_stays_but_not_longer_than_twelve_hours(client: Client) -> None:
    sign_in(client)
    assert all(visit(client, minutes=hour * 60) for hour in range(1, 13))
    assert not visit(client, minutes=12 * 60 + 1)


def test_being_seen_is_written_once_a_minute(client: Client) -> None:
    def seen_at(minutes: float) -> int:
        visit(client, minutes=minutes)
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            return int(client.session["session_seen"])

    sign_in(client)
    noon = int(NOW.timestamp())
    assert [seen_at(minutes) - noon for minutes in (0.5, 0.9, 1, 1.9, 2)] == [0, 0, 60, 60, 120]


def test_a_progress_card_that_asks_by_itself_keeps_nobody_signed_in(client: Client) -> None:
    sign_in(client, role=policy.FINANCE)
    for minute in range(5, 31, 5):
        with time_machine.travel(NOW + timedelta(minutes=minute), tick=False):
            client.get("/admin/runs/run/run_x/card/", headers={"HX-Request": "true"})
    assert not visit(client, minutes=31)
