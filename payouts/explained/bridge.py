"""Name the terms by which one balance of a statement becomes the next: what lines are is told apart, adjustments and payments follow.
All terms but the last add up to the last."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from payouts.models import Statement
from payouts.statement_facts import TERM_OF
from prm.lib.money import Money

OPENING, COMMISSIONS, REVERSALS, ADJUSTMENTS, PAID, CLOSING = (
    "opening",
    "commissions",
    "reversals",
    "adjustments",
    "paid",
    "closing",
)
# These are printed even when they are zero: what is expected and missing would be asked for.
_ALWAYS = frozenset({COMMISSIONS, REVERSALS})


@dataclass(frozen=True, slots=True)
class Term:
    """One term; `lines` counts the commission lines in it."""

    key: str
    label: str
    amount: Money
    lines: int = 0


def bridge_of(statement: Statement) -> list[Term]:
    """Return the terms of a statement in the language that is active, the closing balance last."""
    currency = statement.currency
    return [
        Term(OPENING, _("Opening balance"), Money(statement.opening_minor, currency)),
        *_of_lines(statement),
        Term(ADJUSTMENTS, _("Adjustments"), Money(statement.adjusted_minor, currency)),
        Term(PAID, _("Paid"), Money(statement.paid_minor, currency)),
        Term(CLOSING, _("Closing balance"), Money(statement.closing_minor, currency)),
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
    terms = statement.facts.get("terms") or _by_sign(statement)
    found = []
    for key in dict.fromkeys(TERM_OF.values()):
        term = terms.get(key, {"lines": 0, "amount_minor": 0})
        if term["lines"] or key in _ALWAYS:
            amount = Money(term["amount_minor"], statement.currency)
            found.append(Term(key, term_label(key), amount, term["lines"]))
    return found


def _by_sign(statement: Statement) -> dict[str, dict[str, int]]:
    """Return the terms of a statement whose facts do not tell its lines apart."""
    taken = statement.lines.filter(amount_minor__lt=0).count() if statement.reversed_minor else 0
    return {
        COMMISSIONS: {"lines": statement.line_count - taken, "amount_minor": statement.earned_minor},
        REVERSALS: {"lines": taken, "amount_minor": statement.reversed_minor},
    }
