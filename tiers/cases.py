"""Run the examples a plan version carries: what happened, and what it must earn. They go through the engine that books real money, so
a version whose examples pass pays what its author meant.

The facts of an example are a mapping of texts and numbers. Amounts are major units in the program's currency ("418.00"):

    kind, amount                     what happened; without a kind a sale
    currency                         only the program's own
    occurred_on, joined_on           days (2026-11-22), noon in the program's zone
    tier                             key of the partner's tier
    country, product, category, quantity, code, link, sub_id, deal, role
    customer_type, customer_since, payments    new or returning; the day of the first sale; how often the customer paid before
    partner, partner_country, partnership_type, tags
    attributes                       {name: text, number or true}
    deductions                       {tax | shipping | discount | cost: amount}
    before                           what counted already: {revenue: amount, sales: 3, ...}, or an amount of revenue
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, cast, get_args

from django.utils.translation import gettext as _

from prm.lib.money import BadAmount, Money
from tiers import trial
from tiers.choices import Deduction, EventKind
from tiers.engine.attributes import ROLES
from tiers.engine.facts import Because, Metric
from tiers.models import PlanVersion, Program, Tier

TEXTS = (
    "country",
    "product",
    "category",
    "code",
    "link",
    "sub_id",
    "deal",
    "role",
    "partner",
    "partner_country",
    "partnership_type",
)
KNOWN = frozenset(
    {
        *TEXTS,
        "kind",
        "amount",
        "currency",
        "occurred_on",
        "joined_on",
        "tier",
        "quantity",
        "customer_type",
        "customer_since",
        "payments",
        "tags",
        "attributes",
        "deductions",
        "before",
    }
)
METRICS: tuple[str, ...] = get_args(Metric)


class BadFact(ValueError):
    """A fact of an example that makes no sense; the message names the field."""

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        super().__init__(f"{field}: {why}")


@dataclass(frozen=True)
class CaseResult:
    """What an example came to. `problem` says why it could not be run; nothing then came of it."""

    name: str
    expected: Money
    got: Money | None
    because: Because | None
    problem: str = ""

    @property
    def passes(self) -> bool:
        return self.got == self.expected


def run_cases(version: PlanVersion) -> list[CaseResult]:
    """Return what each example of the version earns, by name; an example without a day happens when the version begins."""
    return [
        run(version, case.name, case.facts, Money(case.expected_minor, version.plan.program.currency))
        for case in version.cases.order_by("name")
    ]


def run(version: PlanVersion, name: str, facts: Mapping[str, Any], expected: Money) -> CaseResult:
    """Return what one example earns."""
    try:
        because = explain_case(version, facts)
    except ValueError as error:  # a fact or a rule that makes no sense, or facts that contradict each other
        return CaseResult(name, expected, None, None, str(error))
    return CaseResult(name, expected, Money(because["amount"], expected.currency), because)


def explain_case(version: PlanVersion, facts: Mapping[str, Any]) -> Because:
    """Explain what would happen to these facts under the version.

    Raises: BadFact, tiers.engine.reading.Unreadable, ValueError for facts that contradict each other.
    """
    program = version.plan.program
    order = read(program, facts, otherwise_at=version.effective_at or version.created_at)
    return trial.try_order(trial.facts_for(version, at=order["at"]), **order)


def read(program: Program, facts: Mapping[str, Any], *, otherwise_at: datetime) -> dict[str, Any]:
    """Return the facts as `trial.try_order` takes them. Raises BadFact."""
    if not isinstance(facts, Mapping):
        raise BadFact("facts", _("this must be an object with named parts."))
    for name in facts:
        if name not in KNOWN:
            raise BadFact(str(name)[:40], _("this is not known here."))
    if facts.get("currency", program.currency) != program.currency:
        text = _("the program's currency is %(currency)s.") % {"currency": program.currency}
        raise BadFact("currency", text)
    at = _noon(program, "occurred_on", facts.get("occurred_on")) or otherwise_at
    so = _circumstances(program, facts)
    return {
        "tier": _tier(program, facts.get("tier")),
        "kind": _one_of("kind", facts.get("kind", EventKind.SALE.value), EventKind.values),
        "amount": _amount(program, "amount", facts.get("amount", "0"), positive=True),
        "at": at,
        "country": _text("country", facts),
        "so": so,
    }


def _circumstances(program: Program, facts: Mapping[str, Any]) -> trial.Circumstances:
    customer = facts.get("customer_type")
    if customer:
        _one_of("customer_type", customer, ("new", "returning"))
    so = trial.Circumstances(
        product=_text("product", facts),
        category=_text("category", facts),
        code=_text("code", facts),
        link=_text("link", facts),
        sub_id=_text("sub_id", facts),
        deal=_text("deal", facts),
        quantity=_count("quantity", facts.get("quantity", 1)),
        is_new=None if not customer else customer == "new",
        customer_since=_noon(program, "customer_since", facts.get("customer_since")),
        payments=None if facts.get("payments") is None else _count("payments", facts["payments"]),
        role=_one_of("role", facts.get("role") or "sourced", ROLES),
        membership=_text("partner", facts),
        partner_country=_text("partner_country", facts),
        partnership_type=_text("partnership_type", facts) or program.partnership_type,
        tags=frozenset(_tags(facts.get("tags"))),
        joined_at=_noon(program, "joined_on", facts.get("joined_on")),
    )
    return replace(
        so,
        deductions=_deductions(program, _mapping("deductions", facts)),
        attributes=_attributes(_mapping("attributes", facts)),
        before=_before(program, facts.get("before")),
    )


def _tier(program: Program, key: object) -> Tier | None:
    if not key:
        return None
    tier = program.tiers.filter(key=key).first()
    if tier is None:
        raise BadFact("tier", _("there is no tier “%(key)s” here.") % {"key": key})
    return tier


def _noon(program: Program, field: str, value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        text = _("“%(value)s” is not a day: write it as 2026-11-22.") % {"value": str(value)[:40]}
        raise BadFact(field, text) from None
    return datetime.combine(day, time(12), tzinfo=program.zone)


def _amount(program: Program, field: str, value: object, *, positive: bool = False) -> Money:
    try:
        amount = Money.parse(str(value), program.currency)
    except BadAmount as error:
        raise BadFact(field, str(error)) from None
    if positive and amount.minor < 0:
        raise BadFact(field, _("this is not negative: a refund is an event of its own kind."))
    return amount


def _one_of(field: str, value: object, known: Any) -> str:
    if value not in known:
        text = _("“%(value)s” is not one of: %(known)s.")
        raise BadFact(field, text % {"value": str(value)[:40], "known": ", ".join(known)})
    return str(value)


def _text(field: str, facts: Mapping[str, Any]) -> str:
    value = facts.get(field) or ""
    if not isinstance(value, str):
        raise BadFact(field, _("this must be a text."))
    return value


def _count(field: str, value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise BadFact(field, _("“%(value)s” is not a whole number.") % {"value": text[:40]})
    return int(text)


def _tags(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or any(not isinstance(tag, str) for tag in value):
        raise BadFact("tags", _("this must be a list of texts."))
    return value


def _mapping(field: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    value = facts.get(field) or {}
    if not isinstance(value, Mapping):
        raise BadFact(field, _("this must be an object with named parts."))
    return value


def _deductions(program: Program, stored: Mapping[str, Any]) -> dict[str, Money]:
    return {
        _one_of("deductions", name, Deduction.values): _amount(
            program, f"deductions.{name}", value, positive=True
        )
        for name, value in stored.items()
    }


def _attributes(stored: Mapping[str, Any]) -> dict[str, str | int | bool]:
    for name, value in stored.items():
        if not isinstance(value, str | int | bool):
            raise BadFact(f"attributes.{name}", _("this must be a text, a whole number, true or false."))
    return dict(stored)


def _before(program: Program, stored: object) -> dict[Metric, int]:
    if stored is None or stored == "":
        return {}
    counted = stored if isinstance(stored, Mapping) else {"revenue": stored}
    found: dict[Metric, int] = {}
    for name, value in counted.items():
        metric = cast(Metric, _one_of("before", name, METRICS))
        is_money = metric == "revenue"
        found[metric] = (
            _amount(program, f"before.{name}", value).minor if is_money else _count(f"before.{name}", value)
        )
    return found
