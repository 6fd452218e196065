"""Correct a statement that says something wrong about the parties or the tax: a credit note takes it back, and a new one under a new
number takes its place over the same lines. Money does not move by it, except for VAT that was wrong, which is put on the balance in
the month that is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import statement_facts
from payouts import statement_families as families
from payouts.calendar import posts_whole
from payouts.choices import StatementKind, StatementState
from payouts.events import StatementIssued
from payouts.models import Commission, Statement
from payouts.notices import tell_statement_ready
from payouts.statement_facts import Bridge
from payouts.statements import lines, vat
from payouts.statements.issuing import write
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User

_REASON_AT_MOST = 200


class NoReason(Refused):
    message = _("Say what was wrong. The partner reads it.")
    field = "reason"


class ReasonTooLong(Refused):
    message = _("Say it in 200 letters or fewer; this has %(length)s.")
    field = "reason"


class AlreadyCorrected(Refused):
    message = _("%(number)s was corrected already. Statement %(newer)s is in force now.")


class NotAStatement(Refused):
    message = _("%(number)s is a credit note. Correct the statement that is in force instead.")


@posts_whole
def correct(statement: Statement, *, reason: str, by: User, at: datetime) -> Statement:
    """Take `statement` back with a credit note and return the new one that is in force instead.

    Raises: Forbidden, NoReason, ReasonTooLong, NotAStatement, AlreadyCorrected, payouts.fx.NoRate.
    """
    policy.require(by, "issue_statements")
    reason = _told(reason)
    membership = (
        Membership.objects.lock()
        .select_related("partner", "program__legal_entity")
        .get(pk=statement.membership_id)
    )
    old = Statement.objects.lock().select_related("period__program").get(pk=statement.pk)
    if old.kind == StatementKind.CREDIT_NOTE:
        raise NotAStatement(params={"number": old.number})
    if old.state == StatementState.CREDITED:
        raise AlreadyCorrected(params={"number": old.number, "newer": families.standing(old).number})
    old.membership = membership
    state = StatementState(old.state)
    Statement.objects.filter(pk=old.pk, state=state).update(state=StatementState.CREDITED)
    note = _credit_note(old, reason, at=at)
    new = _new(old, reason, state=state, at=at)
    Commission.objects.filter(statement=old).update(statement=new)
    difference = _vat_of(new.facts) - _vat_of(old.facts)
    vat.post_difference(new, Money(difference, new.currency), by=by, at=at)
    vat.invoice_again(old, new, by=by, at=at)
    details = {"new": new.number, "credit_note": note.number, "vat_difference_minor": difference}
    audit.record(by, "statement.corrected", old, at=at, note=reason, **details)
    for made in (note, new):
        announce(StatementIssued(made.pk))
    tell_statement_ready(new)
    return new


def _told(reason: str) -> str:
    told = " ".join(reason.split())
    if not told:
        raise NoReason
    if len(told) > _REASON_AT_MOST:
        raise ReasonTooLong(params={"length": len(told)})
    return told


def _credit_note(old: Statement, reason: str, *, at: datetime) -> Statement:
    """Write the document that takes `old` back: its bridge negated, without lines, naming what it takes back."""
    bridge = Bridge.of(old).negated()
    facts = {
        **old.facts,
        "issued_at": at.isoformat(),
        "due_on": None,
        "bridge": bridge.columns(),
        "terms": statement_facts.terms(()),
        "others": {},
        "rates": [],
        "tax": _negated(old.facts.get("tax")),
        "expected": None,
        "fx": None,
        "correction": _naming(old, reason),
    }
    return write(
        old.membership,
        old.period,
        bridge,
        facts,
        [],
        state=StatementState.CREDIT_NOTE,
        at=at,
        kind=StatementKind.CREDIT_NOTE,
        corrects=old,
        reason=reason,
    )


def _new(old: Statement, reason: str, *, state: StatementState, at: datetime) -> Statement:
    """Write the statement that takes the place of `old`: its lines and bridge, with parties and tax as they are now."""
    membership, period = old.membership, old.period
    printed = lines.copied(old)
    charge = vat.charge_of(membership, _net_of(old), as_of=at)
    tax = charge.facts(membership.partner.language)
    facts = {
        **old.facts,
        "bridge": Bridge.of(old).columns(),
        "net_minor": charge.net.minor,
        **statement_facts.fresh(membership, period, old.closing, tax=tax, at=at, due_on=old.due_on),
        "correction": _naming(old, reason),
    }
    return write(
        membership, period, Bridge.of(old), facts, printed, state=state, at=at, corrects=old, reason=reason
    )


def _naming(old: Statement, reason: str) -> dict[str, str]:
    return {"number": old.number, "sha256": old.sha256, "reason": reason}


def _net_of(old: Statement) -> Money:
    """Return what VAT is charged on; a statement from before there was VAT held nothing but commissions."""
    commissions = old.earned_minor + old.reversed_minor
    return Money(old.facts.get("net_minor", commissions), old.currency)


def _vat_of(facts: Mapping[str, Any]) -> int:
    tax = facts.get("tax")
    return int(tax["vat_minor"]) if tax else 0


def _negated(tax: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if tax is None:
        return None
    return {**tax, "net_minor": -tax["net_minor"], "vat_minor": -tax["vat_minor"]}
