"""Say why a commission is what it is, from the explanation stored with it: what happened, how the figure came about, which other
rules were tried, and what happens to it next. The rows of the calculation add up to the amount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import CommissionState
from payouts.explained import subject
from payouts.models import Commission, Payment
from payouts.overview import payment_date
from portal import lines
from portal.formats import active_locale, date_text, day_text
from portal.status import StatusWord
from prm.lib import l10n
from prm.lib.money import Money, exponent
from prm.lib.periods import Month, local_day
from tiers.choices import EventKind


@dataclass(frozen=True)
class Figure:
    """A row of a calculation; `counts` tells addends of the total from the figures that lead to them."""

    label: str
    amount: Money
    note: str = ""
    href: str = ""
    counts: bool = False


@dataclass(frozen=True)
class Step:
    """A moment in the life of a commission, past or planned."""

    at: str
    what: str
    done: bool
    problem: bool = False


@dataclass(frozen=True)
class Related:
    """Another line this one takes back, or is taken back by."""

    text: str
    amount: Money
    href: str


@dataclass(frozen=True)
class Why:
    """The explanation of one line, ready to print."""

    public_id: str
    order: str
    amount: Money
    status: StatusWord
    sentence: str
    figures: tuple[Figure, ...]
    steps: tuple[Step, ...]
    related: tuple[Related, ...]


def readable(found: QuerySet[Commission]) -> QuerySet[Commission]:
    """Return lines with all that `explain` reads."""
    return lines.readable(found).select_related("membership__program", "reverses__conversion")


def explain(line: Commission, *, at: datetime) -> Why:
    """Return the explanation of a line that came from `readable`."""
    zone = line.membership.program.zone
    payments = lines.payments_of([line])
    return Why(
        public_id=line.public_id,
        order=subject.title_text(line, zone),
        amount=line.amount,
        status=lines.status_of(line, zone, payments),
        sentence=_sentence(line, zone),
        figures=tuple(figures(line.because, zone)),
        steps=tuple(_steps(line, zone, payments.get(line.statement_id or 0), at)),
        related=tuple(_related(line)),
    )


def _sentence(line: Commission, zone: tzinfo) -> str:
    conversion, via = line.conversion, subject.via_text(line)
    if conversion is None:
        return subject.title_text(line, zone)
    params = {
        "customer": subject.who_text(line, zone),
        "amount": _money(conversion.amount),
        "date": l10n.date_text(local_day(conversion.occurred_at, zone), active_locale(), "long"),
        "via": via,
    }
    if conversion.kind == EventKind.REFUND:
        return _("%(customer)s got %(amount)s back on %(date)s.") % params
    if via and line.credit is not None and line.credit.code is not None:
        return _("%(customer)s paid %(amount)s on %(date)s with the code %(via)s.") % params
    if via:
        return _("%(customer)s paid %(amount)s on %(date)s after using %(via)s.") % params
    return _("%(customer)s paid %(amount)s on %(date)s.") % params


def figures(because: Mapping[str, Any], zone: tzinfo) -> Iterator[Figure]:
    currency = because["currency"]
    is_refund = because["event"]["kind"] == EventKind.REFUND
    yield Figure(_("Refund") if is_refund else _("Order total"), Money(because["gross"], currency))
    for taken in because["deductions"]:
        yield Figure(_deduction_text(taken["label_code"]), Money(taken["amount"], currency))
    if because["base"] != because["gross"]:
        yield Figure(_("Commissionable amount"), Money(because["base"], currency))
    for part in because["parts"]:
        yield _part(part, because, zone)
    if because["checked_not_applied"]:
        reasons = " ".join(not_applied_text(tried) for tried in because["checked_not_applied"])
        yield Figure(_("Other rules checked"), Money(0, currency), note=reasons, counts=True)


def _part(part: Mapping[str, Any], because: Mapping[str, Any], zone: tzinfo) -> Figure:
    currency, params = because["currency"], part["params"]
    amount = Money(part["amount_minor"], currency)
    rule = _rule_text(because["rule"], zone)
    code = part["label_code"]
    if code == "percent":
        label = _("× your rate, %(rate)s") % {
            "rate": l10n.percent_text(Decimal(params["rate"]), active_locale())
        }
        return Figure(
            label, amount, note=_two(rule, _rounding_text(params["exact_minor"], currency)), counts=True
        )
    if code == "flat":
        return Figure(_("Flat amount for each sale"), amount, note=rule, counts=True)
    if code in ("flat_kept", "flat_needs_original"):
        flat = _money(Money(params["flat_minor"], currency))
        note = _("You keep the %(amount)s of the sale.") % {"amount": flat}
        return Figure(_("Flat amount"), amount, note=note, counts=True)
    if code == "reversal":
        return Figure(_("Taken back"), amount, note=_two(_reversal_text(params, currency), rule), counts=True)
    return Figure(code.replace("_", " ").capitalize(), amount, note=rule, counts=True)


def _rule_text(rule: Mapping[str, Any], zone: tzinfo) -> str:
    since = local_day(datetime.fromisoformat(rule["in_force_from"]), zone)
    params = {"rule": rule["name"], "version": rule["version"], "date": date_text(since)}
    return _("Rule “%(rule)s”, version %(version)s, in force since %(date)s.") % params


def _rounding_text(exact: str, currency: str) -> str:
    """Say that a figure was rounded, and from what; nothing when it came out whole."""
    value = Fraction(exact)
    if value.denominator == 1:
        return ""
    places = exponent(currency)
    text = l10n.number_text(Decimal(exact).scaleb(-places), active_locale()) if "/" not in exact else exact
    return _("Rounded from %(exact)s.") % {"exact": text}


def _reversal_text(params: Mapping[str, Any], currency: str) -> str:
    figures = {
        "line": _money(Money(params["line_minor"], currency)),
        "sale": _money(Money(params["sale_minor"], currency)),
        "refund": _money(Money(params["refund_minor"], currency)),
    }
    if not params["refunded_before_minor"]:
        return (
            _("%(refund)s of a sale of %(sale)s came back; the same share of %(line)s goes back.") % figures
        )
    figures["before"] = _money(Money(params["refunded_before_minor"], currency))
    return (
        _(
            "%(refund)s of a sale of %(sale)s came back, after %(before)s earlier; the same share of %(line)s goes back."
        )
        % figures
    )


def not_applied_text(tried: Mapping[str, Any]) -> str:
    name, why = tried["rule"]["name"], tried["why"]
    params = {"rule": name, "wanted": ", ".join(why["wanted"]), "found": why["found"]}
    sentences = {
        "earlier_rule_applied": _("“%(rule)s”: another rule came first."),
        "no_amount": _("“%(rule)s”: the event has no amount."),
        "other_event_kind": _("“%(rule)s” is for %(wanted)s; this was %(found)s."),
        "other_tier": _("“%(rule)s” is for the tiers %(wanted)s."),
        "other_country": _("“%(rule)s” is for customers in %(wanted)s."),
    }
    return sentences.get(why["code"], "“%(rule)s”.") % params


def _deduction_text(code: str) -> str:
    return {"tax": _("Less tax"), "vat": _("Less VAT"), "shipping": _("Less shipping")}.get(
        code, _("Less %(what)s") % {"what": code.replace("_", " ")}
    )


def _steps(line: Commission, zone: tzinfo, payment: Payment | None, at: datetime) -> Iterator[Step]:
    past: list[tuple[datetime, str]] = []
    planned: list[tuple[datetime, str]] = []
    for instant, what, is_done in _moments(line, zone, payment):
        (past if is_done else planned).append((instant, what))
    for instant, what in sorted(past, key=lambda pair: pair[0]):
        yield Step(_moment_text(instant, zone, at), what, done=True)
    if line.state == CommissionState.PAUSED:
        yield Step(
            _("Now"), _("Paused: %(reason)s") % {"reason": line.pause_reason}, done=False, problem=True
        )
    for instant, what in planned:
        yield Step(_planned_text(instant, zone), what, done=False)


def _moments(line: Commission, zone: tzinfo, payment: Payment | None) -> Iterator[tuple[datetime, str, bool]]:
    conversion, credit = line.conversion, line.credit
    if credit is not None and credit.click is not None:
        yield credit.click.clicked_at, _("Click on your link"), True
    if conversion is not None:
        yield conversion.occurred_at, str(conversion.get_kind_display()), True
    yield line.computed_at, _computed_text(line, zone), True
    if line.released_in is not None:
        yield line.payable_at, _("Ready to pay"), True
    elif line.amount_minor >= 0:
        yield line.payable_at, _("Ready to pay, if the customer does not ask for a refund"), False
    else:
        yield line.payable_at, _("Taken from what is ready to pay"), False
    yield from _statement_moments(line, zone, payment)


def _statement_moments(
    line: Commission, zone: tzinfo, payment: Payment | None
) -> Iterator[tuple[datetime, str, bool]]:
    statement, program = line.statement, line.membership.program
    if statement is not None:
        month = statement.period.as_month
        yield statement.issued_at, _on_statement_text(month), True
    else:
        released = line.released_in
        month = released.period.as_month if released is not None else Month.of(line.payable_at, zone)
        yield month.ends_at(zone) - datetime.resolution, _on_statement_text(month), False
    if payment is not None and payment.settled_at is not None:
        yield (
            payment.settled_at,
            _("Paid, reference %(reference)s") % {"reference": payment.end_to_end_id},
            True,
        )
    elif payment is not None and payment.sent_at is not None:
        yield payment.sent_at, _("Payment sent"), True
    elif line.state != CommissionState.PAID:
        due = payment_date(month, program.payment_day)
        noon = datetime(due.year, due.month, due.day, 12, tzinfo=zone)
        yield (
            noon,
            _("Payment sent, if your balance reaches %(minimum)s")
            % {"minimum": _money(program.minimum_payout)},
            False,
        )


def _on_statement_text(month: Month) -> str:
    return _("On your %(month)s statement") % {"month": l10n.month_text(month, active_locale())}


def _computed_text(line: Commission, zone: tzinfo) -> str:
    days = (local_day(line.payable_at, zone) - local_day(line.effective_at, zone)).days
    if days <= 0:
        return _("Commission computed")
    text = ngettext(
        "Commission computed, on hold for %(days)s day",
        "Commission computed, on hold for %(days)s days",
        days,
    )
    return text % {"days": days}


def _related(line: Commission) -> Iterator[Related]:
    if line.reverses is not None:
        text = _("Takes back part of what order %(order)s earned") % {
            "order": subject.order_text(line.reverses)
        }
        yield _related_to(line.reverses, text)
    for reversal in line.reversals.select_related("conversion").order_by("effective_at", "pk"):
        yield _related_to(
            reversal, _("Taken back by refund %(order)s") % {"order": subject.order_text(reversal)}
        )


def _related_to(line: Commission, text: str) -> Related:
    return Related(text, line.amount, reverse("portal:commission", args=[line.public_id]))


def _moment_text(instant: datetime, zone: tzinfo, now: datetime) -> str:
    local = instant.astimezone(zone)
    day = day_text(local.date()) if local.year == now.astimezone(zone).year else date_text(local.date())
    return f"{day}, {local:%H:%M}"


def _planned_text(instant: datetime, zone: tzinfo) -> str:
    day: date = instant.astimezone(zone).date()
    return date_text(day)


def _money(money: Money) -> str:
    return l10n.money_text(money, active_locale())


def _two(first: str, second: str) -> str:
    return " ".join(part for part in (first, second) if part)
