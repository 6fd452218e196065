"""What a partner reads about its own terms: what is in force for it, what is coming, and what is proposed, to accept or decline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from partners import negotiation, notices
from partners.choices import TeamRole
from prm.mail.models import OutgoingMail
from tests.desk import links, words
from tests.factories.prm import UserFactory
from tests.people import ada
from tests.portal.conftest import signed_in
from tests.portal.scene import JOINED, NOW, Scene
from tests.portal.test_team_pages import join
from tiers import publishing
from tiers.choices import VersionState
from tiers.models import Plan, PlanVersion

pytestmark = pytest.mark.django_db

AUGUST = datetime(2026, 7, 31, 23, tzinfo=UTC)  # midnight in London


def proposal(scene: Scene, *, rate: str = "15", effective_at: datetime = AUGUST) -> PlanVersion:
    version = negotiation.begin(scene.membership, by=ada(), at=NOW)
    version.rules.update(rate=Decimal(rate))
    return negotiation.propose(version, effective_at=effective_at, by=ada(), at=NOW)


def address(version: PlanVersion, act: str = "") -> str:
    return f"/portal/proposals/{version.public_id}/{act}"


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return words(answer)


def publish(**values: Any) -> PlanVersion:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=NOW)
    version.rules.update(rate=12)
    PlanVersion.objects.filter(pk=version.pk).update(**values)
    return publishing.publish(version, effective_at=AUGUST, by=ada(), at=NOW)


def test_a_proposal_stands_beside_what_the_partner_has_now(newcomer: Scene) -> None:
    version = proposal(newcomer)
    client = signed_in(newcomer)
    for path in ("/portal/", "/portal/rates/"):
        assert address(version) in links(client.get(path))
    text = read(client, address(version))
    assert "For Partner ANA10 in Halden affiliates only. In force from 1 August 2026." in text
    now, proposed = text.index("What you have now"), text.index("What is proposed")
    assert now < text.index("10% of every order") < proposed < text.index("15% of every order")
    # 10 % and 15 % of 50.00, 200.00 and 1,000.00
    for row in ("£50.00 £5.00 £7.50", "£200.00 £20.00 £30.00", "£1,000.00 £100.00 £150.00"):
        assert row in text


def test_an_owner_accepts_and_earns_by_it_from_its_date(newcomer: Scene) -> None:
    version = proposal(newcomer)
    client = signed_in(newcomer)
    answer = client.post(address(version, "accept/"), {"shown": version.sha256}, follow=True)
    text = words(answer)
    assert "You have accepted." in text
    assert text.index("In force now") < text.index("10% of") < text.index("From 1 August 2026")
    assert text.index("From 1 August 2026") < text.index("15% of")
    version.refresh_from_db()
    assert (version.state, version.accepted_by, version.accepted_at) == ("published", newcomer.ana, NOW)
    assert "Accepted by Ana Prado." in read(client, address(version))
    assert address(version) not in links(client.get("/portal/"))


def test_what_is_in_force_for_the_partner_is_what_it_reads(
    newcomer: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = proposal(newcomer)
    client = signed_in(newcomer)
    client.post(address(version, "accept/"), {"shown": version.sha256})
    monkeypatch.setattr("portal.rooms.clock", lambda: AUGUST)
    text = read(client, "/portal/rates/")
    assert "Agreed with you, since 1 August 2026." in text
    assert "15% of every order" in text and "10% of" not in text


def test_a_decline_needs_a_reason_and_passes_it_on(newcomer: Scene) -> None:
    version = proposal(newcomer)
    client = signed_in(newcomer)
    empty = client.post(address(version, "decline/"), {"reason": "  "})
    assert empty.status_code == 422
    assert "Say what does not suit you, so that there can be another proposal." in words(empty)
    done = client.post(address(version, "decline/"), {"reason": "We agreed on 20 %."}, follow=True)
    assert "You have declined. What you earn stays as it is." in words(done)
    version.refresh_from_db()
    assert version.state == VersionState.DRAFT
    assert "We agreed on 20 %." in OutgoingMail.objects.get(kind="proposal_answered").text
    assert "This proposal is no longer open." in read(client, address(version))
    assert "20" not in read(client, address(version)).split("This proposal")[1]


def test_what_changed_after_it_was_opened_is_shown_again_and_not_accepted(newcomer: Scene) -> None:
    version = proposal(newcomer)
    seen = version.sha256
    negotiation.withdraw(version, by=ada(), at=NOW)
    version.rules.update(rate=1)
    negotiation.propose(version, effective_at=AUGUST, by=ada(), at=NOW)
    answer = signed_in(newcomer).post(address(version, "accept/"), {"shown": seen}, follow=True)
    assert "This proposal was changed after you opened it." in words(answer)
    assert "1% of every order" in words(answer)
    version.refresh_from_db()
    assert version.state == VersionState.PROPOSED


def test_after_its_date_a_proposal_holds_from_the_acceptance(
    newcomer: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = proposal(newcomer)
    late = AUGUST + timedelta(days=1)
    monkeypatch.setattr("portal.rooms.clock", lambda: late)
    client = signed_in(newcomer)
    assert "In force from the moment you accept." in read(client, address(version))
    client.post(address(version, "accept/"), {"shown": version.sha256})
    version.refresh_from_db()
    assert version.effective_at == late


@pytest.mark.parametrize("role", [role for role in TeamRole if role != TeamRole.OWNER])
def test_the_team_reads_a_proposal_and_only_owners_answer(newcomer: Scene, role: TeamRole) -> None:
    version = proposal(newcomer)
    _member, client = join(newcomer, role)
    text = read(client, address(version))
    assert "Only an owner of your team can answer." in text and "Accept these terms" not in text
    for act, data in (("accept/", {"shown": version.sha256}), ("decline/", {"reason": "No"})):
        assert client.post(address(version, act), data).status_code == 403
    version.refresh_from_db()
    assert version.state == VersionState.PROPOSED


def test_a_proposal_to_somebody_else_is_not_found(newcomer: Scene) -> None:
    version = proposal(newcomer)
    rival = UserFactory.create(email="eve@rival.example")
    newcomer.house.member("RIVAL", at=JOINED, owner=rival)
    client = Client()
    client.force_login(rival)
    assert client.get(address(version)).status_code == 404
    for act, data in (("accept/", {"shown": version.sha256}), ("decline/", {"reason": "No"})):
        assert client.post(address(version, act), data).status_code == 404
    everybody = PlanVersion.objects.get(number=1)
    assert client.get(address(everybody)).status_code == 404
    version.refresh_from_db()
    assert version.state == VersionState.PROPOSED


def test_an_answer_is_posted(newcomer: Scene) -> None:
    version = proposal(newcomer)
    client = signed_in(newcomer)
    assert client.get(address(version, "accept/")).status_code == 405
    assert client.get(address(version, "decline/")).status_code == 405
    assert client.post(address(version)).status_code == 405


def test_a_version_that_comes_is_read_before_it_is_in_force(newcomer: Scene) -> None:
    publish()
    text = read(signed_in(newcomer), "/portal/rates/")
    assert text.index("In force now") < text.index("10% of") < text.index("From 1 August 2026")
    assert text.index("From 1 August 2026") < text.index("12% of every order. New")


def test_who_keeps_an_older_version_reads_that_one(newcomer: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(grandfather="memberships")
    client = signed_in(newcomer)
    for moment in (NOW, AUGUST + timedelta(days=1)):
        monkeypatch.setattr("portal.rooms.clock", lambda moment=moment: moment)
        text = read(client, "/portal/rates/")
        assert "10% of every order" in text and "12%" not in text


def test_customers_who_keep_an_older_version_are_named(newcomer: Scene) -> None:
    publish(grandfather="customers")
    text = read(signed_in(newcomer), "/portal/rates/")
    assert "Customers who bought before that keep what was in force then." in text


def test_what_the_next_tier_would_change_stands_beside(newcomer: Scene) -> None:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=NOW)
    version.rules.update(position=2)
    rule = version.rules.get()
    rule.pk, rule.key, rule.position, rule.rate, rule.tier_keys = None, "silver", 1, 20, ["silver"]
    rule._state.adding = True
    rule.save()
    publishing.publish(version, effective_at=NOW, by=ada(), at=NOW)
    text = read(signed_in(newcomer), "/portal/rates/")
    here, there = text.split("In the Silver tier")
    assert "20%" not in here and "20% of every order" in there


def test_before_the_first_version_the_page_promises_nothing(
    newcomer: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.rooms.clock", lambda: datetime(2025, 12, 31, tzinfo=UTC))
    text = read(signed_in(newcomer), "/portal/rates/")
    assert "No rates are published yet." in text and "From 1 January 2026" in text


def about_a_deal(version: PlanVersion) -> None:
    """Put a rule about a deal and one that names another partner into a draft."""
    [rule] = version.rules.all()
    deal = {"attribute": "deal", "operator": "=", "values": ["D-2026-ACME"]}
    other = {"attribute": "partner", "operator": "=", "values": ["mem_somebody_else"]}
    pens = {"attribute": "product", "operator": "=", "values": ["PEN"]}
    for position, (key, tests) in enumerate((("deal", [deal]), ("pens", [other, pens])), start=5):
        rule.pk, rule.key, rule.name, rule.rate, rule.position = None, key, key, Decimal("33"), position
        rule._state.adding, rule.conditions = True, {"join": "any", "tests": tests}
        rule.save()


def test_deals_and_partners_of_others_are_told_neither_on_the_page_nor_in_the_mail(newcomer: Scene) -> None:
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=NOW)
    about_a_deal(version)
    publishing.publish(version, effective_at=AUGUST, by=ada(), at=NOW)
    notices.tell_of_version(version.pk, at=NOW)
    mail = OutgoingMail.objects.get(kind="plan_changed")
    for text in (read(signed_in(newcomer), "/portal/rates/"), mail.text, mail.html):
        assert "either for another partner or on product PEN" in text
        assert "D-2026-ACME" not in text and "mem_somebody_else" not in text


def test_a_deal_in_ones_own_terms_is_read(newcomer: Scene) -> None:
    version = negotiation.begin(newcomer.membership, by=ada(), at=NOW)
    about_a_deal(version)
    version = negotiation.propose(version, effective_at=AUGUST, by=ada(), at=NOW)
    text = read(signed_in(newcomer), address(version))
    assert "33% of every order, from deal D-2026-ACME." in text and "mem_somebody_else" not in text
