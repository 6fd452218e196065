"""Keep the list of possible partners: who they are, who looks after them, what was said, and what comes next. A stage only says where it
stands; an application or a membership of the same mailbox moves it by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners import mails_outreach
from partners.choices import Channel, MembershipState, ProspectStage, TouchKind
from partners.models import Membership, Prospect, ProspectTouch
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

INTRODUCTIONS_A_DAY = 20
# In the order things usually happen; what comes by itself never moves a prospect back.
_ORDER = [stage.value for stage in ProspectStage if stage != ProspectStage.LOST]
_FIELDS = (
    "program",
    "full_name",
    "company",
    "email",
    "phone",
    "website",
    "country",
    "language",
    "owner",
    "source",
    "source_note",
    "customer_reference",
    "next_touch_on",
    "competes_with",
    "notes",
)


class NoName(Refused):
    message = _("Write a name, a company or an e-mail address.")
    field = "full_name"


class AlreadyProspect(Refused):
    message = _("This mailbox is a prospect of the program already.")
    field = "email"


class UnknownStage(Refused):
    message = _("Choose a stage.")
    field = "stage"


class UnknownKind(Refused):
    message = _("Choose what kind of contact it was.")
    field = "kind"


class NothingSaid(Refused):
    message = _("Write what was said.")
    field = "text"


class TooMany(Refused):
    message = _("You have introduced %(count)s people within a day. Go on tomorrow.")


class IntroducedBefore(Refused):
    message = _("You have introduced this person already.")
    field = "email"


class NotActive(Refused):
    message = _("Only an active partner can introduce others.")


class NotAgreed(Refused):
    message = _("Ask the person first, then tick that they agreed.")
    field = "agreed"


@dataclass(frozen=True)
class Introduced:
    """Somebody a partner knows. `agreed` says that the person wants to hear from us."""

    full_name: str
    company: str
    email: str
    why: str
    agreed: bool


@transaction.atomic
def add(*, by: User, at: datetime, **values: Any) -> Prospect:
    """Write a prospect down. Values: program, full_name, company, email, phone and so on; unknown names are refused.

    Raises: Forbidden, NoName, AlreadyProspect.
    """
    policy.require(by, "manage_prospects")
    prospect = Prospect(created_at=at, created_by=by, owner=by)
    _take(prospect, values)
    _save(prospect)
    audit.record(by, "prospect.added", prospect, at=at, source=prospect.source)
    return prospect


@transaction.atomic
def change(prospect: Prospect, *, by: User, at: datetime, **values: Any) -> Prospect:
    """Change what is known of a prospect.

    Raises: Forbidden, NoName, AlreadyProspect.
    """
    policy.require(by, "manage_prospects")
    locked = Prospect.objects.lock().get(pk=prospect.pk)
    changed = _take(locked, values)
    if changed:
        _save(locked)
        audit.record(by, "prospect.changed", locked, at=at, fields=sorted(changed))
    return locked


@transaction.atomic
def touch(
    prospect: Prospect,
    *,
    kind: str,
    text: str,
    by: User,
    at: datetime,
    next_touch_on: date | None = None,
) -> ProspectTouch:
    """Note a contact, and when the next one is due; a first contact moves the stage.

    Raises: Forbidden, UnknownKind, NothingSaid.
    """
    policy.require(by, "manage_prospects")
    if kind not in TouchKind.values:
        raise UnknownKind
    if not text.strip():
        raise NothingSaid
    locked = Prospect.objects.lock().get(pk=prospect.pk)
    made = ProspectTouch.objects.create(
        prospect=locked, kind=kind, text=text.strip(), touched_at=at, touched_by=by
    )
    locked.next_touch_on = next_touch_on
    locked.save(update_fields=["next_touch_on"])
    audit.record(by, "prospect.touched", locked, at=at, kind=kind)
    if kind != TouchKind.NOTE and locked.stage == ProspectStage.IDENTIFIED:
        advance(locked.pk, ProspectStage.CONTACTED, by=by, at=at)
    return made


@transaction.atomic
def move(prospect: Prospect, *, stage: str, by: User, at: datetime) -> Prospect:
    """Say where a prospect stands.

    Raises: Forbidden, UnknownStage, AlreadyProspect.
    """
    policy.require(by, "manage_prospects")
    if stage not in ProspectStage.values:
        raise UnknownStage
    locked = Prospect.objects.lock().get(pk=prospect.pk)
    before, locked.stage = locked.stage, stage
    if before != stage:
        _save(locked)
        audit.record(by, "prospect.moved", locked, at=at, before=before, after=stage)
    return locked


def advance(
    pk: int,
    stage: ProspectStage,
    *,
    by: User | None,
    at: datetime,
    membership: Membership | None = None,
    application_id: int | None = None,
) -> bool:
    """Move a prospect on because something happened, never back; say whether it moved."""
    links: dict[str, Any] = {}
    if membership is not None:
        links["membership"] = membership
    if application_id is not None:
        links["application_id"] = application_id
    earlier = [*_ORDER[: _ORDER.index(stage.value)], ProspectStage.LOST.value]
    behind = Prospect.objects.filter(pk=pk, stage__in=earlier)
    try:
        with transaction.atomic():
            moved = behind.update(stage=stage, **links)
    except IntegrityError:  # it was given up, and another one of the same mailbox is open: that one moves
        return False
    if moved:
        audit.record(by, "prospect.moved", Prospect.objects.get(pk=pk), at=at, after=stage.value)
    return bool(moved)


@transaction.atomic
def introduce(membership: Membership, person: Introduced, *, by: User, at: datetime) -> Prospect:
    """Take somebody a partner introduces, and tell who looks after that partner.

    Whom we know already is kept as not pursued: who brought somebody first stays who brought them. That `by` may speak for the partner
    is the caller's to know.

    Raises: NotAgreed, NotActive, TooMany, IntroducedBefore.
    """
    if not person.agreed:
        raise NotAgreed
    # The membership's row is the lock of its introductions: the limit holds however many are sent at once.
    membership = Membership.objects.lock().select_related("program", "partner").get(pk=membership.pk)
    if membership.state != MembershipState.ACTIVE or membership.ended_at is not None:
        raise NotActive
    own, folded = Prospect.objects.filter(introducer=membership), fold_email(person.email)
    if own.filter(created_at__gt=at - timedelta(days=1)).count() >= INTRODUCTIONS_A_DAY:
        raise TooMany(params={"count": INTRODUCTIONS_A_DAY})
    if own.filter(email_folded=folded).exists():
        raise IntroducedBefore
    is_known = open_one(membership.program, folded) is not None or _is_member(membership.program, folded)
    prospect = Prospect.objects.create(
        program=membership.program,
        full_name=person.full_name,
        company=person.company,
        email=person.email.strip(),
        email_folded=folded,
        language=membership.partner.language,
        stage=ProspectStage.LOST if is_known else ProspectStage.IDENTIFIED,
        owner=membership.partner.account_manager,
        source=Channel.PARTNER,
        source_note=membership.partner.name[:140],
        notes=person.why,
        introducer=membership,
        created_at=at,
        created_by=by,
    )
    audit.record(by, "prospect.introduced", prospect, at=at, agreed=True, known=is_known)
    if not is_known:
        mails_outreach.somebody_introduced(prospect)
    return prospect


@transaction.atomic
def of_customers(
    references: Iterable[str], *, program: Program | None, by: User, at: datetime
) -> tuple[int, int]:
    """Write customers down as prospects; return how many are new and how many were on the list already.

    A customer has no mailbox here: whoever looks after the prospect adds it.

    Raises: Forbidden.
    """
    policy.require(by, "manage_prospects")
    wanted = list(dict.fromkeys(reference for reference in references if reference))
    known = set(
        Prospect.objects.filter(program=program, customer_reference__in=wanted).values_list(
            "customer_reference", flat=True
        )
    )
    fresh = [reference for reference in wanted if reference not in known]
    for reference in fresh:
        add(program=program, customer_reference=reference, source=Channel.CUSTOMER, by=by, at=at)
    return len(fresh), len(wanted) - len(fresh)


def open_one(program: Program, folded: str) -> Prospect | None:
    """Return the open prospect of a mailbox in a program."""
    if not folded:
        return None
    return Prospect.objects.open().filter(program=program, email_folded=folded).order_by("pk").first()


def _is_member(program: Program, folded: str) -> bool:
    found = Membership.objects.filter(program=program, partner__members__user__email_folded=folded)
    return found.filter(partner__members__ended_at=None).exists()


def _take(prospect: Prospect, values: dict[str, Any]) -> list[str]:
    """Put values into a prospect and return the names of those that are different now."""
    unknown = set(values) - set(_FIELDS)
    if unknown:
        raise TypeError(f"A prospect has no {sorted(unknown)}.")
    changed = [name for name, value in values.items() if getattr(prospect, name) != value]
    for name in changed:
        setattr(prospect, name, values[name])
    prospect.email = prospect.email.strip()
    prospect.email_folded = fold_email(prospect.email) if prospect.email else ""
    if not prospect.name:
        raise NoName
    return changed


def _save(prospect: Prospect) -> None:
    try:
        with transaction.atomic():
            prospect.save()
    except IntegrityError:
        raise AlreadyProspect from None
