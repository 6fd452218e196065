"""Name the terms by which one balance of a statement becomes the next: commissions and what people posted are told apart by kind, then
come VAT, tax withheld and payments. All terms but the last add up to the last."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from payouts.choices import MoveKind, StatementKind
from payouts.models import Statement
from payouts.statement_facts import TERM_OF
from prm.lib.money import Money

OPENING, COMMISSIONS, REVERSALS, VAT, WITHHELD, PAID, CLOSING = (
    "opening",
    "commissions",
    "reversals",
    "vat",
    "withheld",
    "paid",
    "closing",
)
# These are printed even when they are zero: what is expected and missing would be asked for.
_ALWAYS = frozenset({COMMISSIONS, REVERSALS})
# What people post, in the order it is printed, after the lines of the rules.
_POSTED = (
    MoveKind.BONUS,
    MoveKind.SPIFF,
    MoveKind.DRAW,
    MoveKind.MDF,
    MoveKind.ADJUSTMENT,
    MoveKind.WRITE_OFF,
)


@dataclass(frozen=True, slots=True)
class Term:
    """One term; `lines` counts the lines in it."""

    key: str
    label: str
    amount: Money
    lines: int = 0


def bridge_of(statement: Statement) -> list[Term]:
    """Return the terms of a statement in the language that is active, the closing balance last."""
    found = [
        _column(statement, OPENING, _("Opening balance")),
        *_of_lines(statement),
        *_posted(statement),
    ]
    if statement.vat_minor or statement.facts.get("tax"):
        found.append(_column(statement, VAT, _("VAT"), MoveKind.VAT))
    if statement.withheld_minor:
        found.append(_column(statement, WITHHELD, _("Tax withheld"), MoveKind.WITHHOLDING))
    return [
        *found,
        _column(statement, PAID, _("Paid"), MoveKind.PAYMENT, MoveKind.RETURNED),
        _column(statement, CLOSING, _("Closing balance")),
    ]


def posted_label(kind: MoveKind) -> str:
    """Return what a term that people posted is called."""
    labels = {
        MoveKind.BONUS: _("Bonuses agreed"),
        MoveKind.SPIFF: _("SPIFFs"),
        MoveKind.DRAW: _("Advances agreed, less what was paid back"),
        MoveKind.MDF: _("Marketing costs reimbursed"),
        MoveKind.ADJUSTMENT: _("Adjustments"),
        MoveKind.WRITE_OFF: _("Debts written off"),
    }
    return labels[kind]


def _column(statement: Statement, key: str, label: str, *kinds: MoveKind) -> Term:
    """Return a term that is a column of the statement, with how many lines of these kinds are in it."""
    others = statement.facts.get("others", {})
    lines = sum(others[kind]["lines"] for kind in kinds if kind in others)
    return Term(key, label, Money(getattr(statement, f"{key}_minor"), statement.currency), lines)


def _posted(statement: Statement) -> list[Term]:
    others = statement.facts.get("others")
    if others is None or statement.kind == StatementKind.CREDIT_NOTE:
        amount = Money(statement.adjusted_minor, statement.currency)
        return [Term(str(MoveKind.ADJUSTMENT), posted_label(MoveKind.ADJUSTMENT), amount)] if amount else []
    return [
        Term(
            str(kind),
            posted_label(kind),
            Money(others[kind]["amount_minor"], statement.currency),
            others[kind]["lines"],
        )
        for kind in _POSTED
        if kind in others
    ]


def term_label(key: str) -> str:
    """Return what a term of lines is called."""
    labels = {
        COMMISSIONS: _("Commissions"),
        "overrides": _("Overrides"),
        "bonuses": _("Bonuses"),
        "guaranteed": _("Retainers and guaranteed minimums"),
        "true_ups": _("Corrections to new totals"),
        REVERSALS: _("Reversals"),
        "advances": _("Advances, less what was paid back"),
    }
    return labels[key]


def _of_lines(statement: Statement) -> list[Term]:
    terms = statement.facts.get("terms")
    if terms is None or statement.kind == StatementKind.CREDIT_NOTE:  # a credit note takes back two sums
        terms = _by_sign(statement)
    found = []
    for key in dict.fromkeys(TERM_OF.values()):
        term = terms.get(key, {"lines": 0, "amount_minor": 0})
        if term["lines"] or key in _ALWAYS:
            amount = Money(term["amount_minor"], statement.currency)
            found.append(Term(key, term_label(key), amount, term["lines"]))
    return found


def _by_sign(statement: Statement) -> dict[str, dict[str, int]]:
    """Return the terms of a statement whose facts do not tell its lines apart."""
    lines = statement.lines.filter(commission__isnull=False)
    taken = lines.filter(amount_minor__lt=0).count() if statement.reversed_minor else 0
    count = lines.count()
    return {
        COMMISSIONS: {"lines": count - taken, "amount_minor": statement.earned_minor},
        REVERSALS: {"lines": taken, "amount_minor": statement.reversed_minor},
    }
