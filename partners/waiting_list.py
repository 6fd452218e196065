"""Keep the mailboxes that asked to be told when a program takes applications again. Each is written to once, and its address is forgotten
with that."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from partners import launching, mails_waiting
from partners.models import WaitingMailbox
from prm.accounts.emails import fold_email
from tiers.models import Program

BATCH = 500


def ask(program: Program, *, email: str, language: str, at: datetime) -> None:
    """Keep a mailbox until the program opens; one that waits already goes on waiting, and nobody is told which it was."""
    try:
        with transaction.atomic():
            WaitingMailbox.objects.create(
                program=program,
                email=email.strip(),
                email_folded=fold_email(email),
                language=language,
                asked_at=at,
            )
    except IntegrityError:
        return


def tell(program: Program, *, at: datetime) -> int:
    """Write to everybody who waits for a program that takes applications now, and return how many that were."""
    told = 0
    while launching.takes_applications(program, at=at):
        waiting = WaitingMailbox.objects.filter(program=program, told_at=None).order_by("asked_at", "pk")
        numbers = list(waiting.values_list("pk", flat=True)[:BATCH])
        if not numbers:
            break
        told += sum(_tell(program, pk, at=at) for pk in numbers)
        program.refresh_from_db()
    return told


def sweep(*, at: datetime) -> int:
    """Find programs that take applications and mailboxes that still wait for them: a bell was missed, or a place became free."""
    waited_for = WaitingMailbox.objects.filter(told_at=None).order_by().values("program")
    programs = list(Program.objects.filter(pk__in=waited_for, is_open=True).order_by("pk"))
    ready = launching.taking(programs, at=at)
    return sum(tell(program, at=at) for program in programs if program.pk in ready)


@transaction.atomic
def _tell(program: Program, pk: int, *, at: datetime) -> bool:
    row = WaitingMailbox.objects.select_for_update().filter(pk=pk, told_at=None).first()
    if row is None:
        return False  # somebody else has told it
    mails_waiting.opened(row, program)
    row.told_at, row.email, row.email_folded = at, "", ""
    row.save(update_fields=["told_at", "email", "email_folded"])
    return True
