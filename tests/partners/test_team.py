"""A way into a team is for one mailbox, once; a team never loses its last owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import team
from partners.choices import TeamRole
from partners.models import Invitation, Member
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def owner() -> Member:
    return MemberFactory()


def invite(owner: Member, email: str = "Pia@x.example", role: str = "marketing") -> tuple[Invitation, str]:
    return team.invite(owner.partner, email=email, role=role, by=owner.user, at=NOW)


def person(email: str = "pia@X.example") -> User:
    return UserFactory(email=email)


def test_an_invitation_is_mailed_and_accepted_once(owner: Member) -> None:
    invitation, token = invite(owner)
    mail = OutgoingMail.objects.get(kind="team_invitation")
    assert f"/invitation/{token}/" in mail.text
    assert token not in Invitation.objects.values_list("token_sha256", flat=True)
    pia = person()
    member = team.accept(token, user=pia, at=NOW + timedelta(days=6))
    assert (member.partner, member.user, member.role) == (owner.partner, pia, TeamRole.MARKETING)
    invitation.refresh_from_db()
    assert invitation.accepted_by == pia
    with pytest.raises(team.InvitationOver):
        team.accept(token, user=pia, at=NOW + timedelta(days=6))
    assert Member.objects.filter(user=pia).count() == 1


def test_an_invitation_is_for_the_mailbox_it_was_sent_to(owner: Member) -> None:
    invitation, token = invite(owner)
    with pytest.raises(team.OtherMailbox):
        team.accept(token, user=person("eve@x.example"), at=NOW)
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert Member.objects.count() == 1


def test_an_invitation_ends_after_a_week(owner: Member) -> None:
    _invitation, token = invite(owner)
    assert team.find(token, at=NOW + team.VALID_FOR) is None
    with pytest.raises(team.InvitationOver):
        team.accept(token, user=person(), at=NOW + team.VALID_FOR)
    assert Member.objects.count() == 1


def test_a_second_invitation_makes_the_first_link_useless(owner: Member) -> None:
    _first, old = invite(owner)
    _second, new = invite(owner, email="PIA@x.example", role="finance")
    assert team.find(old, at=NOW) is None
    assert team.accept(new, user=person(), at=NOW).role == TeamRole.FINANCE


def test_a_withdrawn_invitation_opens_nothing(owner: Member) -> None:
    invitation, token = invite(owner)
    team.withdraw(invitation, by=owner.user, at=NOW)
    assert team.find(token, at=NOW) is None
    with pytest.raises(team.InvitationOver):
        team.withdraw(invitation, by=owner.user, at=NOW)
    assert AuditEvent.objects.filter(action="team.invitation_withdrawn").count() == 1


def test_who_is_in_the_team_is_not_invited_again(owner: Member) -> None:
    MemberFactory(partner=owner.partner, user=person(), role=TeamRole.SALES)
    with pytest.raises(team.AlreadyInTeam):
        invite(owner)
    with pytest.raises(team.UnknownRole):
        invite(owner, email="new@x.example", role="boss")
    assert not Invitation.objects.exists()


def test_only_owners_and_account_managers_manage_a_team(owner: Member) -> None:
    helper = MemberFactory(partner=owner.partner, role=TeamRole.FINANCE)
    stranger = MemberFactory()
    for by in (helper.user, stranger.user, fiona()):
        with pytest.raises(team.NotYours):
            team.invite(owner.partner, email="new@x.example", role="sales", by=by, at=NOW)
        with pytest.raises(team.NotYours):
            team.change_role(helper, role="owner", by=by, at=NOW)
        if by != helper.user:
            with pytest.raises(team.NotYours):
                team.remove(helper, by=by, at=NOW)
    assert not Invitation.objects.exists()
    helper.refresh_from_db()
    assert (helper.role, helper.ended_at) == (TeamRole.FINANCE, None)
    team.invite(owner.partner, email="new@x.example", role="sales", by=mats(), at=NOW)
    assert Invitation.objects.count() == 1


def test_the_last_owner_stays_an_owner(owner: Member) -> None:
    with pytest.raises(team.LastOwner):
        team.change_role(owner, role="sales", by=owner.user, at=NOW)
    with pytest.raises(team.LastOwner):
        team.remove(owner, by=owner.user, at=NOW)
    owner.refresh_from_db()
    assert (owner.role, owner.ended_at) == (TeamRole.OWNER, None)
    second = MemberFactory(partner=owner.partner)
    team.change_role(owner, role="sales", by=second.user, at=NOW)
    owner.refresh_from_db()
    assert owner.role == TeamRole.SALES
    event = AuditEvent.objects.get(action="team.role_changed")
    assert (event.details["before"], event.details["after"]) == ("owner", "sales")


def test_anybody_may_leave_and_removal_is_dated(owner: Member) -> None:
    helper = MemberFactory(partner=owner.partner, role=TeamRole.SALES)
    gone = team.remove(helper, by=helper.user, at=NOW)
    assert (gone.ended_at, gone.ended_by) == (NOW, helper.user)
    again = team.remove(helper, by=owner.user, at=NOW + timedelta(days=1))
    assert again.ended_at == NOW
    assert list(Member.objects.current().filter(partner=owner.partner)) == [owner]
