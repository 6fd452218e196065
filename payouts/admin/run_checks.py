"""What is to be looked at in a run, in words: each check with the figures that raised it, grouped by kind, and the run's totals beside
those of the run before."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _t

from payouts.choices import CheckKind
from payouts.models import PayRun, PayRunCheck
from payouts.pay_runs import checks, preview
from prm.accounts.back_office import Fact, link_to, locale, money_text
from prm.lib import l10n
from prm.lib.money import Money, round_half_away

_MISSING = {"address": _t("street and town"), "country": _t("country"), "vat_number": _t("VAT number")}


def totals_of(run: PayRun) -> list[Fact]:
    """Return the run's sums, and how they differ from the last run's."""
    sums = preview.sums_of(run)
    found = [
        Fact(_("Payments"), l10n.number_text(sums.payments, locale())),
        Fact(_("Taken from balances"), money_text(sums.total)),
    ]
    if sums.withheld:
        found.append(Fact(_("Tax withheld"), money_text(sums.withheld)))
    for sent in sums.sent:
        found.append(
            Fact(_("Sent to banks, in %(currency)s") % {"currency": sent.currency}, money_text(sent))
        )
    last = checks.last_run(run)
    if last is not None:
        change = round_half_away(Fraction((run.total_minor - last.total_minor) * 100, last.total_minor))
        before = money_text(Money(last.total_minor, run.currency))
        found.append(
            Fact(
                _("The run before"),
                before,
                _("%(change)s %% against it, %(count)s payments then")
                % {"change": f"{change:+d}", "count": l10n.number_text(last.payment_count, locale())},
            )
        )
    return found


def kinds_of(run: PayRun) -> list[dict[str, Any]]:
    """Return the kinds of checks the run has, each with how many there are and how many wait."""
    counts = {
        kind: (count, waiting)
        for kind, count, waiting in run.checks.order_by()
        .values_list("kind")
        .annotate(Count("pk"), waiting=Count("pk", filter=Q(acknowledged_at=None)))
    }
    return [
        {
            "label": kind.label,
            "count": counts[kind.value][0],
            "waiting": counts[kind.value][1],
            "url": reverse("admin:payouts_payrun_looking", args=[run.pk, kind.value]),
        }
        for kind in CheckKind
        if kind.value in counts
    ]


def rows_of(run: PayRun, kind: str) -> list[dict[str, Any]]:
    """Return every check of a kind in words, those that wait first."""
    found = run.checks.filter(kind=kind).select_related("membership__partner", "acknowledged_by")
    ordered = sorted(found.order_by("pk"), key=lambda check: (check.acknowledged_at is not None, check.pk))
    return [
        {
            "check": check,
            "partner": link_to(check.membership.partner) if check.membership is not None else _("All of it"),
            "name": check.membership.partner.name if check.membership is not None else _("the total"),
            "words": words_of(check, run.currency),
            "looked": _looked(check),
        }
        for check in ordered
    ]


def words_of(check: PayRunCheck, currency: str) -> str:
    """Return the figures of a check as a sentence."""
    return _WORDS[CheckKind(check.kind)](check.facts, currency)


def _looked(check: PayRunCheck) -> str:
    if check.acknowledged_by is None:
        return ""
    who = check.acknowledged_by.get_full_name() or check.acknowledged_by.email
    return _("%(person)s: %(note)s") % {"person": who, "note": check.note}


def _new_payee(facts: dict[str, Any], currency: str) -> str:
    amount = money_text(Money(facts["amount_minor"], currency))
    return _("%(amount)s is the first payment to this partner.") % {"amount": amount}


def _changed_account(facts: dict[str, Any], currency: str) -> str:
    added_at = parse_datetime(facts["added_at"])
    day = l10n.date_text(added_at.date(), locale()) if added_at is not None else ""
    return _("Changed on %(day)s: ending %(before)s before, ending %(now)s now.") % {
        "day": day,
        "before": facts["before"],
        "now": facts["now"],
    }


def _unusual_amount(facts: dict[str, Any], currency: str) -> str:
    usual = Money(round_half_away(Fraction(facts["sum_minor"], facts["payments"])), currency)
    return _("%(amount)s; the last %(count)s payments were %(usual)s on average.") % {
        "amount": money_text(Money(facts["amount_minor"], currency)),
        "count": facts["payments"],
        "usual": money_text(usual),
    }


def _negative(facts: dict[str, Any], currency: str) -> str:
    amount = money_text(Money(facts["amount_minor"], currency))
    return _("%(amount)s is carried over and taken from later commission.") % {"amount": amount}


def _missing_data(facts: dict[str, Any], currency: str) -> str:
    names = ", ".join(str(_MISSING[name]) for name in facts["missing"])
    return _("Not known: %(names)s.") % {"names": names}


def _shared_account(facts: dict[str, Any], currency: str) -> str:
    return _("The same account is paid for %(names)s.") % {"names": ", ".join(facts["partners"])}


def _total_changed(facts: dict[str, Any], currency: str) -> str:
    return _("%(total)s now, %(last)s in %(run)s.") % {
        "total": money_text(Money(facts["total_minor"], currency)),
        "last": money_text(Money(facts["last_minor"], currency)),
        "run": facts["last_run"],
    }


_WORDS: dict[CheckKind, Callable[[dict[str, Any], str], str]] = {
    CheckKind.NEW_PAYEE: _new_payee,
    CheckKind.CHANGED_ACCOUNT: _changed_account,
    CheckKind.UNUSUAL_AMOUNT: _unusual_amount,
    CheckKind.NEGATIVE: _negative,
    CheckKind.MISSING_DATA: _missing_data,
    CheckKind.SHARED_ACCOUNT: _shared_account,
    CheckKind.TOTAL_CHANGED: _total_changed,
}
