"""Invitations into programs: one lives per mailbox, accepting makes one member with everything that was read, and nothing before that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from partners import counters, invitation_answers, invitations
from partners.choices import InvitationState
from partners.invitation_answers import Reply
from partners.invitation_rows import find, word_of
from partners.models import (
    Acceptance,
    Amendment,
    CounterProposal,
    Membership,
    ProgramInvitation,
    TermsVersion,
)
from partners.standing import plan_of, standing_of
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import ProspectFactory
from tests.house import House, open_house
from tests.people import ada, fiona, mats
from tiers.choices import VersionState
from tiers.models import PlanVersion

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
GUEST = invitations.Guest("guest@rocha.example", "Inês Rocha", "Rocha Gifts", "fr", "Bonjour!", "")
REPLY = Reply("Inês Rocha", "+351 21 000 0000", "Rocha Gifts", "Portugal", "fr")


@dataclass
class Desk:
    house: House
    terms: TermsVersion
    by: User

    def invite(self, *, at: datetime = NOW, guest: invitations.Guest = GUEST) -> ProgramInvitation:
        return invitations.invite(self.house.program, guest=guest, tier=self.house.tier, by=self.by, at=at)

    def accept(
        self, invitation: ProgramInvitation, *, shown: str = "", at: datetime | None = None
    ) -> Membership:
        return invitation_answers.accept(
            word_of(invitation),
            reply=REPLY,
            terms_id=self.terms.public_id,
            shown=shown,
            at=at or NOW + timedelta(days=1),
            address="203.0.113.7",
        )


@pytest.fixture
def desk() -> Desk:
    house = open_house(percent="8")
    return Desk(house, TermsVersionFactory(program=house.program, published=True), mats())


def mails(kind: str) -> list[str]:
    return list(OutgoingMail.objects.filter(kind=kind).order_by("pk").values_list("to", flat=True))


def test_accepting_makes_a_member_in_the_tier_with_the_terms_accepted(desk: Desk) -> None:
    invitation = desk.invite()
    membership = desk.accept(invitation)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.membership) == (InvitationState.ACCEPTED, membership)
    assert membership.public_id == invitation.membership_key
    assert standing_of(membership, at=NOW + timedelta(days=1)).tier_key == "registered"
    acceptance = Acceptance.objects.get(membership=membership)
    assert (acceptance.text_sha256, acceptance.address) == (desk.terms.sha256, "203.0.113.7")
    assert acceptance.person == User.objects.get(email_folded="guest@rocha.example")
    owner = membership.partner.members.get()
    assert (owner.role, owner.user.email, owner.user.language) == ("owner", "guest@rocha.example", "fr")
    assert membership.partner.account_manager == desk.by
    assert mails("program_invitation_welcome") == ["guest@rocha.example"]
    assert mails("program_invitation_answered") == [desk.by.email]


def test_pressing_accept_again_makes_nothing_more(desk: Desk) -> None:
    invitation = desk.invite()
    desk.accept(invitation)
    with pytest.raises(Refused):
        desk.accept(invitation)
    assert Membership.objects.count() == 1
    assert len(mails("program_invitation_welcome")) == 1


def test_own_rates_are_read_accepted_and_pay_from_then_on(desk: Desk) -> None:
    invitation = invitations.prepare(
        desk.house.program, guest=GUEST, tier=desk.house.tier, by=desk.by, at=NOW
    )
    draft = invitations.begin_terms(invitation, by=ada(), at=NOW)
    draft.rules.update(rate=Decimal("12"))
    own = invitations.propose_terms(invitation, effective_at=NOW, by=ada(), at=NOW)
    invitation = invitations.send(invitation, by=desk.by, at=NOW)
    with pytest.raises(invitation_answers.OfferChanged):
        desk.accept(invitation, shown="")
    assert not Membership.objects.exists()
    membership = desk.accept(invitation, shown=own.sha256)
    plan = plan_of(membership, at=NOW + timedelta(days=2))
    assert plan is not None
    assert (plan.version_id, plan.rules[0].rate) == (own.pk, Decimal("0.12"))
    accepted = PlanVersion.objects.get(pk=own.pk)
    assert (accepted.state, accepted.accepted_by) == (
        VersionState.PUBLISHED,
        membership.partner.members.get().user,
    )


def test_the_addendum_becomes_an_accepted_amendment(desk: Desk) -> None:
    guest = invitations.Guest(GUEST.email, addendum="Twenty copies of the catalogue a month.")
    membership = desk.accept(desk.invite(guest=guest))
    amendment = Amendment.objects.get(membership=membership)
    assert (amendment.state, amendment.text) == ("accepted", "Twenty copies of the catalogue a month.")
    assert amendment.proposed_by == desk.by
    assert amendment.answered_by == membership.partner.members.get().user


def test_one_invitation_lives_per_mailbox_and_known_mailboxes_are_refused(desk: Desk) -> None:
    invitation = desk.invite()
    with pytest.raises(invitations.AlreadyInvited):
        desk.invite(guest=invitations.Guest("GUEST@rocha.example"))
    desk.accept(invitation)
    with pytest.raises(invitations.AlreadyIn):
        desk.invite()
    ApplicationFactory(program=desk.house.program, email="waits@x.example")
    with pytest.raises(invitations.HasApplied):
        desk.invite(guest=invitations.Guest("waits@x.example"))
    assert ProgramInvitation.objects.count() == 1


def test_only_those_who_may_invite_do_and_only_with_terms_in_force(desk: Desk) -> None:
    with pytest.raises(policy.Forbidden):
        invitations.invite(desk.house.program, guest=GUEST, tier=desk.house.tier, by=fiona(), at=NOW)
    other = open_house(slug="other", entity=desk.house.program.legal_entity)
    with pytest.raises(invitations.NoTerms):
        invitations.invite(other.program, guest=GUEST, tier=other.tier, by=desk.by, at=NOW)
    with pytest.raises(invitations.OtherProgram):
        invitations.invite(desk.house.program, guest=GUEST, tier=other.tier, by=desk.by, at=NOW)
    assert not ProgramInvitation.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_sending_again_ends_the_link_before(desk: Desk) -> None:
    first = desk.invite()
    old = word_of(first)
    again = invitations.send(first, by=desk.by, at=NOW + timedelta(hours=1))
    assert find(old) is None
    assert find(word_of(again)) == again
    assert again.expires_at == NOW + timedelta(days=30, hours=1)
    assert len(mails("program_invitation")) == 2


def test_what_was_sent_cannot_be_changed_under_the_reader(desk: Desk) -> None:
    invitation = desk.invite()
    with pytest.raises(invitations.IsSent):
        invitations.change(invitation, addendum="More.", by=desk.by, at=NOW)
    counters.to_invitation(word_of(invitation), text="Ten percent.", at=NOW)
    changed = invitations.change(invitation, addendum="More.", by=desk.by, at=NOW)
    assert changed.addendum == "More."


def test_a_counter_proposal_is_answered_with_another_offer_or_a_no(desk: Desk) -> None:
    invitation = desk.invite()
    old = word_of(invitation)
    counter = counters.to_invitation(old, text="Ten percent, please.", at=NOW)
    with pytest.raises(Refused):
        desk.accept(invitation)
    assert mails("counter_received") == [desk.by.email]
    counters.offer_again(counter, answer="Nine, and the catalogue.", by=desk.by, at=NOW + timedelta(hours=2))
    with pytest.raises(counters.AlreadyAnswered):
        counters.refuse(counter, answer="No.", by=desk.by, at=NOW)
    invitation.refresh_from_db()
    assert (invitation.state, find(old)) == (InvitationState.OPEN, None)
    assert (
        "Nine, and the catalogue." in OutgoingMail.objects.filter(kind="program_invitation").latest("pk").text
    )
    second = counters.to_invitation(word_of(invitation), text="Ten.", at=NOW + timedelta(hours=3))
    with pytest.raises(counters.NoAnswer):
        counters.refuse(second, answer=" ", by=desk.by, at=NOW)
    counters.refuse(second, answer="We cannot.", by=desk.by, at=NOW + timedelta(hours=4))
    invitation.refresh_from_db()
    assert invitation.state == InvitationState.WITHDRAWN
    assert mails("counter_answered") == ["guest@rocha.example"]
    assert CounterProposal.objects.filter(answered_at=None).count() == 0


def test_it_is_reminded_of_once_and_then_expires(desk: Desk) -> None:
    invitation = desk.invite()
    assert invitation_answers.remind(at=NOW + timedelta(days=6)) == 0
    assert invitation_answers.remind(at=NOW + timedelta(days=7)) == 1
    assert invitation_answers.remind(at=NOW + timedelta(days=8)) == 0
    reminder = OutgoingMail.objects.get(kind="program_invitation_reminder")
    assert f"/invited/{word_of(invitation)}/" in reminder.text
    assert invitation_answers.expire(at=NOW + timedelta(days=29)) == 0
    assert invitation_answers.expire(at=NOW + timedelta(days=30)) == 1
    with pytest.raises(Refused):
        desk.accept(invitation, at=NOW + timedelta(days=30))


def test_a_fresh_link_goes_to_the_invited_mailbox_or_to_who_invited_once_a_day(desk: Desk) -> None:
    invitation = desk.invite()
    for _again in range(2):
        invitation_answers.ask_again("Guest@Rocha.example", at=NOW + timedelta(days=1))
        invitation_answers.ask_again("nobody@x.example", at=NOW + timedelta(days=1))
    assert mails("program_invitation") == ["guest@rocha.example"] * 2
    late = NOW + timedelta(days=31)
    invitation_answers.expire(at=late)
    for _again in range(2):
        invitation_answers.ask_again("guest@rocha.example", at=late)
    assert mails("program_invitation_asked") == [desk.by.email]
    invitations.send(invitation, by=desk.by, at=late)
    invitation.refresh_from_db()
    assert invitation.state == InvitationState.OPEN


def test_declining_tells_who_invited_and_takes_own_rates_back(desk: Desk) -> None:
    invitation = desk.invite()
    invitations.begin_terms(invitation, by=ada(), at=NOW)
    own = invitations.propose_terms(invitation, effective_at=NOW, by=ada(), at=NOW)
    invitation_answers.decline(word_of(invitation), reason="Not now.", at=NOW)
    own.refresh_from_db()
    assert own.state == VersionState.DRAFT
    assert "Not now." in OutgoingMail.objects.get(kind="program_invitation_answered").text


def test_who_introduced_the_guest_recruits_it(desk: Desk) -> None:
    above = desk.house.member("ABOVE")
    prospect = ProspectFactory(program=desk.house.program, email=GUEST.email, introducer=above)
    invitation = desk.invite()
    assert (invitation.prospect, invitation.introducer) == (prospect, above)
    membership = desk.accept(invitation)
    prospect.refresh_from_db()
    assert (membership.recruiter, prospect.stage, prospect.membership) == (above, "joined", membership)


def test_somebody_who_no_longer_works_here_invites_nobody_in(desk: Desk) -> None:
    invitation = desk.invite()
    policy.replace_roles(desk.by, [])
    with pytest.raises(invitation_answers.InviterGone):
        desk.accept(invitation)
    assert not Membership.objects.exists()
