"""Keep the list of the people who work for a partner on our business: certified shares are shares of it. Owners, sales and marketing keep it;
whoever of the team learns is on it, and leaves it with the team."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners.choices import StaffRole, TeamRole
from partners.events import CredentialsChanged
from partners.models import Member, Partner, Staff
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce

if TYPE_CHECKING:
    from prm.accounts.models import User

KEEPERS = (TeamRole.OWNER, TeamRole.MARKETING, TeamRole.SALES)
LONGEST_NAME = 120
MOST = 5_000
MOMENT = timedelta(microseconds=1)
# What somebody of the team is taken for until the list says otherwise.
_FIRST_ROLES = {
    TeamRole.OWNER: StaffRole.MANAGEMENT,
    TeamRole.MARKETING: StaffRole.MARKETING,
    TeamRole.SALES: StaffRole.SALES,
}


class NotYourList(Refused):
    message = _("Owners, marketing and sales of the team keep this list.")


class NameMissing(Refused):
    message = _("Write a name of up to 120 characters.")
    field = "full_name"


class UnknownRole(Refused):
    message = _("Choose what the person does.")
    field = "role"


class BadEmail(Refused):
    message = _("Write an e-mail address, such as name@example.com, or leave it empty.")
    field = "email"


class AlreadyListed(Refused):
    message = _("Somebody with this e-mail address is on the list already.")
    field = "email"


class ListFull(Refused):
    message = _("The list holds 5,000 people at most.")


class HasLeft(Refused):
    message = _("This person is marked as left. Put them back on the list first.")


class StillHere(Refused):
    message = _("This person is on the list.")


class OtherTeam(Refused):
    message = _("Choose somebody of your team who is not on the list yet.")
    field = "member"


def may_manage(partner: Partner, user: User) -> bool:
    """Say whether `user` may keep the list of a partner's people."""
    if policy.may(user, "manage_courses"):
        return True
    return Member.objects.current().filter(partner=partner, user=user, role__in=KEEPERS).exists()


@transaction.atomic
def add(
    partner: Partner,
    *,
    full_name: str,
    role: str,
    by: User,
    at: datetime,
    email: str = "",
    country: str | None = None,
) -> Staff:
    """Put somebody on the list, in the partner's country unless told; a team member who has the e-mail address is linked.

    Raises: NotYourList, NameMissing, UnknownRole, BadEmail, BadCountry, AlreadyListed, ListFull.
    """
    partner = _managed(partner, by)
    values = _values(full_name, role, email, partner.country if country is None else country)
    _refuse_twice(partner, values["email"])
    if Staff.objects.filter(partner=partner, left_at=None).count() >= MOST:
        raise ListFull
    row = Staff.objects.create(
        partner=partner, member=_member_by(partner, values["email"]), added_at=at, added_by=by, **values
    )
    audit.record(by, "staff.added", row, at=at, role=row.role)
    announce(CredentialsChanged(partner.pk))
    return row


@transaction.atomic
def change(
    staff: Staff, *, full_name: str, role: str, by: User, at: datetime, email: str = "", country: str = ""
) -> Staff:
    """Change what the list says of a person.

    Raises: NotYourList, HasLeft, NameMissing, UnknownRole, BadEmail, BadCountry, AlreadyListed.
    """
    partner = _managed(staff.partner, by)
    row = _here(staff)
    values = _values(full_name, role, email, country)
    _refuse_twice(partner, values["email"], besides=row)
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if not changed:
        return row
    for name in changed:
        setattr(row, name, values[name])
    row.save(update_fields=changed)
    audit.record(by, "staff.changed", row, at=at, fields=changed)
    if {"role", "country"} & set(changed):
        announce(CredentialsChanged(partner.pk))
    return row


@transaction.atomic
def link(staff: Staff, member: Member | None, *, by: User, at: datetime) -> Staff:
    """Say who of the team a person on the list is, or with None that they do not sign in.

    Raises: NotYourList, HasLeft, OtherTeam.
    """
    partner = _managed(staff.partner, by)
    row = _here(staff)
    if member is not None:
        theirs = Member.objects.current().filter(pk=member.pk, partner=partner)
        if not theirs.exists() or Staff.objects.filter(member=member).exclude(pk=row.pk).exists():
            raise OtherTeam
    if row.member_id != (member.pk if member else None):
        row.member = member
        row.save(update_fields=["member"])
        audit.record(by, "staff.linked", row, at=at, member=member)
    return row


@transaction.atomic
def leave(staff: Staff, *, by: User, at: datetime) -> Staff:
    """Mark somebody as left: they count no more from now on, and what they hold stays on record.

    Raises: NotYourList, HasLeft.
    """
    _managed(staff.partner, by)
    return mark_left(_here(staff), by, at)


@transaction.atomic
def put_back(staff: Staff, *, by: User, at: datetime) -> Staff:
    """Put somebody who left back on the list, with all they hold.

    Raises: NotYourList, StillHere, AlreadyListed.
    """
    partner = _managed(staff.partner, by)
    row = locked(staff)
    if row.left_at is None:
        raise StillHere
    if not row.full_name:  # erased
        raise HasLeft
    _refuse_twice(partner, row.email, besides=row)
    return _back(row, by, at)


@transaction.atomic
def of_member(member: Member, *, by: User, at: datetime) -> Staff:
    """Return a team member's row on the list; who learns for the first time is found by e-mail address or put on it.

    Somebody who left with a former place in the team comes back with the new one; somebody the team marked as left does not.

    Raises: HasLeft.
    """
    partner = Partner.objects.lock().get(pk=member.partner_id)
    known = Staff.objects.filter(member=member).first()
    if known is not None:
        if known.left_at is not None:
            raise HasLeft
        return known
    found = find(member)
    if found is not None:
        row = locked(found)
        row.member = member
        row.save(update_fields=["member"])
        audit.record(by, "staff.linked", row, at=at, member=member)
        return _back(row, by, at) if row.left_at is not None else row
    row = Staff.objects.create(
        partner=partner,
        full_name=member.user.get_full_name()[:LONGEST_NAME],
        email=member.user.email,
        role=first_role(member.role),
        country=partner.country,
        member=member,
        added_at=at,
        added_by=by,
    )
    audit.record(by, "staff.added", row, at=at, role=row.role)
    announce(CredentialsChanged(partner.pk))
    return row


@transaction.atomic
def leave_with(member: Member, *, by: User, at: datetime) -> None:
    """Mark the person as left whose place in the team has ended; who still works there can be put back."""
    row = (
        Staff.objects.select_for_update(of=("self",), no_key=True).filter(member=member, left_at=None).first()
    )
    if row is not None:
        mark_left(row, by, at)


def first_role(team_role: str) -> StaffRole:
    """Return what somebody in a role of the team is taken for."""
    return _FIRST_ROLES.get(TeamRole(team_role), StaffRole.OTHER)


def locked(staff: Staff) -> Staff:
    """Return a person's row, locked: what one person learns and holds happens one after the other."""
    rows = Staff.objects.select_for_update(of=("self",), no_key=True).select_related(
        "partner", "member__user"
    )
    return rows.get(pk=staff.pk)


def _managed(partner: Partner, by: User) -> Partner:
    row = Partner.objects.lock().get(pk=partner.pk)
    if not may_manage(row, by):
        raise NotYourList
    return row


def _here(staff: Staff) -> Staff:
    row = locked(staff)
    if row.left_at is not None:
        raise HasLeft
    return row


def _values(full_name: str, role: str, email: str, country: str) -> dict[str, str]:
    try:
        name = fields.one_line(full_name, longest=LONGEST_NAME)
    except Refused as refusal:
        raise NameMissing from refusal
    if not name:
        raise NameMissing
    if role not in StaffRole.values:
        raise UnknownRole
    address = email.strip()
    if address:
        try:
            fields.checked_email(address)
        except Refused as refusal:
            raise BadEmail from refusal
    return {
        "full_name": name,
        "role": role,
        "email": address,
        "country": fields.checked_country(country) if country else "",
    }


def _refuse_twice(partner: Partner, email: str, *, besides: Staff | None = None) -> None:
    if not email:
        return
    same = Staff.objects.filter(partner=partner, left_at=None, email__iexact=email)
    if same.exclude(pk=besides.pk if besides else 0).exists():
        raise AlreadyListed


def _member_by(partner: Partner, email: str) -> Member | None:
    found = Member.objects.current().filter(partner=partner, user__email__iexact=email, staff=None)
    return found.first() if email else None


def find(member: Member) -> Staff | None:
    """Return the row of a team member, whether linked to it already or free for it; one that is on the list goes first."""
    rows = Staff.objects.filter(partner=member.partner_id).select_related("partner", "member")
    known = rows.filter(member=member).first()
    if known is not None:
        return known
    mine: Collection[Staff] = rows.filter(email__iexact=member.user.email)
    free = [row for row in mine if row.member is None or row.member.ended_at is not None]
    # Marked as left by hand stays left: only who left with the place in the team comes back with one.
    fit = [row for row in free if row.left_at is None or row.member is not None]
    return min(fit, key=lambda row: (row.left_at is not None, row.pk), default=None)


def mark_left(row: Staff, by: User, at: datetime) -> Staff:
    """Mark a row, which the caller holds, as left; what it holds stays on record."""
    row.left_at, row.left_by = max(at, row.added_at + MOMENT), by
    row.save(update_fields=["left_at", "left_by"])
    audit.record(by, "staff.left", row, at=at)
    announce(CredentialsChanged(row.partner_id))
    return row


def _back(row: Staff, by: User, at: datetime) -> Staff:
    row.left_at, row.left_by = None, None
    # A place in the team that has ended is no way to sign in any more.
    if row.member is not None and row.member.ended_at is not None:
        row.member = None
    row.save(update_fields=["left_at", "left_by", "member"])
    audit.record(by, "staff.put_back", row, at=at)
    announce(CredentialsChanged(row.partner_id))
    return row
