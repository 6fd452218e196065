"""The list of a partner's people: who keeps it, what it refuses, and how it follows the team and a merge."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partners import merging, team
from partners.certification import staff
from partners.models import Member, Partner, Staff
from partners.profile_fields import BadCountry
from prm.audit.models import AuditEvent
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory
from tests.factories.tiering import CertificationFactory, CredentialFactory, StaffFactory
from tests.factories.tiers import EPOCH
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
AT = EPOCH + timedelta(days=30)


def owner() -> Member:
    return MemberFactory.create(partner__country="France")


@pytest.mark.parametrize(
    ("role", "may"),
    [("owner", True), ("marketing", True), ("sales", True), ("finance", False), ("read_only", False)],
)
def test_owners_marketing_and_sales_keep_the_list(role: str, *, may: bool) -> None:
    member = MemberFactory.create(role=role)
    assert staff.may_manage(member.partner, member.user) is may
    if not may:
        with pytest.raises(staff.NotYourList):
            staff.add(member.partner, full_name="Karl", role="sales", by=member.user, at=AT)


def test_nobody_keeps_the_list_of_another_partner() -> None:
    foreign = StaffFactory.create()
    by = owner().user
    for act in (
        lambda: staff.leave(foreign, by=by, at=AT),
        lambda: staff.put_back(foreign, by=by, at=AT),
        lambda: staff.change(foreign, full_name="X", role="sales", by=by, at=AT),
        lambda: staff.link(foreign, None, by=by, at=AT),
        lambda: staff.leave(foreign, by=fiona(), at=AT),
    ):
        with pytest.raises(staff.NotYourList):
            act()
    assert staff.leave(foreign, by=mats(), at=AT).left_by == mats()


def test_a_person_is_added_changed_and_linked() -> None:
    keeper = owner()
    colleague = MemberFactory.create(partner=keeper.partner, user=UserFactory(email="karl@shop.example"))
    row = staff.add(
        keeper.partner,
        full_name="  Karl  Weber ",
        role="sales",
        email="Karl@shop.example",
        by=keeper.user,
        at=AT,
    )
    assert (row.full_name, row.country, row.member) == ("Karl Weber", "France", colleague)
    changed = staff.change(
        row, full_name="Karl Weber", role="technical", country="PL", email="", by=keeper.user, at=AT
    )
    assert (changed.role, changed.country, changed.email) == ("technical", "Poland", "")
    assert staff.link(row, None, by=keeper.user, at=AT).member is None
    assert staff.link(row, keeper, by=keeper.user, at=AT).member == keeper
    other = staff.add(keeper.partner, full_name="Lena", role="sales", by=keeper.user, at=AT)
    for stranger in (keeper, MemberFactory.create()):  # linked already; of another team
        with pytest.raises(staff.OtherTeam):
            staff.link(other, stranger, by=keeper.user, at=AT)
    told = str(list(AuditEvent.objects.filter(action__startswith="staff.").values_list("details", flat=True)))
    assert ("Karl" in told, "shop.example" in told) == (False, False)


def test_what_the_list_does_not_take() -> None:
    keeper = owner()
    staff.add(keeper.partner, full_name="Karl", role="sales", email="k@x.example", by=keeper.user, at=AT)
    given = {"full_name": "Lena", "role": "sales"}
    for refusal, wrong in [
        (staff.NameMissing, {"full_name": " "}),
        (staff.NameMissing, {"full_name": "x" * 121}),
        (staff.NameMissing, {"full_name": "Le\u202ena"}),
        (staff.UnknownRole, {"role": "boss"}),
        (staff.BadEmail, {"email": "lena"}),
        (staff.AlreadyListed, {"email": "K@x.example"}),
        (BadCountry, {"country": "Atlantis"}),
    ]:
        with pytest.raises(refusal):
            staff.add(keeper.partner, **{**given, **wrong}, by=keeper.user, at=AT)
    assert Staff.objects.count() == 1


def test_who_leaves_the_team_leaves_the_list_and_can_be_put_back() -> None:
    keeper = owner()
    member = MemberFactory.create(partner=keeper.partner, role="sales")
    row = staff.of_member(member, by=member.user, at=AT)
    team.remove(member, by=keeper.user, at=AT + timedelta(days=1))
    row.refresh_from_db()
    assert (row.left_at, row.left_by) == (AT + timedelta(days=1), keeper.user)
    with pytest.raises(staff.HasLeft):
        staff.change(row, full_name="X", role="sales", by=keeper.user, at=AT)
    back = staff.put_back(row, by=keeper.user, at=AT + timedelta(days=2))
    # Still there, but without a way to sign in.
    assert (back.left_at, back.member) == (None, None)
    with pytest.raises(staff.StillHere):
        staff.put_back(row, by=keeper.user, at=AT)


def test_who_comes_back_into_the_team_finds_the_old_row_unless_marked_as_left_by_hand() -> None:
    keeper = owner()
    member = MemberFactory.create(partner=keeper.partner, role="sales")
    row = staff.of_member(member, by=member.user, at=AT)
    team.remove(member, by=keeper.user, at=AT + timedelta(days=1))
    again = MemberFactory.create(partner=keeper.partner, user=member.user)
    assert staff.of_member(again, by=member.user, at=AT + timedelta(days=2)) == row
    row.refresh_from_db()
    assert (row.left_at, row.member) == (None, again)
    staff.leave(row, by=keeper.user, at=AT + timedelta(days=3))
    with pytest.raises(staff.HasLeft):
        staff.of_member(again, by=member.user, at=AT + timedelta(days=4))
    assert Partner.objects.get(pk=keeper.partner_id).staff.count() == 1


def test_a_merge_brings_people_with_all_they_hold_and_lists_nobody_twice() -> None:
    keeper, other = owner(), owner()
    there, here = other.partner, keeper.partner
    both = MemberFactory.create(partner=there, role="sales")
    now_here = MemberFactory.create(partner=here, user=both.user, role="sales")
    learned = StaffFactory.create(partner=there, member=both, email=both.user.email)
    certified = StaffFactory.create(partner=there, email="kim@x.example")
    empty_row = StaffFactory.create(partner=here, email="Kim@x.example")
    known = StaffFactory.create(partner=here, email="lee@x.example")
    double = StaffFactory.create(partner=there, email="lee@x.example")
    alone = StaffFactory.create(partner=there, email="")
    nameless = StaffFactory.create(partner=here, email="")
    certification = CertificationFactory.create()
    for person in (learned, certified, known):
        CredentialFactory.create(certification=certification, staff=person, earned_on=AT.date())
    merging.merge(there, into=here, by=ada(), at=AT)
    listed = set(Staff.objects.filter(partner=here, left_at=None))
    assert listed == {learned, certified, known, alone, nameless}
    assert set(Staff.objects.filter(partner=here).exclude(left_at=None)) == {empty_row, double}
    assert not Staff.objects.filter(partner=there).exists()
    # Who was in both teams is the same person in the one that goes on.
    assert staff.of_member(now_here, by=both.user, at=AT + timedelta(days=1)) == learned
