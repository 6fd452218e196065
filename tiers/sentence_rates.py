"""What a rule pays, in words, one function for each kind. The words name the figures the engine computes with, and no others."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import groupby, pairwise

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tiers.engine.facts import Recurring, RuleFacts, Step
from tiers.sentence_words import (
    Words,
    counted,
    each_counted,
    each_window,
    earning,
    events,
    every_event,
    in_window,
    months,
    quantity,
    rate_text,
)

Tell = Callable[[RuleFacts, Words], str]


def pays(rule: RuleFacts, words: Words) -> str:
    """Return what `rule` pays for what: 15% of every order."""
    return _TELL[rule.kind](rule, words)


def _percent(rule: RuleFacts, words: Words) -> str:
    return _of(words.percent(rule.rate), every_event(words, rule.event_kinds))


def _flat(rule: RuleFacts, words: Words) -> str:
    return _for(words.money(_flat_of(rule)), every_event(words, rule.event_kinds))


def _both(rule: RuleFacts, words: Words) -> str:
    return _rated(rule.rate, _flat_of(rule), every_event(words, rule.event_kinds), words)


def _per_unit(rule: RuleFacts, words: Words) -> str:
    text = _("%(amount)s for each piece of %(events)s")
    return text % {
        "amount": words.money(_flat_of(rule)),
        "events": every_event(words, rule.event_kinds),
    }


def _participation(rule: RuleFacts, words: Words) -> str:
    told = _rated(rule.rate, _flat_of(rule), every_event(words, rule.event_kinds), words)
    return _("%(offer)s, for helping with it") % {"offer": told}


def _override(rule: RuleFacts, words: Words) -> str:
    of = (
        events(words, earning(rule.event_kinds))
        if rule.override_of == "sales"
        else _("the commission on %(events)s") % {"events": events(words, earning(rule.event_kinds))}
    )
    text = _("%(rate)s of %(what)s of recruited partners")
    told = [text % {"rate": words.percent(rule.levels[0]), "what": of}] if rule.levels else []
    for level, rate in enumerate(rule.levels[1:], start=2):
        values = {"rate": words.percent(rate), "level": words.number(level)}
        told.append(_("%(rate)s at level %(level)s") % values)
    return _(", ").join(told)


def _prospective(rule: RuleFacts, words: Words) -> str:
    first, *more = rule.steps
    told = [_rated(first.rate, first.flat, every_event(words, rule.event_kinds), words)]
    for at, step in enumerate(more):
        values = {
            "rate": rate_text(words, step.rate, step.flat),
            "volume": counted(words, rule.metric, step.start),
            "window": in_window(words, rule.window),
            "bound": quantity(words, rule.metric, step.start),
        }
        text = _("%(rate)s after %(bound)s") if at else _("%(rate)s after %(volume)s %(window)s")
        told.append(text % values)
    told_all = _(", ").join(told)
    if not rule.crossing_has_new_rate or not more:
        return told_all
    return _("%(offer)s, already for the order that reaches it") % {"offer": told_all}


def _recurring(rule: RuleFacts, words: Words) -> str:
    lasts = rule.recurring or Recurring()
    of = every_event(words, rule.event_kinds)
    told = (
        _of(_schedule(lasts, words), of) if lasts.schedule else _rated(rule.rate, _flat_of(rule), of, words)
    )
    if lasts.schedule and rule.flat is not None:
        told = _("%(offer)s, plus %(flat)s each time") % {
            "offer": told,
            "flat": words.money(_flat_of(rule)),
        }
    return _("%(offer)s, %(duration)s") % {"offer": told, "duration": _duration(lasts, words)}


def _duration(lasts: Recurring, words: Words) -> str:
    if lasts.months is not None:
        text = _("for %(months)s from the customer's first payment")
        return text % {"months": months(words, lasts.months)}
    if lasts.payments is not None:
        text = ngettext(
            "for the customer's first payment",
            "for the customer's first %(count)s payments",
            lasts.payments,
        )
        return text % {"count": words.number(lasts.payments)}
    return _("for as long as the customer buys")


def _schedule(lasts: Recurring, words: Words) -> str:
    """Return the rates month by month, equal ones together: 10% in month 1 and 5% from month 2 on."""
    told, first = [], 1
    for rate, same in groupby(lasts.schedule):
        last = first + len(list(same)) - 1
        is_last = last == len(lasts.schedule)
        told.append(_stretch(words, rate, first, (lasts.months if is_last else last), is_last=is_last))
        first = last + 1
    return words.row(told)


def _stretch(words: Words, rate: Decimal, first: int, last: int | None, *, is_last: bool) -> str:
    values = {"rate": words.percent(rate), "first": words.number(first), "last": words.number(last or 0)}
    if is_last and last is None:
        return _("%(rate)s from month %(first)s on") % values
    if first == last:
        return _("%(rate)s in month %(first)s") % values
    return _("%(rate)s in months %(first)s to %(last)s") % values


def _graduated(rule: RuleFacts, words: Words) -> str:
    bounds = [quantity(words, rule.metric, step.start) for step in rule.steps]
    window = in_window(words, rule.window)
    if rule.metric != "revenue":
        return _(", ").join(_counted_parts(rule, words, bounds, window))
    return _(", ").join(_parts(rule, words, bounds, window))


def _accelerator(rule: RuleFacts, words: Words) -> str:
    bounds = [words.percent(Decimal(step.start).scaleb(-2)) for step in rule.steps]
    target, window = counted(words, rule.metric, rule.target), in_window(words, rule.window)
    parts = (
        _parts(rule, words, bounds, "")
        if rule.metric == "revenue"
        else _counted_parts(rule, words, bounds, "")
    )
    text = _("with a target of %(target)s %(window)s: %(parts)s")
    return text % {"target": target, "window": window, "parts": _(", ").join(parts)}


def _parts(rule: RuleFacts, words: Words, bounds: list[str], window: str) -> list[str]:
    """Return each step's part of the revenue at its own rate."""
    of = events(words, earning(rule.event_kinds))
    values = {"rate": _step_rate(rule.steps[0], words), "events": of, "window": window}
    if len(bounds) == 1:
        return [(_("%(rate)s of %(events)s %(window)s") % values).strip()]
    first = _("%(rate)s of %(events)s up to %(bound)s %(window)s") % {**values, "bound": bounds[1]}
    told = [first.strip()]
    for step, (low, high) in zip(rule.steps[1:], pairwise([*bounds[1:], ""]), strict=True):
        text = (
            _("%(rate)s of the part from %(low)s to %(high)s")
            if high
            else _("%(rate)s of what is above %(low)s")
        )
        told.append(text % {"rate": _step_rate(step, words), "low": low, "high": high})
    return told


def _counted_parts(rule: RuleFacts, words: Words, bounds: list[str], window: str) -> list[str]:
    """Return each step's pieces at their own amount."""
    values = {
        "amount": words.money(rule.steps[0].flat),
        "each": each_counted(rule.metric),
        "window": window,
    }
    if len(bounds) == 1:
        return [(_("%(amount)s for %(each)s %(window)s") % values).strip()]
    first = _("%(amount)s for %(each)s up to %(bound)s %(window)s") % {**values, "bound": bounds[1]}
    told = [first.strip()]
    for step, (low, high) in zip(rule.steps[1:], pairwise([*bounds[1:], ""]), strict=True):
        text = (
            _("%(amount)s for each one above %(low)s up to %(high)s")
            if high
            else _("%(amount)s for each one above %(low)s")
        )
        told.append(text % {"amount": words.money(step.flat), "low": low, "high": high})
    return told


def _step_rate(step: Step, words: Words) -> str:
    if not step.flat:
        return words.percent(step.rate)
    values = {"flat": words.money(step.flat), "rate": words.percent(step.rate)}
    return (_("%(flat)s once and %(rate)s") if step.rate else _("%(flat)s once and nothing more")) % values


def _volume(rule: RuleFacts, words: Words) -> str:
    first, *more = rule.steps
    window = in_window(words, rule.window)
    if rule.metric == "revenue":
        text = _("%(rate)s of all %(events)s %(window)s")
        of = events(words, earning(rule.event_kinds))
        told = [text % {"rate": _step_rate(first, words), "events": of, "window": window}]
        higher = _("%(rate)s of all of them once they reach %(bound)s")
        rates = [_step_rate(step, words) for step in more]
    else:
        text = _("%(rate)s for %(each)s %(window)s")
        values = {
            "rate": words.money(first.flat),
            "each": each_counted(rule.metric),
            "window": window,
        }
        told = [text % values]
        higher = _("%(rate)s for each of them once there are %(bound)s")
        rates = [words.money(step.flat) for step in more]
    for step, rate in zip(more, rates, strict=True):
        told.append(higher % {"rate": rate, "bound": quantity(words, rule.metric, step.start)})
    return _(", ").join(told)


def _stairstep(rule: RuleFacts, words: Words) -> str:
    first, *more = rule.steps
    values = {
        "window": each_window(words, rule.window),
        "amount": words.money(first.flat),
        "volume": _reached(rule, first.start, words),
    }
    told = [_("one amount %(window)s: %(amount)s from %(volume)s on") % values]
    for step in more:
        values = {"amount": words.money(step.flat), "bound": quantity(words, rule.metric, step.start)}
        told.append(_("%(amount)s from %(bound)s on") % values)
    return _(", ").join(told)


def _milestone(rule: RuleFacts, words: Words) -> str:
    first, *more = rule.steps
    values = {
        "amount": words.money(first.flat),
        "volume": _reached(rule, first.start, words),
        "window": in_window(words, rule.window),
    }
    told = [_("%(amount)s once, on reaching %(volume)s %(window)s") % values]
    text = _("another %(amount)s at %(bound)s") if rule.stacking else _("%(amount)s instead at %(bound)s")
    for step in more:
        values = {"amount": words.money(step.flat), "bound": quantity(words, rule.metric, step.start)}
        told.append(text % values)
    return _(", ").join(told)


def _package(rule: RuleFacts, words: Words) -> str:
    text = _("%(amount)s for each block of %(volume)s %(window)s, as soon as it is begun")
    return text % {
        "amount": words.money(_flat_of(rule)),
        "volume": _reached(rule, rule.package, words),
        "window": in_window(words, rule.window),
    }


def _lifetime_value(rule: RuleFacts, words: Words) -> str:
    step = rule.steps[0]
    rate, flat = step.rate or rule.rate, step.flat or _flat_of(rule)
    told = []
    if flat:
        told.append(_("%(amount)s once") % {"amount": words.money(flat)})
    if rule.metric == "revenue" and (rate or not flat):
        text = _("%(rate)s of everything a customer has bought")
        told.append(text % {"rate": words.percent(rate)})
    values = {"offer": words.row(told), "volume": _reached(rule, step.start, words)}
    return _("%(offer)s, when the customer reaches %(volume)s") % values


def _retainer(rule: RuleFacts, words: Words) -> str:
    return _("%(amount)s for each month") % {"amount": words.money(_flat_of(rule))}


def _draw(rule: RuleFacts, words: Words) -> str:
    text = _(
        "%(amount)s guaranteed for each month: what is missing is advanced, and paid back out of later earnings above"
        " it"
    )
    return text % {"amount": words.money(_flat_of(rule))}


def _reached(rule: RuleFacts, count: int, words: Words) -> str:
    """Return a threshold with what it counts, sales by the name of their events."""
    if rule.metric == "revenue" and rule.event_kinds:
        values = {"amount": words.money(count), "events": events(words, earning(rule.event_kinds))}
        return _("%(amount)s of %(events)s") % values
    return counted(words, rule.metric, count)


def _of(rate: str, what: str) -> str:
    return _("%(rate)s of %(events)s") % {"rate": rate, "events": what}


def _for(rate: str, what: str) -> str:
    return _("%(rate)s for %(events)s") % {"rate": rate, "events": what}


def _rated(rate: Decimal, flat: int, what: str, words: Words) -> str:
    return (_for if flat else _of)(rate_text(words, rate, flat), what)


def _flat_of(rule: RuleFacts) -> int:
    return rule.flat.minor if rule.flat else 0


_TELL: dict[str, Tell] = {
    "percent": _percent,
    "flat": _flat,
    "percent_plus_flat": _both,
    "per_unit": _per_unit,
    "prospective": _prospective,
    "recurring": _recurring,
    "participation": _participation,
    "override": _override,
    "graduated": _graduated,
    "volume": _volume,
    "stairstep": _stairstep,
    "package": _package,
    "accelerator": _accelerator,
    "milestone": _milestone,
    "lifetime_value": _lifetime_value,
    "retainer": _retainer,
    "draw": _draw,
}
