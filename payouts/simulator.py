"""Try an order: what it would earn a partner and why, in the words the partner would read. It is the engine that books real money, with
what was typed instead of what happened; nothing is booked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.models import Membership
from payouts.accrual.memory import Loader, Scope
from payouts.accrual.terms import Terms
from payouts.explained import reasons, texts
from payouts.explained.facts import Row
from payouts.explained.line import row_texts
from payouts.explained.rows import rows_of
from prm.lib.errors import Refused
from prm.lib.money import Money
from tiers import cases, rulebook, trial
from tiers.engine.facts import Because, PlanFacts, Standing
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
        others = () if told else self.not_applied  # each line says which other rules were checked
        return "\n".join(part for part in (*told, self.outcome, *others, total) if part)


def simulate(
    program: Program, facts: Mapping[str, Any], *, version: PlanVersion | None = None, at: datetime
) -> Simulation:
    """Return what the order would earn under `version`, else under what is in force for the partner on its day.

    `facts` are as examples store them (tiers/cases.py); an order without a day happens `at`. With a `partner` the
    membership's tier, country, type and tags of that day count where none are said, and what its books hold counts
    where nothing is said of what was before.

    Raises: BadOrder, UnknownMembership, NothingInForce.
    """
    try:
        membership = _membership(program, facts.get("partner"))
        order = cases.read(program, facts, otherwise_at=at)
        if membership is None:
            plan = _plan(program, version, order)
            return _told(trial.try_order(plan, **order), plan, program)
        return _as_member(program, membership, version, order, is_fresh=bool(_BEFORE & set(facts)))
    except cases.BadFact as fault:
        raise BadOrder(str(fault), field=fault.field) from fault
    except ValueError as fault:
        raise BadOrder(str(fault)) from fault


_BEFORE = frozenset({"before", "payments", "customer_since"})


def _membership(program: Program, public_id: object) -> Membership | None:
    if not public_id:
        return None
    found = Membership.objects.filter(program=program, public_id=str(public_id)[:40])
    membership = found.first()
    if membership is None:
        raise UnknownMembership
    return membership


def _plan(program: Program, version: PlanVersion | None, order: Mapping[str, Any]) -> PlanFacts:
    if version is not None:
        return rulebook.facts(version, effective_at=order["at"])
    plan = trial.facts_in_force(
        program,
        at=order["at"],
        joined_at=order["so"].joined_at,
        customer_since=order["so"].customer_since,
    )
    if plan is None:
        raise NothingInForce
    return plan


def _as_member(
    program: Program,
    membership: Membership,
    version: PlanVersion | None,
    order: dict[str, Any],
    *,
    is_fresh: bool,
) -> Simulation:
    """Try the order as this partner's next one, by the terms and the books of accrual."""
    at: datetime = order["at"]
    so: trial.Circumstances = order["so"]
    terms = Terms.load([membership.pk])
    if version is not None:
        edition = rulebook.Edition(rulebook.facts(version, effective_at=at))
        terms.book = terms.book.tried_with(program.pk, edition, member_key=version.member_key)
    member = terms.members[membership.pk]
    rater = terms.rater(member, at, so.customer_since)
    if rater is None:
        raise NothingInForce
    plan = rulebook.facts(version, effective_at=at) if version is not None else rater.plan
    loader = Loader(terms, Scope(at, at, frozenset()))
    memory = None if is_fresh else loader.load([member])[member.pk]
    known = _known(order, terms.standing(member, at, customer_since=so.customer_since), program)
    return _told(trial.try_order(plan, **known, memory=memory), plan, program)


def _known(order: dict[str, Any], standing: Standing, program: Program) -> dict[str, Any]:
    """Let what is known of the partner stand where nothing else was said."""
    so: trial.Circumstances = order["so"]
    known = replace(
        so,
        partner_country=so.partner_country or standing.partner_country,
        tags=so.tags or standing.tags,
        joined_at=so.joined_at or standing.joined_at,
    )
    tier = order["tier"] or program.tiers.filter(key=standing.tier_key).first()
    return {**order, "so": known, "tier": tier}


def _told(because: Because, plan: PlanFacts, program: Program) -> Simulation:
    lines = tuple(
        Told(
            title=_("Commission by “%(rule)s”") % {"rule": line["rule"]["name"]},
            rows=rows_of(line, program.zone, for_staff=True),
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
        not_applied=tuple(
            reasons.not_applied(tried, for_staff=True) for tried in because["checked_not_applied"]
        ),
    )
