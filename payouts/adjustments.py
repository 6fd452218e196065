"""Add money to a partner's balance, or take some, by a person: with a reason the partner reads, a file where one is owed, and a second person above
the program's limit. It is booked once, in the open month, and told to the partner."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import adjustment_checks as checks
from payouts import evidence as evidences
from payouts import ledger, notices_adjustments
from payouts.accrual.batch import MONTH_IS_OPEN
from payouts.adjustment_checks import balance_of
from payouts.calendar import Calendar
from payouts.choices import AccountKind, AdjustmentKind, AdjustmentState, TransactionKind
from payouts.models import Adjustment, Transaction
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.errors import Refused
from prm.lib.money import Money

if TYPE_CHECKING:
    from django.core.files import File

    from payouts.models import Commission, Dispute
    from prm.accounts.models import User

_ACCOUNTS = {AdjustmentKind.WRITE_OFF: AccountKind.BAD_DEBT, AdjustmentKind.DRAW: AccountKind.ADVANCES}


class DecidedAlready(Refused):
    message = _("This was decided already: %(state)s.")


class PutForwardAlready(Refused):
    message = _(
        "%(amount)s was put forward from this page already. Open the page anew to propose something else."
    )


class SamePerson(Refused):
    message = _("You proposed this. Somebody else has to decide on it.")


class NotYours(Refused):
    message = _("Only who proposed this can withdraw it.")


class NoReasonForRefusing(Refused):
    message = _("Write why, in up to 200 characters.")
    field = "note"


def propose(
    membership: Membership,
    *,
    kind: str,
    amount: Money,
    reason: str,
    note: str,
    by: User,
    at: datetime,
    evidence: File[bytes] | None = None,
    commission: Commission | None = None,
    dispute: Dispute | None = None,
    is_taxable: bool = True,
    internal_note: str = "",
    public_id: str = "",
) -> Adjustment:
    """Put an amount forward; up to the program's limit it is booked at once, above it and for every write-off somebody else approves.

    Who answers a question of a partner may put forward what settles it, which then always needs a second person. The same one
    under the same `public_id` is put forward once, however often somebody clicks.
    Raises: Forbidden, PutForwardAlready, the refusals of `adjustment_checks` and of `evidence`.
    """
    policy.require(by, "adjust_balances" if dispute is None else "answer_disputes")
    draft = Adjustment(
        membership=membership,
        kind=kind,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason,
        note=" ".join(note.split()),
        internal_note=internal_note.strip(),
        is_taxable=is_taxable and kind != AdjustmentKind.WRITE_OFF,
        commission=commission,
        dispute=dispute,
        state=AdjustmentState.PROPOSED,
        proposed_at=at,
        proposed_by=by,
        needs_second_person=False,
        **({"public_id": public_id} if public_id else {}),
    )
    checks.check_words(draft)
    found = None if evidence is None else evidences.checked(evidence)
    checks.check_evidence(draft, is_there=found is not None)
    _open_month(membership, at)
    if found is None:
        return persistently(partial(_propose, draft, by=by, at=at), overtaken_by=MONTH_IS_OPEN)
    draft.evidence_name, draft.evidence_sha256 = found.name, found.sha256
    draft.evidence.name = evidences.keep(found)
    try:
        return persistently(partial(_propose, draft, by=by, at=at), overtaken_by=MONTH_IS_OPEN)
    except BaseException:
        evidences.discard(draft.evidence.name)
        raise


@transaction.atomic
def _propose(draft: Adjustment, *, by: User, at: datetime) -> Adjustment:
    membership = _lock(draft.membership_id)
    before = Adjustment.objects.filter(public_id=draft.public_id).first()
    if before is not None:
        return _same(before, draft)
    checks.check_amount(draft, balance_of(membership))
    draft.pk, draft._state.adding = None, True
    draft.needs_second_person = needs_second_person(membership, draft.kind, draft.amount, by=by)
    draft.save()
    audit.record(
        by,
        "adjustment.proposed",
        draft,
        at=at,
        note=draft.note,
        kind=draft.kind,
        amount=str(draft.amount),
        needs_second_person=draft.needs_second_person,
    )
    return draft if draft.needs_second_person else _post(draft, membership, by=by, at=at)


def _same(before: Adjustment, draft: Adjustment) -> Adjustment:
    """Return what was put forward under the name of the draft, whose file is not needed a second time.

    Raises: PutForwardAlready.
    """
    names = ("membership_id", "kind", "amount", "reason", "note", "proposed_by_id", "evidence_sha256")
    if any(getattr(before, name) != getattr(draft, name) for name in names):
        raise PutForwardAlready(params={"amount": str(before.amount)})
    if draft.evidence.name:
        evidences.discard(draft.evidence.name)
    return before


def approve(adjustment: Adjustment, *, by: User, at: datetime, note: str = "") -> Adjustment:
    """Book what somebody else proposed.

    Raises: Forbidden, SamePerson, DecidedAlready, MoreThanTheDebt, MoreThanAdvanced.
    """
    policy.require(by, "approve_adjustments")
    _open_month(adjustment.membership, at)
    return persistently(partial(_approve, adjustment, by=by, at=at, note=note), overtaken_by=MONTH_IS_OPEN)


@transaction.atomic
def _approve(adjustment: Adjustment, *, by: User, at: datetime, note: str) -> Adjustment:
    membership = _lock(adjustment.membership_id)
    found = _undecided(adjustment)
    if found.proposed_by_id == by.pk:
        raise SamePerson
    checks.check_amount(found, balance_of(membership))
    found.decided_at, found.decided_by, found.decision_note = at, by, " ".join(note.split())[:200]
    return _post(found, membership, by=by, at=at)


@transaction.atomic
def refuse(adjustment: Adjustment, *, note: str, by: User, at: datetime) -> Adjustment:
    """Let a proposal of somebody else come to nothing, with a reason for who made it.

    Raises: Forbidden, NoReasonForRefusing, SamePerson, DecidedAlready.
    """
    policy.require(by, "approve_adjustments")
    text = " ".join(note.split())
    if not text or len(text) > 200:
        raise NoReasonForRefusing
    if adjustment.proposed_by_id == by.pk:
        raise SamePerson
    return _decide(adjustment, AdjustmentState.REFUSED, note=text, by=by, at=at)


@transaction.atomic
def withdraw(adjustment: Adjustment, *, by: User, at: datetime) -> Adjustment:
    """Take back one's own proposal before anybody decided on it.

    Raises: Forbidden, NotYours, DecidedAlready.
    """
    policy.require(by, "adjust_balances" if adjustment.dispute_id is None else "answer_disputes")
    if adjustment.proposed_by_id != by.pk:
        raise NotYours
    return _decide(adjustment, AdjustmentState.WITHDRAWN, note="", by=by, at=at)


def needs_second_person(membership: Membership, kind: str, amount: Money, *, by: User) -> bool:
    """Say whether somebody else has to approve what `by` puts forward."""
    return (
        kind == AdjustmentKind.WRITE_OFF
        or abs(amount.minor) > membership.program.second_person_above_minor
        or not policy.may(by, "adjust_balances")
    )


def other_account(kind: AdjustmentKind) -> AccountKind:
    """Return the program's account an adjustment of this kind is booked against."""
    return _ACCOUNTS.get(kind, AccountKind.EXPENSE)


def _post(found: Adjustment, membership: Membership, *, by: User, at: datetime) -> Adjustment:
    """Book an adjustment whose membership is locked, and mark it; the database lets an undecided one be marked only once."""
    written = _book(found, membership, by=by, at=at)
    moved = Adjustment.objects.filter(pk=found.pk, state=AdjustmentState.PROPOSED).update(
        state=AdjustmentState.POSTED,
        posted_in=written,
        decided_at=found.decided_at,
        decided_by=found.decided_by,
        decision_note=found.decision_note,
    )
    if not moved:
        raise DecidedAlready(params={"state": AdjustmentState.POSTED.label})
    found = Adjustment.objects.select_related("posted_in__period", "membership__partner").get(pk=found.pk)
    found.membership = membership
    audit.record(by, "adjustment.posted", found, at=at, amount=str(found.amount), transaction=written.key)
    notices_adjustments.tell_posted(found, balance=balance_of(membership))
    return found


def _book(found: Adjustment, membership: Membership, *, by: User, at: datetime) -> Transaction:
    program = membership.program
    kind = AdjustmentKind(found.kind)
    is_write_off = kind == AdjustmentKind.WRITE_OFF
    other = ledger.program_account(program, other_account(kind))
    payable = ledger.partner_account(membership, AccountKind.PAYABLE)
    transaction_kind = TransactionKind.WRITE_OFF if is_write_off else TransactionKind.ADJUSTMENT
    return ledger.post(
        key=f"{transaction_kind.value}:{found.public_id}",
        kind=transaction_kind,
        period=Calendar().for_posting(program, at),
        effective_at=at,
        at=at,
        by=by,
        reason=found.note,
        moves=ledger.shift(down=other, up=payable, amount=found.amount),
    )


def _decide(
    adjustment: Adjustment, state: AdjustmentState, *, note: str, by: User, at: datetime
) -> Adjustment:
    _lock(adjustment.membership_id)
    found = _undecided(adjustment)
    Adjustment.objects.filter(pk=found.pk, state=AdjustmentState.PROPOSED).update(
        state=state, decided_at=at, decided_by=by, decision_note=note
    )
    found.refresh_from_db()
    audit.record(by, f"adjustment.{state.value}", found, at=at, note=note)
    return found


def _undecided(adjustment: Adjustment) -> Adjustment:
    """Return the proposal, locked.

    Raises: DecidedAlready.
    """
    found = Adjustment.objects.lock().get(pk=adjustment.pk)
    if found.state != AdjustmentState.PROPOSED:
        raise DecidedAlready(params={"state": AdjustmentState(found.state).label})
    return found


def _lock(membership_id: int) -> Membership:
    return Membership.objects.lock().select_related("program", "partner").get(pk=membership_id)


def _open_month(membership: Membership, at: datetime) -> None:
    # Before the transaction: see Calendar.open.
    Calendar().open([(membership.program, at)])
