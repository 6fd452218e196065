"""Turn each addend of a line into a row, by the code of its label. A code nobody knows is written in words, with its amount."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from payouts.explained import texts
from payouts.explained.causes import cause_text
from payouts.explained.facts import Facts, Row
from payouts.explained.months import is_of_a_month, month_rows
from payouts.explained.steps import step_rows

Part = Mapping[str, Any]
# Label and note of an addend.
Said = tuple[str, str]


def part_rows(facts: Facts) -> Iterator[Row]:
    """Yield the rows of all addends; the first of them names the rule."""
    rule = facts.rule
    for part in facts.because["parts"]:
        for row in _rows(facts, part):
            yield Row(row.label, row.amount, texts.sentences(rule, row.note), row.href, row.counts)
            rule = ""


def _rows(facts: Facts, part: Part) -> Iterator[Row]:
    code = part["label_code"]
    if code == "steps":
        yield from step_rows(facts, part["amount_minor"])
    elif is_of_a_month(facts, part):
        yield from month_rows(facts, part)
    elif code == "true_up":
        yield from _true_up(facts, part)
    else:
        say = _SAY.get(code)
        label, note = say(facts, part) if say is not None else (texts.plain_words(code), "")
        yield Row(label, facts.money(part["amount_minor"]), note, counts=True)


def _true_up(facts: Facts, part: Part) -> Iterator[Row]:
    """Set what is owed against what was booked; in between lies the line."""
    params = part["params"]
    if "owed_minor" not in params:
        yield Row(_("Difference"), facts.money(part["amount_minor"]), cause_text(facts), counts=True)
        return
    owed, booked = params["owed_minor"], params["booked_minor"]
    label = _("Due for %(window)s") % {"window": facts.period} if facts.period else _("Due for this order")
    yield Row(label, facts.money(owed), cause_text(facts), counts=True)
    yield Row(_("Less what was booked before"), facts.money(-booked), counts=True)


def _percent(facts: Facts, part: Part) -> Said:
    return _rated(_("× your rate, %(rate)s"), facts, part, "")


def _rated(label: str, facts: Facts, part: Part, note: str) -> Said:
    params = part["params"]
    rounding = facts.rounded(params["exact_minor"])
    return label % {"rate": texts.percent(params["rate"])}, texts.sentences(note, rounding)


def _prospective(facts: Facts, part: Part) -> Said:
    metric, params = facts.because.get("metric") or {}, part["params"]
    name = params.get("metric", "revenue")
    said = {
        "metric": texts.metric(name),
        "window": texts.window(metric["window"]) if metric else "",
        "value": facts.volume(params["metric_value"], name),
        "start": facts.volume(params["from"], name),
    }
    note = _("%(metric)s in %(window)s: %(value)s.") % said
    if params["from"]:
        note = texts.sentences(note, _("This rate begins at %(start)s.") % said)
    return _rated(_("× your rate, %(rate)s"), facts, part, note)


def _recurring(facts: Facts, part: Part) -> Said:
    params = part["params"]
    notes = []
    if params.get("months"):
        notes.append(_("Month %(month)s of %(months)s with this customer.") % params)
    if params.get("payments"):
        notes.append(_("Payment %(payment)s of %(payments)s by this customer.") % params)
    if not notes:
        notes.append(_("Month %(month)s with this customer.") % params)
    return _rated(_("× your rate, %(rate)s"), facts, part, texts.sentences(*notes))


def _participation(facts: Facts, part: Part) -> Said:
    return _rated(_("× your rate for helping, %(rate)s"), facts, part, "")


def _override(facts: Facts, part: Part) -> Said:
    note = _("Level %(level)s of partners you recruited.") % {"level": part["params"].get("level", 1)}
    return _rated(_("× your override, %(rate)s"), facts, part, note)


def _flat(facts: Facts, part: Part) -> Said:
    return _("Flat amount for each sale"), ""


def _per_unit(facts: Facts, part: Part) -> Said:
    params = part["params"]
    label = _("%(quantity)s × %(amount)s") % {
        "quantity": texts.number(params["quantity"]),
        "amount": facts.text(params["flat_minor"]),
    }
    return label, ""


def _flat_kept(facts: Facts, part: Part) -> Said:
    flat = facts.text(part["params"]["flat_minor"])
    return _("Flat amount"), _("You keep the %(amount)s of the sale.") % {"amount": flat}


def _flat_back(facts: Facts, part: Part) -> Said:
    if part["amount_minor"] > 0:
        return _("Flat amount given back"), ""
    return _("Flat amount taken back"), ""


def _reversal(facts: Facts, part: Part) -> Said:
    params = part["params"]
    is_back = part["amount_minor"] > 0 or params["refund_minor"] < 0
    figures = {
        "line": facts.text(params["line_minor"]),
        "sale": facts.text(params["sale_minor"]),
        "refund": facts.text(abs(params["refund_minor"])),
        "before": facts.text(params["refunded_before_minor"]),
    }
    if is_back:
        text = _("%(refund)s of a sale of %(sale)s was won back; the same share of %(line)s comes back.")
        return _("Given back"), text % figures
    if not params["refunded_before_minor"]:
        text = _("%(refund)s of a sale of %(sale)s came back; the same share of %(line)s goes back.")
    else:
        text = _(
            "%(refund)s of a sale of %(sale)s came back, after %(before)s earlier; "
            "the same share of %(line)s goes back."
        )
    return _("Taken back"), text % figures


def _counted_back(facts: Facts, part: Part) -> Said:
    line = facts.text(part["params"].get("line_minor", 0))
    note = _("What the sale counted is taken off. Whether the %(line)s stay follows from the new total.")
    return _("Counted back"), note % {"line": line}


def _share(facts: Facts, part: Part) -> Said:
    whole = facts.text(part["params"]["whole_minor"])
    params = {"share": facts.share, "whole": whole}
    return _("Part of other partners"), _("Your share of %(whole)s is %(share)s.") % params


def _cap(facts: Facts, part: Part) -> Said:
    labels = {
        "event": _("Limit for one order"),
        "customer": _("Limit for one customer"),
        "window": _("Your limit for the period"),
        "budget": _("Budget of the program"),
    }
    params = {
        "limit": facts.text(part["params"]["limit_minor"]),
        "over": facts.text(-part["amount_minor"]),
    }
    note = _("At most %(limit)s; %(over)s was over it.") % params
    return labels.get(part["params"]["scope"], _("Limit")), note


def _floor(facts: Facts, part: Part) -> Said:
    limit = facts.text(part["params"]["limit_minor"])
    return _("Raised to the minimum for one order"), _("At least %(limit)s.") % {"limit": limit}


_SAY: Mapping[str, Callable[[Facts, Part], Said]] = {
    "percent": _percent,
    "prospective": _prospective,
    "recurring": _recurring,
    "participation": _participation,
    "override": _override,
    "flat": _flat,
    "per_unit": _per_unit,
    "flat_kept": _flat_kept,
    "flat_needs_original": _flat_kept,
    "flat_back": _flat_back,
    "reversal": _reversal,
    "counted_back": _counted_back,
    "share": _share,
    "cap": _cap,
    "floor": _floor,
}
