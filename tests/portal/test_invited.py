"""The page of an invitation: what a guest reads, what each button does, and what strangers with a wrong link are told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from partners import invitations
from partners.invitation_rows import word_of
from partners.models import Membership, ProgramInvitation
from portal.views import invited as views
from prm.mail.models import OutgoingMail
from tests.desk import words
from tests.factories.partners import TermsVersionFactory
from tests.house import open_house
from tests.people import ada, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation() -> ProgramInvitation:
    """Own rates of 12 % beside the standard 8 %, and an addendum."""
    house, now = open_house(percent="8"), timezone.now()
    TermsVersionFactory(program=house.program, published=True)
    guest = invitations.Guest(
        "ines@rocha.example", "Inês", "Rocha Gifts", "en", "Hello!", "Only you in Portugal."
    )
    made = invitations.prepare(house.program, guest=guest, tier=house.tier, by=mats(), at=now)
    draft = invitations.begin_terms(made, by=ada(), at=now)
    draft.rules.update(rate=Decimal("12"))
    invitations.propose_terms(made, effective_at=now, by=ada(), at=now)
    return invitations.send(made, by=mats(), at=now)


def filled(client: Client, address: str, **other: str) -> dict[str, str]:
    page = client.get(address)
    return {
        "full_name": "Inês Rocha",
        "phone": "+351 21 000 0000",
        "company": "Rocha Gifts",
        "country": "Portugal",
        "accept": "on",
        "terms": page.context["terms"].public_id,
        "shown": page.context["shown"],
        **other,
    }


def test_a_guest_reads_both_rates_accepts_and_is_in_once(
    client: Client, invitation: ProgramInvitation
) -> None:
    address = f"/invited/{word_of(invitation)}/"
    page = client.get(address)
    said = words(page)
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Mats Lindqvist" in said
    assert "Only you in Portugal." in said
    # An order of £50.00 earns 12 % by the own rates and 8 % by everybody's.
    assert "£50.00 £6.00 £4.00" in said
    given = filled(client, address)
    assert client.post(address, given).headers["Location"] == address
    assert "You are in: Halden affiliates" in words(client.post(address, given))
    assert Membership.objects.count() == 1
    done = client.get(address)
    assert (done.status_code, "You are in: Halden affiliates" in words(done)) == (200, True)


def test_faults_are_summed_up_and_nothing_is_lost(client: Client, invitation: ProgramInvitation) -> None:
    address = f"/invited/{word_of(invitation)}/"
    given = filled(client, address, phone="later", full_name="Inês Rocha-Lima")
    del given["accept"]
    answer = client.post(address, given)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert body.index("<title>Error:") < body.index("error-summary")
    assert 'href="#id_phone"' in body
    assert 'href="#id_accept"' in body
    assert "Inês Rocha-Lima" in body
    stale = client.post(address, filled(client, address, shown="0" * 64))
    assert (stale.status_code, "has changed since you opened" in words(stale)) == (409, True)
    assert not Membership.objects.exists()


def test_a_counter_proposal_and_a_no_close_the_form(client: Client, invitation: ProgramInvitation) -> None:
    address = f"/invited/{word_of(invitation)}/"
    assert client.post(f"{address}counter/", {"text": " "}).status_code == 422
    client.post(f"{address}counter/", {"text": "Fourteen percent."})
    assert "We have your counter-proposal" in words(client.get(address))
    assert client.post(f"{address}decline/", {"reason": ""}).status_code == 200
    invitation.refresh_from_db()
    assert invitation.state == "countered"  # it waits for us, so nothing else is taken
    again = invitations.send(invitation, by=mats(), at=timezone.now())
    client.post(f"/invited/{word_of(again)}/decline/", {"reason": "Too busy."})
    again.refresh_from_db()
    assert again.state == "declined"


def test_a_wrong_or_old_link_says_so_and_a_fresh_one_is_asked_for_neutrally(
    client: Client, invitation: ProgramInvitation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "NEUTRAL_SECONDS", 0)
    old = word_of(invitation)
    invitations.send(invitation, by=mats(), at=timezone.now())
    for word in (old, "x" * 43):
        page = client.get(f"/invited/{word}/")
        assert (page.status_code, "Ask for a fresh link" in words(page)) == (410, True)
    before = OutgoingMail.objects.count()
    said = set()
    for email in ("ines@rocha.example", "nobody@x.example"):
        said.add(words(client.post("/invited/again/", {"email": email}, follow=True)))
    assert len(said) == 1
    assert list(OutgoingMail.objects.order_by("pk").values_list("to", flat=True))[before:] == [
        "ines@rocha.example"
    ]
    assert client.post("/invited/again/", {"email": "no"}).status_code == 422
