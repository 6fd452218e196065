"""The way into a team: for the invited mailbox, and without signing anybody in."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from partners import team
from partners.models import Member
from prm.accounts.models import User
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Member:
    return MemberFactory(partner__name="Lima Reviews")


@pytest.fixture
def url(owner: Member) -> str:
    _invitation, token = team.invite(
        owner.partner,
        email="Pia@x.example",
        role="finance",
        by=owner.user,
        at=timezone.now(),
        full_name="Pia Berg",
    )
    return f"/invitation/{token}/"


def test_a_newcomer_accepts_and_then_signs_in_by_code(client: Client, owner: Member, url: str) -> None:
    page = client.get(url).content.decode()
    assert "Join the team of Lima Reviews" in page
    assert not User.objects.filter(email_folded="pia@x.example").exists()
    answer = client.post(url)
    assert answer["Location"] == "/accounts/login/code/"
    pia = User.objects.get(email_folded="pia@x.example")
    assert (pia.full_name, pia.has_usable_password()) == ("Pia Berg", False)
    assert EmailAddress.objects.get(user=pia).verified
    assert Member.objects.get(user=pia).role == "finance"
    assert "_auth_user_id" not in client.session
    again = client.get(url)
    assert again.status_code == 410
    assert "This invitation is over" in again.content.decode()


def test_somebody_with_an_account_joins_without_a_new_one(client: Client, owner: Member, url: str) -> None:
    pia = UserFactory(email="PIA@x.example")
    client.force_login(pia)
    client.post(url)
    assert Member.objects.get(user=pia).partner == owner.partner
    assert User.objects.filter(email_folded="pia@x.example").count() == 1


def test_another_person_cannot_use_the_link(client: Client, owner: Member, url: str) -> None:
    client.force_login(UserFactory(email="eve@x.example"))
    page = client.get(url).content.decode()
    assert "You are signed in as eve@x.example." in page
    assert "Accept the invitation" not in page
    assert client.post(url).status_code == 409
    assert list(Member.objects.all()) == [owner]


@pytest.mark.parametrize("token", ["x", "a" * 300, "%F0%9F%98%80"])
def test_a_word_that_is_no_invitation_opens_nothing(client: Client, token: str) -> None:
    for answer in (client.get(f"/invitation/{token}/"), client.post(f"/invitation/{token}/")):
        assert answer.status_code == 410
    assert not Member.objects.exists()


def test_somebody_whose_account_is_closed_reads_why_they_cannot_join(client: Client, url: str) -> None:
    UserFactory(email="pia@x.example", is_active=False)
    answer = client.post(url)
    assert answer.status_code == 409
    assert "The account of this e-mail address is closed" in answer.content.decode()
    assert not Member.objects.filter(user__email="pia@x.example").exists()
