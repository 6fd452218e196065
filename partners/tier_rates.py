"""Say what each tier of a program earns on a sale, in a few words, from the plan in force."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from prm.accounts.back_office import locale, money_text
from prm.lib import l10n
from prm.lib.money import Money
from tiers import trial
from tiers.engine.facts import Because
from tiers.models import Program, Tier


def rates_of(program: Program, *, at: datetime) -> dict[int, str]:
    """Return the rate of every tier by its id: 12% or 5% + £2.00."""
    plan = trial.facts_in_force(program, at=at)
    if plan is None:
        return {}
    hundred = Money.parse("100", program.currency)
    return {
        tier.pk: _words(trial.try_order(plan, tier=tier, kind="sale", amount=hundred, at=at))
        for tier in Tier.objects.filter(program=program).by_rank()
    }


def _words(because: Because) -> str:
    parts = []
    for line in because["lines"]:
        if line["rate"] is not None:
            parts.append(l10n.percent_text(Decimal(line["rate"]), locale()))
        if line["fixed"]:
            parts.append(money_text(Money(line["fixed"], because["currency"])))
    return " + ".join(parts)
