"""Open a program to applications and close it again. It is opened only when everything is there that a partner will need, and whether it
takes applications is answered in this one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState, TermsState
from partners.models import TermsVersion
from prm import audit
from prm.accounts import policy
from prm.lib.bell import ring
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from tiers.models import Program

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from prm.accounts.models import User

TELL_TASK = "partners.tell_waiting"


class AlreadyOpen(Refused):
    message = _("This program takes applications already.")


class AlreadyClosed(Refused):
    message = _("This program is closed already.")


class NotReady(Refused):
    """Something that has to be there before anybody can apply is missing."""

    message = _("The program cannot open yet. Missing: %(missing)s.")

    def __init__(self, missing: list[Check]) -> None:
        self.missing = missing
        titles = format_lazy("{}" + ", {}" * (len(missing) - 1), *(each.title for each in missing))
        super().__init__(params={"missing": titles})


class ReopensInThePast(Refused):
    message = _("The day the program opens again must lie ahead.")
    field = "reopens_on"


class CheckState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One thing a program needs: `says` is what was found, `url` is where it is mended."""

    state: CheckState
    title: StrOrPromise
    says: StrOrPromise
    url: str = ""

    @property
    def blocks(self) -> bool:
        return self.state is CheckState.MISSING


Reader = Callable[[Program, datetime], Check]
_readers: dict[str, Reader] = {}


def learn_check(key: str, reader: Reader) -> None:
    """Let an app look at a program before it opens; checks are read in the order they were learnt."""
    _readers[key] = reader


def checks_of(program: Program, *, at: datetime) -> list[Check]:
    """Return all that was found about a program's readiness at `at`. Nothing is stored."""
    return [read(program, at) for read in _readers.values()]


@transaction.atomic
def open_program(program: Program, *, by: User, at: datetime) -> Program:
    """Let the program take applications; whoever waits for it is written to.

    Raises: Forbidden, AlreadyOpen, NotReady.
    """
    policy.require(by, "manage_programs")
    program.refresh_from_db()
    if program.is_open:
        raise AlreadyOpen
    missing = [check for check in checks_of(program, at=at) if check.blocks]
    if missing:
        raise NotReady(missing)
    # Of two people who press at the same time one opens it.
    if not Program.objects.filter(pk=program.pk, is_open=False).update(is_open=True, reopens_on=None):
        raise AlreadyOpen
    program.refresh_from_db()
    audit.record(by, "program.opened", program, at=at)
    ring(TELL_TASK, program_id=program.pk)
    return program


@transaction.atomic
def close_program(program: Program, *, reopens_on: date | None, by: User, at: datetime) -> Program:
    """Take no further applications; those that were sent are decided as before.

    Raises: Forbidden, AlreadyClosed, ReopensInThePast.
    """
    policy.require(by, "manage_programs")
    if reopens_on is not None and reopens_on <= local_day(at, program.zone):
        raise ReopensInThePast
    if not Program.objects.filter(pk=program.pk, is_open=True).update(is_open=False, reopens_on=reopens_on):
        raise AlreadyClosed
    program.refresh_from_db()
    audit.record(by, "program.closed", program, at=at, reopens_on=reopens_on)
    return program


def takes_applications(program: Program, *, at: datetime) -> bool:
    """Tell whether one can apply at `at`: the program is open, has terms to accept and a place is free."""
    return program.pk in taking([program], at=at)


def taking(programs: Iterable[Program], *, at: datetime) -> frozenset[int]:
    """Return which of the programs take applications at `at`, in two queries however many they are."""
    opened = [program for program in programs if program.is_open]
    full = full_ones(opened)
    published = TermsVersion.objects.filter(program__in=opened, tier=None, effective_at__lte=at)
    with_terms = set(published.exclude(state=TermsState.DRAFT).values_list("program_id", flat=True))
    return frozenset(program.pk for program in opened if program.pk in with_terms and program.pk not in full)


def full_ones(programs: Iterable[Program]) -> frozenset[int]:
    """Return which of the programs have as many active partners as they take."""
    active = Q(memberships__state=MembershipState.ACTIVE, memberships__ended_at=None)
    limited = [program.pk for program in programs if program.most_partners is not None]
    if not limited:
        return frozenset()
    rows = Program.objects.filter(pk__in=limited).annotate(active=Count("memberships", filter=active))
    return frozenset(row.pk for row in rows if row.active >= (row.most_partners or 0))


def closed_until(program: Program, *, at: datetime) -> date | None:
    """Return the day a closed program opens again, None when nobody said so or the day has passed."""
    day = program.reopens_on
    return day if not program.is_open and day is not None and day > local_day(at, program.zone) else None
