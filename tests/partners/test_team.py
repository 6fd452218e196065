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
from tests.factories.partners import MemberFactory, MembershipFactory
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


@pytest.mark.parametrize("role", ["owner", "finance", "marketing"])
@pytest.mark.parametrize("how", ["invites", "changes a role", "invites, being in marketing"])
def test_owners_hear_at_once_whom_staff_lets_touch_their_money(owner: Member, role: str, how: str) -> None:
    """Nobody who looks after a partner can slip a mailbox of their own in."""
    second = MemberFactory(partner=owner.partner, user__language="fr")
    MemberFactory(partner=owner.partner, role=TeamRole.FINANCE)
    by = mats()
    if how == "changes a role":
        helper = MemberFactory(partner=owner.partner, user=person(), role=TeamRole.READ_ONLY)
        team.change_role(helper, role=role, by=by, at=NOW)
    else:
        if "marketing" in how:
            MemberFactory(partner=owner.partner, user=by, role=TeamRole.MARKETING)
        team.invite(owner.partner, email="Pia@x.example", role=role, by=by, at=NOW)
    mails = OutgoingMail.objects.filter(kind="team_invitation_notice")
    if role == "marketing":
        assert not mails.exists()
        return
    assert {mail.to for mail in mails} == {owner.user.email, second.user.email, owner.partner.email}
    [english] = mails.filter(to=owner.user.email)
    for said in ("Mats Lindqvist", "@x.example", role.title(), "reply to this message", "/portal/team/"):
        assert said.lower() in english.text.lower()
    [french] = mails.filter(to=second.user.email)
    assert "répondez" in french.text
    assert AuditEvent.objects.get(action="team.owners_told", actor=by).details["mails"] == 3


def test_owners_who_invite_by_themselves_are_told_nothing(owner: Member) -> None:
    invite(owner, role="owner")
    assert list(OutgoingMail.objects.values_list("kind", flat=True)) == ["team_invitation"]


def test_a_mailbox_is_written_to_three_times_a_day_at_most(owner: Member) -> None:
    first, _token = invite(owner)
    team.renew(first, by=owner.user, at=NOW + timedelta(hours=1))
    last, _token = invite(owner, email="PIA@x.example")
    for write in (
        lambda: invite(owner),
        lambda: team.renew(last, by=owner.user, at=NOW + timedelta(hours=23)),
    ):
        with pytest.raises(team.InvitedTooOften, match="3 invitations") as refusal:
            write()
        assert refusal.value.field == "email"
    last.refresh_from_db()
    assert last.withdrawn_at is None  # the mail that is there keeps working
    assert OutgoingMail.objects.count() == 3
    invite(owner, email="other@x.example")
    team.renew(last, by=owner.user, at=NOW + timedelta(hours=24))


def test_a_team_sends_thirty_invitations_a_day_at_most(owner: Member) -> None:
    Invitation.objects.bulk_create(
        Invitation(
            partner=owner.partner,
            email=f"p{number}@x.example",
            email_folded=f"p{number}@x.example",
            token_sha256=f"{number:064}",
            invited_at=NOW,
            invited_by=owner.user,
            expires_at=NOW + team.VALID_FOR,
        )
        for number in range(29)
    )
    invite(owner)
    with pytest.raises(team.TooManyInvitations, match="30 invitations"):
        invite(owner, email="late@x.example")
    invite(MemberFactory())  # another team has its own count


def test_a_closed_account_joins_no_team(owner: Member) -> None:
    _invitation, token = invite(owner)
    pia = person()
    User.objects.filter(pk=pia.pk).update(is_active=False)
    pia.refresh_from_db()
    with pytest.raises(team.AccountClosed, match="closed"):
        team.accept(token, user=pia, at=NOW)
    assert team.find(token, at=NOW) is not None
    assert not Member.objects.filter(user=pia).exists()


@pytest.mark.parametrize(
    ("program", "account", "day"),
    [
        ("Asia/Tokyo", None, "28 November"),
        ("Asia/Tokyo", "UTC", "28 November"),
        (None, "Asia/Tokyo", "28 November"),
        ("America/New_York", None, "27 November"),
        (None, None, "27 November"),
    ],
)
def test_the_last_day_of_an_invitation_is_one_of_the_program(
    owner: Member, program: str | None, account: str | None, day: str
) -> None:
    if program:
        MembershipFactory(partner=owner.partner, program__time_zone=program)
    if account:
        UserFactory(email="pia@x.example", time_zone=account)
    at = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # a week later it is 05:00 of the 28th in Tokyo
    team.invite(owner.partner, email="pia@x.example", role="sales", by=owner.user, at=at)
    assert f"until {day} 2026" in OutgoingMail.objects.get(kind="team_invitation").text
