"""Say what a program offers, from the plan in force and the program's settings. Every figure is computed by the engine that will
compute the commission, so the page cannot promise what is not paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.applications import decide_on
from portal import countries
from portal.formats import active_locale, date_text
from prm.lib import l10n
from prm.lib.money import Money, exponent
from prm.lib.periods import Month, hold_until, local_day
from tiers.engine.compute import prepare
from tiers.engine.facts import REFUND, SALE, Event, PlanFacts, RuleFacts, Standing
from tiers.models import Program, Tier

ORDER_SIZES = (50, 200, 1000)  # in the program's currency


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Question:
    question: str
    answer: str


@dataclass(frozen=True)
class TierColumn:
    name: str
    rates: tuple[str, ...]
    asks: str
    benefits: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    order: Money
    earned: tuple[Money, ...]


@dataclass(frozen=True)
class Offer:
    """What the public page of a program shows."""

    sentence: str
    headings: tuple[str, ...]
    examples: tuple[Example, ...]
    tiers: tuple[TierColumn, ...]
    paid: tuple[Fact, ...]
    questions: tuple[Question, ...]


def offer_of(program: Program, plan: PlanFacts | None, tiers: list[Tier], *, at: datetime) -> Offer:
    """Describe `program` with its `plan` in force at `at`; `tiers` come lowest rank first."""
    headings, examples = _examples(program, plan, tiers, at) if plan else ((), ())
    return Offer(
        sentence=sentence(program, plan, tiers, at=at),
        headings=headings,
        examples=examples,
        tiers=tuple(_tier(program, tier, plan, at) for tier in tiers),
        paid=_how_paid(program),
        questions=_questions(program, plan, at),
    )


def sentence(program: Program, plan: PlanFacts | None, tiers: list[Tier], *, at: datetime) -> str:
    """Return the offer in one sentence, as newcomers get it; empty while no plan is in force."""
    if plan is None:
        return ""
    standings = [_standing(tier) for tier in tiers] or [Standing("")]
    rules = _rules_for_sale(program, plan, standings[0], at)
    if not rules:
        return _other_events(plan)
    rate = _(" plus ").join(rate_text(rule) for rule in rules)
    days = ngettext("%(count)s day", "%(count)s days", program.cookie_days) % {"count": program.cookie_days}
    text = _("%(rate)s of every order") if _all_percent(rules) else _("%(rate)s for every order")
    text %= {"rate": rate}
    best = _rules_for_sale(program, plan, standings[-1], at)
    if _earned(program, plan, standings[-1], 100, at) > _earned(program, plan, standings[0], 100, at):
        more = _(" plus ").join(rate_text(rule) for rule in best)
        text += _(", up to %(rate)s in the %(tier)s tier") % {"rate": more, "tier": standings[-1].tier_name}
    tail = _("when the customer comes through your link and buys within %(days)s, or uses your code.")
    return f"{text}, {tail % {'days': days}}"


def rate_text(rule: RuleFacts) -> str:
    """Return a rule's rate in words: 8%, £10.00, or 5% plus £2.00."""
    locale = active_locale()
    percent = l10n.percent_text(rule.rate, locale)
    if rule.kind == "percent" or rule.flat is None:
        return percent
    flat = l10n.money_text(rule.flat, locale)
    return (
        flat if rule.kind == "flat" else _("%(percent)s plus %(flat)s") % {"percent": percent, "flat": flat}
    )


def rule_text(rule: RuleFacts) -> str:
    """Return a rule in words, with the events and countries it is for."""
    events = sorted(rule.event_kinds) or [SALE]
    text = _("%(rate)s of %(events)s") if _all_percent((rule,)) else _("%(rate)s for %(events)s")
    told = text % {"rate": rate_text(rule), "events": ", ".join(_event_words(kind) for kind in events)}
    if rule.countries:
        names = ", ".join(countries.name(code, active_locale()) for code in sorted(rule.countries))
        told = _("%(offer)s (customers in %(countries)s)") % {"offer": told, "countries": names}
    return told


def _event_words(kind: str) -> str:
    known = {
        SALE: _("every order"),
        "signup": _("every sign-up"),
        "qualified_lead": _("every qualified lead"),
        "renewal": _("every renewal"),
        "install": _("every install"),
    }
    return known.get(kind, _("every agreed event"))


def _other_events(plan: PlanFacts) -> str:
    told = [rule_text(rule) for rule in plan.rules]
    return f"{_('; ').join(told)}." if told else ""


def _all_percent(rules: tuple[RuleFacts, ...]) -> bool:
    return all(rule.kind == "percent" for rule in rules)


def _standing(tier: Tier) -> Standing:
    return Standing(tier.key, tier.name)


def _order(program: Program, major: int, at: datetime) -> Event:
    amount = Money(major * 10 ** exponent(program.currency), program.currency)
    return Event(key="example", kind=SALE, occurred_at=at, amount=amount)


def _rules_for_sale(
    program: Program, plan: PlanFacts, standing: Standing, at: datetime
) -> tuple[RuleFacts, ...]:
    return prepare(plan).select(_order(program, 100, at), standing)[0]


def _earned(program: Program, plan: PlanFacts, standing: Standing, major: int, at: datetime) -> Money:
    total = Money(0, program.currency)
    for line in prepare(plan)(_order(program, major, at), standing):
        total += line.amount
    return total


def _examples(
    program: Program, plan: PlanFacts, tiers: list[Tier], at: datetime
) -> tuple[tuple[str, ...], tuple[Example, ...]]:
    standings = [_standing(tier) for tier in tiers] or [Standing("")]
    rows = []
    for major in ORDER_SIZES:
        earned = tuple(_earned(program, plan, standing, major, at) for standing in standings)
        rows.append(Example(_order(program, major, at).amount, earned))
    if all(not any(row.earned) for row in rows):
        return (), ()
    if all(len(set(row.earned)) == 1 for row in rows):
        return (_("You earn"),), tuple(Example(row.order, row.earned[:1]) for row in rows)
    return tuple(standing.tier_name for standing in standings), tuple(rows)


def _tier(program: Program, tier: Tier, plan: PlanFacts | None, at: datetime) -> TierColumn:
    rules = _rules_of_tier(program, plan, tier, at) if plan else []
    asked = tier.revenue_from
    text = _("%(amount)s of orders from your customers in the last 12 months")
    asks = (
        text % {"amount": l10n.money_text(asked, active_locale())}
        if asked.minor
        else _("Everybody starts here")
    )
    return TierColumn(
        name=tier.name,
        rates=tuple(rule_text(rule) for rule in rules),
        asks=asks,
        benefits=tuple(line.strip(" -•") for line in tier.benefits.splitlines() if line.strip()),
    )


def _rules_of_tier(program: Program, plan: PlanFacts, tier: Tier, at: datetime) -> list[RuleFacts]:
    """Return the rules a partner of this tier can meet: those the engine chooses, and those for some countries only."""
    standing, order = _standing(tier), _order(program, 100, at)
    kinds = sorted({SALE}.union(*(rule.event_kinds for rule in plan.rules)) - {REFUND})
    rater = prepare(plan)
    chosen = {rule.key for kind in kinds for rule in rater.select(replace(order, kind=kind), standing)[0]}
    return [
        rule
        for rule in plan.rules
        if rule.key in chosen or (rule.countries and (not rule.tiers or tier.key in rule.tiers))
    ]


def _how_paid(program: Program) -> tuple[Fact, ...]:
    minimum = l10n.money_text(program.minimum_payout, active_locale())
    facts = [
        Fact(
            _("On hold"),
            _days(program.hold_days),
            _("After each sale, in case the customer asks for a refund. Then it is ready to pay."),
        ),
        Fact(
            _("Statement"),
            _("On the first day of each month"),
            _("It lists everything that became ready to pay in the month before."),
        ),
        Fact(
            _("Payment"),
            _("On day %(day)s of the same month") % {"day": program.payment_day},
            _("By bank transfer, in %(currency)s.") % {"currency": program.currency},
        ),
    ]
    if program.minimum_payout_minor:
        facts.append(
            Fact(_("Minimum"), minimum, _("Less than that stays yours and moves to the next statement."))
        )
    return tuple(facts)


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def _questions(program: Program, plan: PlanFacts | None, at: datetime) -> tuple[Question, ...]:
    asked = [
        Question(_("When am I paid for a sale made today?"), _paid_when(program, at)),
        Question(_("Which partner gets the credit for a sale?"), _credit(program)),
    ]
    if plan is not None:
        asked.append(Question(_("What happens when a customer returns an order?"), _refunds(plan)))
    text = _("%(days)s. Apply today and you hear from us by %(date)s.")
    days = ngettext("%(count)s working day", "%(count)s working days", program.decision_days)
    values = {"days": days % {"count": program.decision_days}, "date": date_text(decide_on(program, at))}
    asked.append(Question(_("How long does a decision take?"), text % values))
    return tuple(asked)


def _paid_when(program: Program, at: datetime) -> str:
    ready = hold_until(at, program.hold_days, program.zone)
    month = Month.of(ready, program.zone)
    statement_on = month.next().first_on
    values = {
        "today": date_text(local_day(at, program.zone)),
        "ready": date_text(local_day(ready, program.zone)),
        "statement": date_text(statement_on),
        "paid": date_text(date(statement_on.year, statement_on.month, program.payment_day)),
    }
    return (
        _(
            "A sale of today, %(today)s, is ready to pay on %(ready)s, stands on the statement of %(statement)s and"
            " is paid on %(paid)s, once your balance is above the minimum."
        )
        if program.minimum_payout_minor
        else _(
            "A sale of today, %(today)s, is ready to pay on %(ready)s, stands on the statement of %(statement)s and"
            " is paid on %(paid)s."
        )
    ) % values


def _credit(program: Program) -> str:
    text = _(
        "The partner whose code was used. Without a code, the partner whose link was clicked last within %(days)s."
    )
    return text % {"days": _days(program.cookie_days)}


def _refunds(plan: PlanFacts) -> str:
    kept = any(rule.kind != "percent" and rule.flat_on_refund == "kept" for rule in plan.rules)
    text = _("The commission on what was returned is taken back, and the line says so. Nothing disappears.")
    return f"{text} {_('You keep the fixed amount.')}" if kept else text
