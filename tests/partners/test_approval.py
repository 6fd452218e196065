"""Applications are decided once, by somebody who may, and never by the applicant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress

from partners import approval, placement
from partners.applications import AlreadyDecided, AlreadyMember, NothingWritten
from partners.choices import ApplicationState, MembershipState, TeamRole
from partners.events import MembershipApproved
from partners.models import Acceptance, Application, Member, Membership, Partner, Placement
from prm.accounts.models import User
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.events import subscribed
from prm.mail.models import OutgoingMail
from tests.factories.partners import (
    AcceptanceFactory,
    ApplicationFactory,
    MemberFactory,
    MembershipFactory,
    TermsVersionFactory,
)
from tests.factories.prm import UserFactory
from tests.factories.tiers import TierFactory
from tests.people import felix, mats
from tiers.models import Tier

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def application() -> Application:
    return ApplicationFactory(email="Ana@Lima.example", company="Lima Reviews", language="fr")


@pytest.fixture
def tier(application: Application) -> Tier:
    return TierFactory(program=application.program, name="Bronze", rank=1)


def nothing_happened() -> bool:
    return not (Partner.objects.exists() or Membership.objects.exists() or OutgoingMail.objects.exists())


def test_an_approval_makes_partner_owner_membership_and_placement(
    application: Application, tier: Tier
) -> None:
    terms = TermsVersionFactory(published=True, program=application.program)
    AcceptanceFactory(terms_version=terms, application=application)
    manager = mats()
    membership = approval.approve(application, tier=tier, by=manager, at=NOW, note="Good to have you.")
    application.refresh_from_db()
    assert application.state == ApplicationState.APPROVED
    assert (application.decided_at, application.decided_by) == (NOW, manager)
    assert membership.state == MembershipState.ACTIVE
    assert (membership.application, membership.joined_at) == (application, NOW)
    partner = membership.partner
    assert (partner.name, partner.country, partner.account_manager) == ("Lima Reviews", "Portugal", manager)
    assert (partner.website, partner.language) == ("https://lima.example", "fr")
    owner = Member.objects.get()
    assert (owner.partner, owner.role, owner.user.email_folded) == (
        partner,
        TeamRole.OWNER,
        "ana@lima.example",
    )
    place = Placement.objects.get()
    assert (place.membership, place.tier, place.starts_at, place.ends_at) == (membership, tier, NOW, None)
    assert Acceptance.objects.get().membership == membership
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"membership.approved", "membership.placed"} <= actions


def test_the_new_owner_can_sign_in_by_code_and_has_no_password(application: Application, tier: Tier) -> None:
    approval.approve(application, tier=tier, by=mats(), at=NOW)
    user = User.objects.get(email_folded="ana@lima.example")
    assert not user.has_usable_password()
    assert (user.full_name, user.language, user.is_staff) == ("Ana Lima", "fr", False)
    assert EmailAddress.objects.get(user=user).verified
    mail = OutgoingMail.objects.get(kind="application_approved")
    assert (mail.to, mail.language) == ("Ana@Lima.example", "fr")
    assert "/accounts/login/code/" in mail.text
    assert "Bronze" in mail.text


def test_an_address_nobody_confirmed_is_not_taken_for_proven(application: Application, tier: Tier) -> None:
    entered = {"email_confirmed_at": None, "entered_at": NOW, "entered_by": mats()}
    Application.objects.filter(pk=application.pk).update(**entered)
    approval.approve(application, tier=tier, by=mats(), at=NOW)
    assert not EmailAddress.objects.get(email="ana@lima.example").verified


def test_an_application_of_an_unconfirmed_mailbox_is_not_approved_yet(
    application: Application, tier: Tier
) -> None:
    Application.objects.filter(pk=application.pk).update(email_confirmed_at=None)
    with pytest.raises(approval.NotConfirmed):
        approval.approve(application, tier=tier, by=mats(), at=NOW)
    assert nothing_happened()


@pytest.mark.django_db(transaction=True)
def test_the_approval_is_told_after_the_commit(application: Application, tier: Tier) -> None:
    heard: list[int] = []
    with subscribed(MembershipApproved, lambda event: heard.append(event.membership_id)):
        membership = approval.approve(application, tier=tier, by=mats(), at=NOW)
    assert heard == [membership.pk]


def test_an_owner_who_applies_again_brings_the_partner_along(application: Application, tier: Tier) -> None:
    owner = MemberFactory(user=UserFactory(email="ANA@lima.example"))
    membership = approval.approve(application, tier=tier, by=mats(), at=NOW)
    assert membership.partner == owner.partner
    assert Partner.objects.count() == 1
    assert Member.objects.count() == 1


def test_who_only_helps_a_partner_founds_a_new_one(application: Application, tier: Tier) -> None:
    helper = MemberFactory(user=UserFactory(email="ana@lima.example"), role=TeamRole.MARKETING)
    membership = approval.approve(application, tier=tier, by=mats(), at=NOW)
    assert membership.partner != helper.partner
    assert Member.objects.filter(user=helper.user).count() == 2


def test_a_partner_is_in_a_program_once(application: Application, tier: Tier) -> None:
    owner = MemberFactory(user=UserFactory(email="ana@lima.example"))
    MembershipFactory(partner=owner.partner, program=application.program)
    with pytest.raises(AlreadyMember):
        approval.approve(application, tier=tier, by=mats(), at=NOW)
    application.refresh_from_db()
    assert application.state == ApplicationState.SUBMITTED
    assert Membership.objects.count() == 1
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("state", ["approved", "rejected", "withdrawn", "expired"])
def test_an_application_is_decided_once(state: str) -> None:
    decided = {"decided_at": NOW, "decided_by": mats()} if state in ("approved", "rejected") else {}
    application = ApplicationFactory(state=state, **decided)
    tier = TierFactory(program=application.program)
    with pytest.raises(AlreadyDecided):
        approval.approve(application, tier=tier, by=mats(), at=NOW)
    with pytest.raises(AlreadyDecided):
        approval.reject(application, reason="fit", by=mats(), at=NOW)
    with pytest.raises(AlreadyDecided):
        approval.ask_for_more(application, text="Why?", by=mats(), at=NOW)
    assert nothing_happened()


def test_finance_does_not_decide_who_is_a_partner(application: Application, tier: Tier) -> None:
    with pytest.raises(Forbidden):
        approval.approve(application, tier=tier, by=felix(), at=NOW)
    with pytest.raises(Forbidden):
        approval.reject(application, reason="fit", by=felix(), at=NOW)
    assert nothing_happened()


def test_nobody_decides_on_their_own_application(tier: Tier) -> None:
    own = ApplicationFactory(program=tier.program, email="MATS@halden.example")
    with pytest.raises(approval.OwnApplication):
        approval.approve(own, tier=tier, by=mats(), at=NOW)
    assert nothing_happened()


def test_a_tier_of_another_program_is_refused_before_anything_is_made(application: Application) -> None:
    with pytest.raises(placement.OtherProgram):
        approval.approve(application, tier=TierFactory(), by=mats(), at=NOW)
    assert nothing_happened()


def test_a_declined_applicant_is_told_why_and_when_to_come_back(application: Application) -> None:
    approval.reject(
        application, reason="fit", by=mats(), at=NOW, note="Mostly games so far.", reapply_on=date(2027, 3, 1)
    )
    application.refresh_from_db()
    assert application.state == ApplicationState.REJECTED
    assert (application.rejection_reason, application.reapply_on) == ("fit", date(2027, 3, 1))
    mail = OutgoingMail.objects.get(kind="application_declined")
    assert "1 mars 2027" in mail.text
    assert "Mostly games so far." in mail.text
    assert "Mostly games so far." in mail.html


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"reason": "dislike"}, approval.NoReason),
        ({"reason": "fit", "reapply_on": date(2026, 11, 20)}, approval.DateInThePast),
    ],
)
def test_a_rejection_without_sense_changes_nothing(
    application: Application, values: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        approval.reject(application, by=mats(), at=NOW, **values)  # type: ignore[arg-type]
    application.refresh_from_db()
    assert application.state == ApplicationState.SUBMITTED
    assert nothing_happened()


def test_a_question_waits_for_the_applicant_and_every_question_is_mailed(application: Application) -> None:
    manager = mats()
    for minutes, text in enumerate(("Which newsletter?", "How many readers?")):
        approval.ask_for_more(application, text=text, by=manager, at=NOW + timedelta(minutes=minutes))
    application.refresh_from_db()
    assert application.state == ApplicationState.INFO_REQUESTED
    mails = list(OutgoingMail.objects.filter(kind="application_question").order_by("pk"))
    assert ["Which newsletter?" in mails[0].text, "How many readers?" in mails[1].text] == [True, True]
    with pytest.raises(NothingWritten):
        approval.ask_for_more(application, text="  ", by=manager, at=NOW)
    assert application.messages.count() == 2


def test_looking_at_an_application_is_noted_once(application: Application) -> None:
    for _each in range(2):
        approval.start_review(application, by=mats(), at=NOW)
    application.refresh_from_db()
    assert application.state == ApplicationState.IN_REVIEW
    assert AuditEvent.objects.filter(action="application.review_started").count() == 1
