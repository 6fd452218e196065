"""Try an order: what it would earn a partner and why, in the words the partner would read. It is the engine that books real money, with
what was typed instead of what happened; nothing is booked and nothing is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.models import Membership, Placement
from payouts.explained import reasons, texts
from payouts.explained.facts import Row
from payouts.explained.line import row_texts
from payouts.explained.rows import rows_of
from prm.lib.errors import Refused
from prm.lib.money import Money
from tiers import cases, rulebook, trial
from tiers.engine.facts import Because, PlanFacts
from tiers.models import PlanVersion, Program


class BadOrder(Refused):
    """A fact that makes no sense; `field` names it."""

    message = gettext_lazy("This order cannot be tried.")


class UnknownMembership(Refused):
    message = gettext_lazy("There is no membership of this program with this id.")
    field = "partner"


class NothingInForce(Refused):
    message = gettext_lazy("No version was in force on this day.")
    field = "occurred_on"


@dataclass(frozen=True)
class Told:
    """One line of commission: its calculation, adding up to its amount."""

    title: str
    rows: tuple[Row, ...]
    amount: Money


@dataclass(frozen=True)
class Simulation:
    """What an order would earn: the engine's explanation, and the same in words."""

    because: Because
    plan: PlanFacts
    amount: Money
    lines: tuple[Told, ...]
    outcome: str
    not_applied: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole explanation as plain text."""
        told = [part for line in self.lines for part in (line.title, *row_texts(line.rows))]
        total = _("Commission: %(amount)s") % {"amount": texts.money(self.amount.minor, self.amount.currency)}
        return "\n".join(part for part in (*told, self.outcome, *self.not_applied, total) if part)


def simulate(
    program: Program, facts: Mapping[str, Any], *, version: PlanVersion | None = None, at: datetime
) -> Simulation:
    """Return what the order would earn under `version`, else under what is in force for the partner on its day.

    `facts` are as examples store them (tiers/cases.py); an order without a day happens `at`, and with a `partner` the
    membership's tier, country, type and tags of that day count where none are said.

    Raises: BadOrder, UnknownMembership, NothingInForce.
    """
    try:
        membership = _membership(program, facts.get("partner"))
        order = cases.read(program, facts, otherwise_at=at)
        if membership is not None:
            order = _as_member(order, membership, program)
        plan = _plan(program, version, membership, order)
        return _told(trial.try_order(plan, **order), plan, program)
    except cases.BadFact as fault:
        raise BadOrder(str(fault), field=fault.field) from fault
    except ValueError as fault:
        raise BadOrder(str(fault)) from fault


def _membership(program: Program, public_id: object) -> Membership | None:
    if not public_id:
        return None
    found = Membership.objects.filter(program=program, public_id=str(public_id)[:40])
    membership = found.select_related("partner").first()
    if membership is None:
        raise UnknownMembership
    return membership


def _as_member(order: dict[str, Any], membership: Membership, program: Program) -> dict[str, Any]:
    """Let what is known of the partner stand where nothing else was said."""
    so: trial.Circumstances = order["so"]
    placement = Placement.objects.in_force(at=order["at"]).filter(membership=membership).first()
    known = replace(
        so,
        partner_country=so.partner_country or membership.partner.country,
        partnership_type=so.partnership_type or program.partnership_type,
        tags=so.tags or frozenset(membership.tags),
        joined_at=so.joined_at or membership.joined_at,
    )
    tier = order["tier"] or (placement.tier if placement is not None else None)
    return {**order, "so": known, "tier": tier}


def _plan(
    program: Program, version: PlanVersion | None, membership: Membership | None, order: dict[str, Any]
) -> PlanFacts:
    if version is not None:
        return rulebook.facts(version, effective_at=order["at"])
    plan = trial.facts_in_force(
        program,
        at=order["at"],
        member_key=membership.public_id if membership is not None else rulebook.EVERYBODY,
        joined_at=order["so"].joined_at,
        customer_since=order["so"].customer_since,
    )
    if plan is None:
        raise NothingInForce
    return plan


def _told(because: Because, plan: PlanFacts, program: Program) -> Simulation:
    lines = tuple(
        Told(
            title=_("Commission by “%(rule)s”") % {"rule": line["rule"]["name"]},
            rows=rows_of(line, program.zone),
            amount=Money(line["amount"], line["currency"]),
        )
        for line in because["lines"]
    )
    return Simulation(
        because=because,
        plan=plan,
        amount=Money(because["amount"], because["currency"]),
        lines=lines,
        outcome=reasons.outcome(because["outcome"]),
        not_applied=tuple(reasons.not_applied(tried) for tried in because["checked_not_applied"]),
    )
