"""Suspend, reinstate, notice, ban, leave: what each does to a membership, who may, who hears of it, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partners import leaving
from partners.choices import AmendmentState, EndingKind, MembershipState, SanctionReason
from partners.leaving_rules import (
    NoNotice,
    NoticeGiven,
    NoticeTooShort,
    NotRunning,
    NotSuspended,
    NotThatDay,
    OverAlready,
    WrongReason,
)
from partners.models import Ending, Membership, Placement, Suspension
from partners.team import NotYours
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.factories.recruiting import AmendmentFactory
from tests.house import House, open_house
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)  # 10:30 in London
DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    return house


@pytest.fixture
def membership(house: House) -> Membership:
    return house.members["ANA10"]


def mails_of(kind: str) -> list[str]:
    return list(OutgoingMail.objects.filter(kind=kind).values_list("to", flat=True))


def actions(membership: Membership) -> list[str]:
    events = AuditEvent.objects.filter(object_type="partners.membership", object_pk=str(membership.pk))
    return list(events.order_by("pk").values_list("action", flat=True))


def test_a_suspension_stops_a_membership_until_it_is_lifted_and_both_are_told(membership: Membership) -> None:
    made = leaving.suspend(membership, reason="spam", note="Please stop.", by=mats(), at=NOW)
    membership.refresh_from_db()
    assert (membership.state, made.suspended_at, made.suspended_by) == ("suspended", NOW, mats())
    [told] = OutgoingMail.objects.filter(kind="membership_suspended")
    assert told.to == "ana@studio.example"
    assert "Unwanted messages in our name" in told.text
    assert "Please stop." in told.text
    assert "10 June 2026" in told.text
    assert "Nothing is paid while the suspension lasts." in told.text

    lifted = leaving.reinstate(membership, by=mats(), at=NOW + DAY)
    membership.refresh_from_db()
    assert (membership.state, lifted.lifted_at, lifted.lifted_by) == ("active", NOW + DAY, mats())
    assert mails_of("membership_reinstated") == ["ana@studio.example"]
    assert actions(membership) == ["membership.suspended", "membership.reinstated"]


def test_the_product_itself_may_carry_out_an_announced_consequence(membership: Membership) -> None:
    made = leaving.suspend(membership, reason="terms_not_accepted", by=None, at=NOW)
    assert made.suspended_by is None
    assert leaving.reinstate(membership, by=None, at=NOW + DAY).lifted_by is None


def test_what_makes_no_sense_is_refused_and_changes_nothing(membership: Membership) -> None:
    with pytest.raises(NotSuspended):
        leaving.reinstate(membership, by=mats(), at=NOW)
    with pytest.raises(WrongReason):
        leaving.suspend(membership, reason="own_wish", by=mats(), at=NOW)
    with pytest.raises(WrongReason):
        leaving.ban(membership, reason="inactive", by=mats(), at=NOW)
    with pytest.raises(Forbidden):
        leaving.suspend(membership, reason="fraud", by=fiona(), at=NOW)
    with pytest.raises(NotYours):
        leaving.leave(membership, by=mats(), at=NOW)
    leaving.suspend(membership, reason="fraud", by=mats(), at=NOW)
    with pytest.raises(NotRunning):
        leaving.suspend(membership, reason="fraud", by=mats(), at=NOW)
    assert Suspension.objects.count() == 1
    assert not Ending.objects.exists()


def test_without_a_breach_the_notice_of_the_terms_is_kept(membership: Membership) -> None:
    """No terms are published here, so it is 30 days: from 10 June, 10:30 in London, to 11 July, the first midnight after."""

    def end(effective_at: datetime) -> Ending:
        return leaving.give_notice(
            membership,
            kind="terminated",
            reason="program_closed",
            effective_at=effective_at,
            by=mats(),
            at=NOW,
        )

    first = datetime(2026, 7, 10, 23, tzinfo=UTC)  # midnight of 11 July in London
    with pytest.raises(NoticeTooShort, match="2026-07-11"):
        end(first - timedelta(seconds=1))
    ending = end(first)
    membership.refresh_from_db()
    assert (membership.state, membership.ended_at, ending.done_at) == ("active", None, None)
    [told] = OutgoingMail.objects.filter(kind="membership_notice")
    assert "ends on 11 July 2026" in told.subject
    with pytest.raises(NoticeGiven):
        end(first)


def test_a_notice_is_carried_out_once_at_the_moment_that_was_announced(membership: Membership) -> None:
    until = datetime(2026, 7, 31, 23, tzinfo=UTC)
    leaving.give_notice(
        membership, kind="terminated", reason="inactive", effective_at=until, by=mats(), at=NOW
    )
    assert leaving.carry_out(at=until - timedelta(seconds=1)) == 0
    assert leaving.carry_out(at=until + timedelta(seconds=40)) == 1
    assert leaving.carry_out(at=until + DAY) == 0
    membership.refresh_from_db()
    assert (membership.state, membership.ended_at) == ("terminated", until)
    assert Placement.objects.get(membership=membership).ends_at == until
    assert mails_of("membership_ended") == ["ana@studio.example"]


def test_a_notice_can_be_cancelled_until_its_moment(membership: Membership) -> None:
    until = NOW + timedelta(days=40)
    ending = leaving.give_notice(
        membership, kind="terminated", reason="inactive", effective_at=until, by=mats(), at=NOW
    )
    with pytest.raises(Forbidden):
        leaving.cancel_notice(ending, by=ana(), at=NOW)  # only what she gave herself
    with pytest.raises(NoNotice):
        leaving.cancel_notice(ending, by=mats(), at=until)
    leaving.cancel_notice(ending, by=mats(), at=NOW + DAY)
    assert leaving.carry_out(at=until) == 0
    assert mails_of("membership_notice_cancelled") == ["ana@studio.example"]


def test_an_owner_leaves_at_once_and_everything_that_waits_ends_with_it(membership: Membership) -> None:
    membership.partner.account_manager = mats()
    membership.partner.save()
    amendment = AmendmentFactory.create(
        membership=membership, state="proposed", proposed_at=NOW, proposed_by=ada()
    )
    ending = leaving.leave(membership, by=ana(), at=NOW)
    membership.refresh_from_db()
    amendment.refresh_from_db()
    assert (membership.state, membership.ended_at) == ("ended", NOW)
    assert (ending.reason, ending.done_at, ending.given_by) == ("own_wish", NOW, ana())
    assert amendment.state == AmendmentState.WITHDRAWN
    assert mails_of("membership_left") == ["mats@halden.example"]
    [told] = OutgoingMail.objects.filter(kind="membership_ended")
    assert "If you think this is wrong" not in told.text
    with pytest.raises(OverAlready):
        leaving.leave(membership, by=ana(), at=NOW + DAY)


def test_an_owner_leaves_on_a_later_day_and_may_change_her_mind(membership: Membership) -> None:
    for day in (date(2026, 6, 10), date(2027, 6, 12)):
        with pytest.raises(NotThatDay):
            leaving.leave(membership, by=ana(), at=NOW, on=day)
    ending = leaving.leave(membership, by=ana(), at=NOW, on=date(2026, 7, 1))
    assert ending.effective_at == datetime(2026, 6, 30, 23, tzinfo=UTC)  # midnight in London
    leaving.cancel_notice(ending, by=ana(), at=NOW + DAY)
    leaving.leave(membership, by=ana(), at=NOW + DAY, on=date(2026, 7, 2))


def test_a_ban_happens_at_once_and_overtakes_a_notice(membership: Membership) -> None:
    notice = leaving.leave(membership, by=ana(), at=NOW, on=date(2026, 7, 1))
    ending = leaving.ban(membership, reason="fraud", by=mats(), at=NOW + DAY)
    membership.refresh_from_db()
    notice.refresh_from_db()
    assert (membership.state, membership.ended_at) == (MembershipState.BANNED, NOW + DAY)
    assert (notice.cancelled_at, notice.cancelled_by) == (NOW + DAY, mats())
    assert (ending.kind, ending.done_at) == (EndingKind.BANNED, NOW + DAY)
    [told] = OutgoingMail.objects.filter(kind="membership_ended")
    assert "Nothing is paid until finance has decided, by 25 June 2026." in told.text


def test_who_leaves_while_suspended_stays_unpaid_until_that_is_lifted(membership: Membership) -> None:
    leaving.suspend(membership, reason="fraud", by=mats(), at=NOW)
    leaving.leave(membership, by=ana(), at=NOW + DAY)
    leaving.reinstate(membership, by=mats(), at=NOW + 2 * DAY)
    membership.refresh_from_db()
    assert (membership.state, membership.ended_at) == ("ended", NOW + DAY)
    [told] = OutgoingMail.objects.filter(kind="membership_reinstated")
    assert "what is still owed to you is paid again" in told.text


def test_every_reason_is_offered_for_something() -> None:
    from partners.leaving_rules import FOR_KIND, FOR_SUSPENSION

    offered = set(FOR_SUSPENSION).union(*FOR_KIND.values())
    assert offered == set(SanctionReason)
