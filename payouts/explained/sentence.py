"""Say in one sentence what a line is for: who did what, when, and through what it came. Customers are masked; of a recruited partner's
sale only the partner and the day are told."""

from __future__ import annotations

from datetime import tzinfo

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from payouts.choices import CommissionKind
from payouts.explained import subject, texts
from payouts.models import Commission
from referrals.choices import CreditReason
from referrals.models import Conversion
from tiers.choices import EventKind


def sentence_of(line: Commission, zone: tzinfo) -> str:
    """Return the sentence above a calculation."""
    conversion = line.conversion
    if conversion is None:
        return _of_a_month(line, zone)
    if subject.is_of_a_recruit(line):
        return _of_a_recruit(line, conversion, zone)
    if line.kind == CommissionKind.TRUE_UP:
        return _of_a_true_up(line, conversion, zone)
    return _of_an_event(line, conversion, zone)


def _of_a_month(line: Commission, zone: tzinfo) -> str:
    texts_of = {
        CommissionKind.RETAINER: _("Your fixed amount for %(period)s."),
        CommissionKind.FLOOR: _("You are guaranteed a minimum for %(period)s; this is what was missing."),
        CommissionKind.DRAW: _(
            "An advance for %(period)s, because you earned less than the guaranteed amount."
        ),
        CommissionKind.RECOVERY: _(
            "Part of an earlier advance, paid back from what you earned in %(period)s."
        ),
    }
    period = subject.period_text(line, zone)
    return texts_of.get(CommissionKind(line.kind), "%(period)s.") % {"period": period}


def _of_a_recruit(line: Commission, conversion: Conversion, zone: tzinfo) -> str:
    params = {
        "partner": capfirst(subject.recruit_text(line)),
        "event": texts.event(conversion.kind).lower(),
        "date": texts.long_day(conversion.occurred_at, zone),
    }
    return _("%(partner)s: %(event)s on %(date)s.") % params


def _of_a_true_up(line: Commission, conversion: Conversion, zone: tzinfo) -> str:
    params = {"date": texts.long_day(conversion.occurred_at, zone)}
    if not line.window:
        params["date"] = texts.long_day(line.computed_at, zone)  # a correction comes after the order
        return _("What is due for this order changed on %(date)s.") % params
    params["window"] = texts.window(line.window)
    return _("What is due for %(window)s changed on %(date)s.") % params


def _of_an_event(line: Commission, conversion: Conversion, zone: tzinfo) -> str:
    via = subject.via_text(line)
    has_code = line.credit is not None and line.credit.code is not None
    params = {
        "customer": subject.who_text(line, zone) if subject.masked_customer(line) else _("A customer"),
        "amount": texts.money(conversion.amount_minor, conversion.currency),
        "date": texts.long_day(conversion.occurred_at, zone),
        "via": via,
        "event": texts.event(conversion.kind).lower(),
    }
    if conversion.kind not in (EventKind.SALE, EventKind.RENEWAL):
        return _other_events().get(conversion.kind, _("%(customer)s: %(event)s on %(date)s.")) % params
    reason = line.credit.reason if line.credit is not None else ""
    if told := _by_reason().get(reason):
        return told % params
    if via and has_code:
        return _("%(customer)s paid %(amount)s on %(date)s with the code %(via)s.") % params
    if via:
        return _("%(customer)s paid %(amount)s on %(date)s after using %(via)s.") % params
    return _("%(customer)s paid %(amount)s on %(date)s.") % params


def _by_reason() -> dict[str, str]:
    """Return what is said of credit that rests on more than a code or a click."""
    return {
        CreditReason.DEAL: _("%(customer)s paid %(amount)s on %(date)s. You had registered the deal."),
        CreditReason.LEAD: _("%(customer)s paid %(amount)s on %(date)s. You had brought the lead."),
        CreditReason.INTRODUCED: _("%(customer)s paid %(amount)s on %(date)s. You had introduced them."),
        CreditReason.CUSTOMER: _("%(customer)s paid %(amount)s on %(date)s. You had brought this customer."),
        CreditReason.VIEW: _("%(customer)s paid %(amount)s on %(date)s after seeing %(via)s."),
        CreditReason.ASSISTED: _("%(customer)s paid %(amount)s on %(date)s. You helped on the way."),
    }


def _other_events() -> dict[str, str]:
    return {
        EventKind.REFUND: _("%(customer)s got %(amount)s back on %(date)s."),
        EventKind.CHARGEBACK: _("%(customer)s had %(amount)s charged back on %(date)s."),
        EventKind.CHARGEBACK_WON: _("A chargeback of %(amount)s by %(customer)s was won on %(date)s."),
        EventKind.SIGNUP: _("%(customer)s signed up on %(date)s."),
        EventKind.QUALIFIED_LEAD: _("%(customer)s became a qualified lead on %(date)s."),
        EventKind.INSTALL: _("%(customer)s installed it on %(date)s."),
    }
