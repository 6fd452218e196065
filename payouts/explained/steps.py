"""Explain what a window's table of steps gives for one event, a row for each step. Each row is rounded, and together they are the rounded
change of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.explained import texts
from payouts.explained.facts import Facts, Row
from prm.lib.money import round_half_away

Step = Mapping[str, Any]


def step_rows(facts: Facts, amount: int) -> Iterator[Row]:
    """Yield the rows of the steps; they add up to `amount`."""
    steps = _telling(facts.because.get("steps") or [])
    if not steps:
        yield Row(_("Nothing for this order"), facts.money(amount), _progress(facts, None), counts=True)
        return
    say = _SAY.get(facts.rule_kind, _slice)
    for step, minor in zip(steps, rounded_to(amount, [step["exact"] for step in steps]), strict=True):
        label, note = say(facts, step)
        yield Row(
            label, facts.money(minor), texts.sentences(note, _rounding(facts, step, minor)), counts=True
        )


def window_steps(facts: Facts) -> Iterator[Row]:
    """Yield the steps of a whole window, for a true-up: they lead to what is due, and are no addends."""
    for step in _telling(facts.because.get("steps") or []):
        label, note = _SAY.get(facts.rule_kind, _slice)(facts, step)
        yield Row(label, facts.money(round_half_away(Fraction(step["exact"]))), note)


def rounded_to(amount: int, exact: Sequence[str]) -> list[int]:
    """Return each exact figure in whole minor units so that they add up to `amount`.

    What rounding leaves over goes to the last figure that is not whole itself.
    """
    fractions = [Fraction(each) for each in exact]
    whole = [round_half_away(each) for each in fractions]
    odd = [place for place, each in enumerate(fractions) if each.denominator != 1]
    whole[odd[-1] if odd else -1] += amount - sum(whole)
    return whole


def _telling(steps: Sequence[Step]) -> list[Step]:
    """Leave out steps that give nothing, unless none gives anything."""
    return [step for step in steps if Fraction(step["exact"])] or list(steps[-1:])


def _rounding(facts: Facts, step: Step, minor: int) -> str:
    exact = Fraction(step["exact"])
    if exact == minor:
        return ""
    if exact.denominator != 1:
        return facts.rounded(step["exact"])
    return _("With what rounding left over before.")


def _slice(facts: Facts, step: Step) -> tuple[str, str]:
    """Say which part of the volume lies in a step, and what is paid for it there."""
    params = {
        "start": facts.volume(step["from"]),
        "end": facts.volume(step["to"]) if step["to"] is not None else "",
        "rate": _rate(facts, step),
    }
    if step["to"] is None:
        label = _("Above %(start)s at %(rate)s") if step["from"] else _("At %(rate)s")
    else:
        label = _("From %(start)s to %(end)s at %(rate)s") if step["from"] else _("First %(end)s at %(rate)s")
    inside = _("%(volume)s of it here.") % {"volume": facts.volume(step["volume"])}
    return label % params, texts.sentences(inside, _once(facts, step))


def _rate(facts: Facts, step: Step) -> str:
    if step["rate"] is not None:
        return texts.percent(step["rate"])
    return _("%(amount)s each") % {"amount": facts.text(step["flat"] or 0)}


def _once(facts: Facts, step: Step) -> str:
    """Say the flat amount of a step that was reached, or lost, where a rate is paid besides."""
    if step["rate"] is None or not step["flat"]:
        return ""
    amount = facts.text(abs(step["flat"]))
    if step["flat"] < 0:
        return _("With %(amount)s less, as the step is not reached any more.") % {"amount": amount}
    return _("With %(amount)s once for reaching the step.") % {"amount": amount}


def _volume(facts: Facts, step: Step) -> tuple[str, str]:
    label = _("× the rate reached, %(rate)s") % {"rate": _rate(facts, step)}
    begins = _("It begins at %(start)s.") % {"start": facts.volume(step["from"])} if step["from"] else ""
    return label, texts.sentences(begins, _once(facts, step))


def _amount(facts: Facts, step: Step) -> tuple[str, str]:
    exact = Fraction(step["exact"])
    reached = {"start": facts.volume(step["from"])}
    if exact > 0:
        return _("%(start)s reached") % reached, _progress(facts, step["to"])
    if exact < 0:
        return _("Reached no longer"), _progress(facts, step["to"])
    return _("No further step reached"), _progress(facts, step["to"])


def _package(facts: Facts, step: Step) -> tuple[str, str]:
    blocks, size = step.get("blocks", 0), facts.volume(step["to"] - step["from"])
    params = {"n": texts.number(abs(blocks)), "size": size, "amount": facts.text(step["flat"] or 0)}
    if blocks > 0:
        text = ngettext(
            "%(n)s block of %(size)s begun, at %(amount)s",
            "%(n)s blocks of %(size)s begun, at %(amount)s each",
            blocks,
        )
        return text % params, ""
    if blocks < 0:
        text = ngettext(
            "%(n)s block of %(size)s given up, at %(amount)s",
            "%(n)s blocks of %(size)s given up, at %(amount)s each",
            -blocks,
        )
        return text % params, ""
    return _("No new block of %(size)s begun") % params, _progress(facts, step["to"])


def _lifetime_value(facts: Facts, step: Step) -> tuple[str, str]:
    if step["rate"] is None and not step["flat"]:
        return _("The customer's threshold is not reached"), _progress(facts, step["to"])
    params = {"rate": _rate(facts, step), "volume": facts.volume(step["volume"])}
    label = _("× your rate, %(rate)s, on %(volume)s") if step["rate"] is not None else _("Threshold reached")
    start = _("The customer has brought %(start)s or more.") % {"start": facts.volume(step["from"])}
    return label % params, texts.sentences(start, _once(facts, step))


def _progress(facts: Facts, end: int | None) -> str:
    """Say how far the window is and where the next step begins."""
    if end is None or not facts.window:
        return ""
    params = {"after": facts.volume(facts.window["after"]), "end": facts.volume(end)}
    return _("%(after)s so far; the next begins at %(end)s.") % params


_SAY: Mapping[str, Callable[[Facts, Step], tuple[str, str]]] = {
    "volume": _volume,
    "stairstep": _amount,
    "milestone": _amount,
    "package": _package,
    "lifetime_value": _lifetime_value,
}
