"""Begin memberships: by an approval or by an invitation, and in no other way. Whoever owns a partner already brings it along, everybody
else founds one; either way somebody can sign in, the partner stands in a tier, and who introduced it is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners import placement, recruiting, team
from partners.applications import AlreadyMember
from partners.choices import MembershipState, TeamRole
from partners.events import MembershipApproved
from partners.models import Acceptance, Application, Member, Membership, Partner
from prm import audit
from prm.accounts import people
from prm.lib.events import announce
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from prm.accounts.models import User

_STREET, _NUMBER = 70, 16  # what a bank takes of a postal address


@dataclass(frozen=True)
class Newcomer:
    """Who joins. `proven` says that we know the person reads the mailbox."""

    full_name: str
    email: str
    phone: str = ""
    company: str = ""
    website: str = ""
    country: str = ""
    language: str = "en"
    vat_number: str = ""
    street: str = ""
    postcode: str = ""
    town: str = ""
    proven: bool = False


@transaction.atomic
def join(
    program: Program,
    *,
    person: Newcomer,
    tier: Tier,
    by: User,
    at: datetime,
    because: str,
    public_id: str | None = None,
    application: Application | None = None,
    introducer: Membership | None = None,
    manager: User | None = None,
) -> Membership:
    """Make the person's partner an active member of `program`, standing in `tier`, and tell the house of it.

    `because` is the reason of the placement, which the partner sees. `public_id` is given when something was agreed for this
    membership before it existed. `manager` looks after a partner nobody looks after yet; without one, `by` does.

    Raises: Forbidden, AlreadyMember, team.AccountClosed, placement.OtherProgram.
    """
    if tier.program_id != program.pk:
        raise placement.OtherProgram
    above = _introducer(introducer, program)
    user = people.open_account(
        email=person.email,
        at=at,
        by=by,
        full_name=person.full_name,
        language=person.language,
        time_zone=program.time_zone,
        proven=person.proven,
    )
    team.refuse_closed(user)
    partner = _partner(person, user, manager=manager or by, at=at)
    membership = _membership(program, partner, application=application, public_id=public_id, at=at)
    placement.place(membership, tier=tier, by=by, at=at, because=because)
    if application is not None:
        Acceptance.objects.filter(application=application, membership=None).update(membership=membership)
    if above is not None and above.partner_id != partner.pk:
        recruiting.name_recruiter(membership, above, by=by, at=at)
        membership.refresh_from_db(fields=["recruiter", "recruited_at"])
    audit.record(by, "membership.approved", membership, at=at, because=because, application=application)
    announce(MembershipApproved(membership.pk))
    return membership


def lock_introducer(introducer_id: int | None) -> None:
    """Lock who introduced somebody, for a verb that locks more afterwards: memberships come first."""
    if introducer_id is not None:
        list(Membership.objects.filter(pk=introducer_id).lock())


def _introducer(introducer: Membership | None, program: Program) -> Membership | None:
    """Return who introduced the newcomer, as long as overrides of this program can reach them."""
    if introducer is None:
        return None
    active = Membership.objects.active().filter(pk=introducer.pk, program=program, ended_at=None)
    return active.lock().first()


def _partner(person: Newcomer, user: User, *, manager: User, at: datetime) -> Partner:
    places = Member.objects.current().filter(user=user, role=TeamRole.OWNER, partner__merged_into=None)
    owned = places.select_related("partner").order_by("pk").first()
    if owned is not None:
        if owned.partner.account_manager_id is None:
            owned.partner.account_manager = manager
            owned.partner.save(update_fields=["account_manager"])
        return owned.partner
    street, number = street_and_number(person.street)
    partner = Partner.objects.create(
        name=person.company or person.full_name,
        website=person.website,
        email=person.email,
        phone=person.phone,
        street=street,
        building_number=number,
        postcode=person.postcode,
        town=person.town,
        country=person.country,
        vat_number=person.vat_number,
        language=person.language,
        account_manager=manager,
    )
    Member.objects.create(partner=partner, user=user, role=TeamRole.OWNER, joined_at=at)
    return partner


def street_and_number(line: str) -> tuple[str, str]:
    """Return a line of an address as a partner keeps it: whole while it fits, else with its last word as the number."""
    line = " ".join(line.split())
    if len(line) <= _STREET:
        return line, ""
    street, _blank, last = line.rpartition(" ")
    return (street or line)[:_STREET], last[:_NUMBER] if street else ""


def _membership(
    program: Program,
    partner: Partner,
    *,
    application: Application | None,
    public_id: str | None,
    at: datetime,
) -> Membership:
    living = Membership.objects.filter(partner=partner, program=program, ended_at=None)
    if living.exists():
        raise AlreadyMember(_("This partner is in the program already."))
    given = {"public_id": public_id} if public_id else {}
    try:
        with transaction.atomic():
            return Membership.objects.create(
                partner=partner,
                program=program,
                application=application,
                state=MembershipState.ACTIVE,
                joined_at=at,
                **given,
            )
    except IntegrityError:
        raise AlreadyMember(_("This partner is in the program already.")) from None
