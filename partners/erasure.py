"""Erase a person: everything that says who they are goes, the books stay, and every part of the product says beforehand what it removes, what
it keeps and what hinders. Kept is what the law makes us keep, and ids.

Who erases has the capability `erase_people` and never erases themselves. Nothing is erased while money is owed, in either direction:
afterwards nobody could be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from partners.models import Application, Invitation, Member, Membership, Partner, ProgramInvitation, Prospect
from prm import audit
from prm.accounts import erasing, people, policy
from prm.accounts.emails import fold_email
from prm.audit import redaction as audit_redaction
from prm.lib.errors import Refused
from prm.lib.scrubbing import Needles
from prm.mail import redaction as mail_redaction

if TYPE_CHECKING:
    from prm.accounts.models import User
    from prm.audit.models import AuditEvent

RETENTION_YEARS = 10
"""How long the books are kept after the end of their year: the longest of the terms that hold where our programs are at home. France,
Code de commerce, art. L123-22: 10 years. Germany, section 147 of the Abgabenordnung: books 10 years, vouchers 8 (since 2025), letters 6.
United Kingdom, Companies Act 2006, section 388, and HMRC: 6 years. Poland, Ustawa o rachunkowości, art. 74: 5 years. The duty to keep
them goes before a wish to be erased: GDPR, art. 17(3)(b)."""


class NotYourself(Refused):
    message = _("Another administrator has to erase your own account.")


class Hindered(Refused):
    message = _("This cannot be erased yet: %(why)s")


class NobodyThere(Refused):
    message = _("Nothing is kept about this address.")
    field = "mailbox"


@dataclass(frozen=True)
class Case:
    """Who is to be erased: a person, known by account or mailbox, and the partners that are nobody but this person."""

    user: User | None
    mailboxes: frozenset[str]
    partners: tuple[Partner, ...] = ()
    names: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    objects: frozenset[tuple[str, str]] = frozenset()

    @property
    def partner_ids(self) -> list[int]:
        return [partner.pk for partner in self.partners]

    def ids_of(self, model: type[Model]) -> list[int]:
        return [int(pk) for label, pk in self.objects if label == model._meta.label_lower]

    @property
    def user_id(self) -> int:
        return self.user.pk if self.user is not None else 0

    @property
    def needles(self) -> Needles:
        return Needles.of(self.mailboxes, self.names, self.phones)


@dataclass(frozen=True)
class Kept:
    """What stays, and why; `tables` are the models in whose texts the person may still be found."""

    what: str | Promise
    why: str | Promise
    tables: tuple[str, ...] = ()


@dataclass
class Plan:
    """What an erasure would do."""

    case: Case
    removed: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    hindrances: list[str] = field(default_factory=list)


Eraser = Callable[[Case, "User", datetime], None]
Reader = Callable[[Case], Iterable[str]]
_erasers: dict[str, tuple[Eraser, Reader]] = {}
_hindrances: list[Reader] = []
_kept: list[Kept] = []


def learn_eraser(name: str, erase: Eraser, *, removes: Reader) -> None:
    """Let a part of the product remove what it keeps; `removes` says in sentences what that would be."""
    _erasers[name] = (erase, removes)


def learn_hindrance(reader: Reader) -> None:
    """Let a part of the product say what has to be done first."""
    if reader not in _hindrances:
        _hindrances.append(reader)


def learn_kept(*kept: Kept) -> None:
    """Let a part of the product say what stays, and why."""
    _kept.extend(each for each in kept if each not in _kept)


def tables_kept() -> set[str]:
    """Return the models in whose texts an erased person may still be found."""
    return {table for kept in _kept for table in kept.tables}


def case_of(user: User) -> Case:
    """Return what belongs to a person with an account."""
    return _case(user, {user.email, user.email_folded}, names={user.full_name}, partners=_own_partners(user))


def case_of_mailbox(mailbox: str) -> Case:
    """Return what belongs to whoever reads a mailbox, with the account if there is one."""
    user = people.find(mailbox)
    return case_of(user) if user is not None else _case(None, {mailbox.strip(), fold_email(mailbox)})


def plan(case: Case) -> Plan:
    """Return what erasing would remove, what it would keep and what hinders it. Nothing changes."""
    made = Plan(case, kept=list(_kept))
    for _erase, removes in _erasers.values():
        made.removed += removes(case)
    for reader in _hindrances:
        made.hindrances += reader(case)
    return made


def erase_person(user: User, *, by: User, at: datetime) -> AuditEvent:
    """Erase a person with an account, and the partners that are nobody else.

    Raises: Forbidden, NotYourself, Hindered.
    """
    if user.pk == by.pk:
        raise NotYourself
    return _erase(lambda: case_of(user), action="person.erased", by=by, at=at)


def erase_mailbox(mailbox: str, *, by: User, at: datetime) -> AuditEvent:
    """Erase whoever reads a mailbox: applicants, references and prospects often have no account.

    Raises: Forbidden, NotYourself, NobodyThere, Hindered.
    """
    policy.require(by, "erase_people")
    case = case_of_mailbox(mailbox)
    if case.user is not None:
        return erase_person(case.user, by=by, at=at)
    if not plan(case).removed:
        raise NobodyThere
    return _erase(lambda: case_of_mailbox(mailbox), action="person.erased", by=by, at=at)


def erase_partner(partner: Partner, *, by: User, at: datetime) -> AuditEvent:
    """Erase the person behind a partner who is in business alone and for whom nobody signs in.

    Raises: Forbidden, Hindered.
    """
    return _erase(lambda: case_of_partner(partner), action="partner.erased", by=by, at=at)


def case_of_partner(partner: Partner) -> Case:
    """Return what belongs to a sole trader."""
    return _case(None, {partner.email}, partners=(partner,))


@transaction.atomic
def _erase(find: Callable[[], Case], *, action: str, by: User, at: datetime) -> AuditEvent:
    policy.require(by, "erase_people")
    # Whoever moves money or ends a membership waits here, and what is found then is what is erased.
    list(Membership.objects.lock().filter(partner__in=find().partner_ids).values_list("pk", flat=True))
    # Whoever accepts an invitation or is approved joins before, and hinders, or afterwards finds it erased.
    # Who accepts locks in this order, too.
    for model in (ProgramInvitation, Application):
        list(model.objects.lock().filter(pk__in=find().ids_of(model)).values_list("pk", flat=True))
    case = find()
    hindrances = plan(case).hindrances
    if hindrances:
        raise Hindered(params={"why": " ".join(hindrances)})
    for erase, _removes in _erasers.values():
        erase(case, by, at)
    mail_redaction.redact(case.mailboxes, case.needles)
    if case.user is not None:
        erasing.erase(case.user, case.needles)
    partners = [partner.public_id for partner in case.partners]
    subject = case.user or next(iter(Partner.objects.filter(pk__in=case.partner_ids)), None)
    event = audit.record(by, action, subject, at=at, partners=partners)
    audit_redaction.redact(case.needles, objects=case.objects, because=event)
    return event


def _own_partners(user: User) -> tuple[Partner, ...]:
    """Return the partners for which nobody but this person signs in, and whose memberships are over."""
    places = Member.objects.filter(user=user, role=TeamRole.OWNER).values("partner")
    others = Member.objects.current().exclude(user=user).values("partner")
    living = Membership.objects.filter(ended_at=None).values("partner")
    found = Partner.objects.filter(pk__in=places, erased_at=None, merged_into=None)
    return tuple(found.exclude(pk__in=others).exclude(pk__in=living).order_by("pk"))


def _case(
    user: User | None, mailboxes: set[str], *, names: Iterable[str] = (), partners: tuple[Partner, ...] = ()
) -> Case:
    ids = [partner.pk for partner in partners]
    every = {text for text in (*mailboxes, *(partner.email for partner in partners)) if text}
    folded = {fold_email(text) for text in every}
    applications = Application.objects.filter(email_folded__in=folded)
    applications |= Application.objects.filter(membership__partner__in=ids)
    prospects = Prospect.objects.filter(email_folded__in=folded)
    invitations = Invitation.objects.filter(email_folded__in=folded)
    program_invitations = ProgramInvitation.objects.filter(email_folded__in=folded)
    found_names, phones, objects = set(names), set[str](), set[tuple[str, str]]()
    for application in applications.distinct():
        every |= {application.email} - {""}
        found_names.add(application.full_name)
        phones.add(application.phone)
    others: tuple[QuerySet[Any], ...] = (prospects, invitations, program_invitations)
    for rows in others:
        found_names |= set(rows.values_list("full_name", flat=True))
    phones |= set(prospects.values_list("phone", flat=True)) | {partner.phone for partner in partners}
    named: tuple[QuerySet[Any], ...] = (applications.distinct(), prospects, invitations, program_invitations)
    for rows in named:
        objects |= {(rows.model._meta.label_lower, str(pk)) for pk in rows.values_list("pk", flat=True)}
    for row in (user, *partners):
        if row is not None:
            objects.add((row._meta.label_lower, str(row.pk)))
    folded = {fold_email(text) for text in every}
    return Case(
        user,
        frozenset(every | folded),
        partners,
        frozenset(found_names - {""}),
        frozenset(phones - {""}),
        frozenset(objects),
    )
