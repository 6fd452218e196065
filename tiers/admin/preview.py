"""What stands beside the form of a rule: its sentence and what it pays for a few orders, both from the facts the engine rates by. What
cannot be read yet is named instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm.accounts.back_office import locale, money_text
from prm.lib.money import Money, exponent
from prm.lib.periods import Month
from tiers import sentences, trial
from tiers.admin.order import read
from tiers.admin.rule_rows import attribute_choices, known_values
from tiers.engine import Event, Standing, explain
from tiers.engine.facts import MONTH_MODELS, WINDOW_MODELS, Group, PlanFacts, Recurring, RuleFacts
from tiers.models import Program
from tiers.trial import Circumstances

if TYPE_CHECKING:
    from tiers.admin.rule_editor import Editor

_AMOUNTS = (20, 100, 1000)
_PIECES = (1, 2, 10)
_MOST = 4


@dataclass(frozen=True)
class Sample:
    """One line of the example: what happens, and what it earns."""

    what: str
    earns: Money


@dataclass(frozen=True)
class Preview:
    """The sentence and the example of a rule, or what is missing for them."""

    sentence: str = ""
    samples: tuple[Sample, ...] = ()
    note: str = ""
    missing: str = ""


def of(editor: Editor, then: str) -> Preview:
    """Return the preview of what was typed, or of the stored rule when nothing was."""
    if editor.data is None:
        return _stored(editor)
    if then == "show":
        return Preview(missing=_("Refresh to see the sentence and the example."))
    if not editor.is_valid():
        first = next((text for _target, text in editor.faults), "")
        return Preview(missing=first or _("Something is missing."))
    return _told(editor.facts, editor.program)


def _stored(editor: Editor) -> Preview:
    if editor.rule is None:
        return Preview(missing=_("Fill in the form to see the sentence and an example."))
    facts, fault = read(editor.rule, editor.program.currency)
    return _told(facts, editor.program) if facts is not None else Preview(missing=fault)


def _told(rule: RuleFacts, program: Program) -> Preview:
    sentence = sentences.rule_sentence(
        rule, currency=program.currency, locale=locale(), names=names_of(program)
    )
    if rule.kind in MONTH_MODELS:
        return Preview(sentence, note=_("It is booked when a month ends, without any order."))
    now = timezone.now()
    return Preview(sentence, tuple(_samples(rule, program, now))[:_MOST], note=_note(rule))


def names_of(program: Program) -> dict[str, str]:
    """Return what the keys a rule may name are called."""
    return {tier.key: tier.name for tier in program.tiers.all()}


def _note(rule: RuleFacts) -> str:
    text = _("For orders that meet the conditions, as the first of their period and customer.")
    if rule.kind in WINDOW_MODELS or rule.kind == "prospective":
        text = _(
            "For orders that meet the conditions, from a partner with no others in the period unless the line says so."
        )
    return text


def _samples(rule: RuleFacts, program: Program, at: datetime) -> Iterator[Sample]:
    """Yield orders that show what is special about the rule's model."""
    plan = _plan(
        replace(rule, event_kinds=frozenset(), tiers=frozenset(), countries=frozenset(), conditions=Group()),
        program,
    )
    kind = _event_kind(rule)
    if rule.kind == "override":
        yield from _recruits(plan, rule, program, at)
    elif rule.kind == "per_unit":
        yield from _pieces(plan, program, at, kind)
    elif rule.kind == "recurring":
        yield from _months(plan, rule, program, at, kind)
    elif rule.metric != "revenue" and (rule.steps or rule.package):
        yield from _counted(plan, rule, program, at, kind)
    else:
        so = Circumstances(is_new=True, role="assisted" if rule.kind == "participation" else "sourced")
        for amount in _amounts(rule, program.currency):
            yield Sample(_order(amount), _earned(plan, kind, amount, at, so))


def _plan(rule: RuleFacts, program: Program) -> PlanFacts:
    return PlanFacts(
        plan_key="preview",
        version_number=0,
        version_id=0,
        effective_at=datetime.min.replace(tzinfo=program.zone),
        combine="first_match",
        rules=(rule,),
        time_zone=program.time_zone,
    )


def _event_kind(rule: RuleFacts) -> str:
    if rule.metric == "leads" and rule.kind != "prospective":
        return "qualified_lead"
    return next((kind for kind in sorted(rule.event_kinds) if kind in ("sale", "renewal")), "sale")


def _earned(
    plan: PlanFacts, kind: str, amount: Money, at: datetime, so: Circumstances = trial.ORDINARY
) -> Money:
    because = trial.try_order(plan, tier=None, kind=kind, amount=amount, at=at, so=so)
    return Money(because["amount"], because["currency"])


def _amounts(rule: RuleFacts, currency: str) -> list[Money]:
    """Return round amounts, or for a table amounts that lie in its steps."""
    unit = 10 ** exponent(currency)
    if not (rule.steps or rule.package):
        return [Money(amount * unit, currency) for amount in _AMOUNTS]
    starts = [step.start for step in rule.steps if step.start] or [rule.package or 100 * unit]
    if rule.kind == "accelerator":
        starts = [rule.target * start // 100 for start in starts]
    found = [starts[0] // 2 or 1, *(start + (start + 1) // 2 for start in starts)]
    return [Money(minor, currency) for minor in dict.fromkeys(found)]


def _order(amount: Money) -> str:
    return _("An order of %(amount)s") % {"amount": money_text(amount)}


def _pieces(plan: PlanFacts, program: Program, at: datetime, kind: str) -> Iterator[Sample]:
    amount = _hundred(program.currency)
    for pieces in _PIECES:
        text = ngettext("An order of %(count)s piece", "An order of %(count)s pieces", pieces)
        so = Circumstances(quantity=pieces, is_new=True)
        yield Sample(text % {"count": pieces}, _earned(plan, kind, amount, at, so))


def _months(plan: PlanFacts, rule: RuleFacts, program: Program, at: datetime, kind: str) -> Iterator[Sample]:
    """Yield payments of one customer: the first, each at which the rate may change, and the first that is too late."""
    amount, lasts = _hundred(program.currency), rule.recurring or Recurring()
    if lasts.payments is not None:
        for payment in dict.fromkeys((1, lasts.payments, lasts.payments + 1)):
            so = Circumstances(is_new=payment == 1, payments=payment - 1)
            text = _("%(amount)s as payment %(number)s of a customer")
            yield Sample(
                text % {"amount": money_text(amount), "number": payment}, _earned(plan, kind, amount, at, so)
            )
        return
    changes = range(2, min(len(lasts.schedule), 2) + 1)
    ends = (lasts.months, lasts.months + 1) if lasts.months else (24,)
    for month in sorted({1, *changes, *ends}):
        since = _months_before(at, month - 1, program)
        so = (
            Circumstances(is_new=True)
            if month == 1
            else Circumstances(customer_since=since, payments=month - 1)
        )
        text = _("%(amount)s in month %(number)s of a customer")
        yield Sample(
            text % {"amount": money_text(amount), "number": month}, _earned(plan, kind, amount, at, so)
        )


def _months_before(at: datetime, months: int, program: Program) -> datetime:
    """Return the beginning of the calendar month so many months ago."""
    return Month.of(at, program.zone).plus(-months).starts_at(program.zone)


def _counted(plan: PlanFacts, rule: RuleFacts, program: Program, at: datetime, kind: str) -> Iterator[Sample]:
    """Yield an event that is the first of its period, and one that reaches each step."""
    starts = [step.start for step in rule.steps] or [0, rule.package]
    if rule.kind == "accelerator":
        starts = [-(-start * rule.target // 100) for start in starts]
    amount = Money(0, program.currency) if kind == "qualified_lead" else _hundred(program.currency)
    for before in dict.fromkeys(max(start - 1, 0) for start in [0, *starts]):
        so = Circumstances(is_new=True, before={rule.metric: before})
        yield Sample(_nth(before), _earned(plan, kind, amount, at, so))


def _nth(before: int) -> str:
    if not before:
        return _("The first one of the period")
    text = ngettext("One after %(count)s other", "One after %(count)s others", before)
    return text % {"count": before}


def _recruits(plan: PlanFacts, rule: RuleFacts, program: Program, at: datetime) -> Iterator[Sample]:
    amount = _hundred(program.currency)
    text = (
        _("A recruit at level %(level)s sells %(amount)s")
        if rule.override_of == "sales"
        else _("A recruit at level %(level)s earns %(amount)s")
    )
    for level in range(1, len(rule.levels) + 1):
        event = Event(key="preview", kind="sale", occurred_at=at, amount=amount, recruit_amount=amount)
        because = explain(event, Standing(tier_key="", depth=level), plan)
        told = text % {"level": level, "amount": money_text(amount)}
        yield Sample(told, Money(because["amount"], because["currency"]))


def _hundred(currency: str) -> Money:
    return Money(100 * 10 ** exponent(currency), currency)


def value_hints(editor: Editor) -> list[tuple[str, str, list[str]]]:
    """Return for each attribute with a closed list its key, its name and what can be written."""
    labels: dict[str, Any] = dict(attribute_choices())
    return [
        (key, str(labels[key]), list(values.values())) for key, values in known_values(editor.program).items()
    ]
