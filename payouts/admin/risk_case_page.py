"""What the page of a case shows: facts, the signals with their evidence in words, its lines and what waits, and what both sides wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from payouts.explained import subject
from payouts.models import RiskCase, RiskSignal
from payouts.risk import cases, words
from payouts.risk.common import OPEN
from prm.accounts.back_office import Fact, badge, link_to, list_url, locale, money_text, row_url
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day


def is_overdue(case: RiskCase, *, at: datetime) -> bool:
    """Say whether the case should have been decided by now."""
    return case.state in OPEN and case.review_on < local_day(at, case.membership.program.zone)


def clock_badge(case: RiskCase, *, at: datetime) -> SafeString:
    """Return by when the case is decided, as words with an icon."""
    program = case.membership.program
    if case.decided_at is not None:
        day = l10n.date_text(local_day(case.decided_at, program.zone), locale())
        given = {"label": _("Decided %(date)s") % {"date": day}, "icon": "tick", "tone": "neutral"}
    else:
        day = l10n.date_text(case.review_on, locale())
        if is_overdue(case, at=at):
            given = {"label": _("Overdue since %(date)s") % {"date": day}, "icon": "alert", "tone": "bad"}
        else:
            given = {"label": _("Decide by %(date)s") % {"date": day}, "icon": "clock", "tone": "neutral"}
    return render_to_string("components/badge.html", given)


def facts_of(case: RiskCase, *, at: datetime) -> Iterator[Fact]:
    """Yield the facts of a case."""
    zone = case.membership.program.zone
    yield Fact(_("Partner"), link_to(case.membership.partner))
    yield Fact(_("Program"), case.membership.program.name)
    yield Fact(_("Reason the partner reads"), case.reason)
    opened = l10n.datetime_text(case.opened_at, zone, locale())
    yield Fact(_("Opened"), opened, str(case.opened_by or _("by the monitor")))
    yield Fact(_("Clock"), clock_badge(case, at=at))
    if case.investigator is not None:
        yield Fact(_("Looks into it"), case.investigator.get_full_name() or case.investigator.email)
    if case.decided_at is not None:
        yield Fact(_("What came of it"), case.outcome, str(case.decided_by or ""))
    if case.sanction:
        yield Fact(_("Sanction"), case.get_sanction_display())


def signal_row(signal: RiskSignal) -> dict[str, Any]:
    """Return one signal in words."""
    sale = signal.conversion
    return {
        "signal": signal,
        "url": row_url(signal),
        "severity": badge(signal.severity, "risk_severity"),
        "evidence": words.evidence_of(signal),
        "thresholds": words.thresholds_of(signal),
        "order": sale.external_id if sale is not None else "",
        "order_url": row_url(sale) if sale is not None else "",
    }


def signals_of(case: RiskCase) -> list[dict[str, Any]]:
    """Return the signals of a case, the worst first."""
    found = list(case.signals.select_related("conversion").order_by("pk"))
    return [signal_row(each) for each in sorted(found, key=lambda each: -words.rank(each.severity))]


def lines_of(case: RiskCase) -> list[dict[str, Any]]:
    """Return the lines of a case with where each stands."""
    rows = case.lines.select_related("commission__conversion", "commission__membership__program", "pause")
    zone = case.membership.program.zone
    return [
        {
            "url": row_url(row.commission),
            "order": subject.title_text(row.commission, zone),
            "amount": row.commission.amount,
            "state": badge(row.commission.state, "commission"),
            "waits": row.pause is not None and row.pause.ended_at is None,
            "ready_on": local_day(row.commission.payable_at, zone),
        }
        for row in rows.order_by("pk")
    ]


def at_stake(case: RiskCase) -> Money:
    """Return what waits because of a case, or did."""
    minors = case.lines.filter(pause__isnull=False).values_list("commission__amount_minor", flat=True)
    return Money(sum(minors), case.membership.program.currency)


def notes_of(case: RiskCase) -> list[dict[str, Any]]:
    """Return what was written, the first first, with the side it comes from."""
    partner = case.membership.partner.name
    return [
        {
            "who": each.written_by.get_full_name() or each.written_by.email,
            "side": partner if cases.wrote_partner(each) else _("Us"),
            "at": each.written_at,
            "text": each.text,
            "file_name": each.evidence_name,
            "file_url": reverse("admin:payouts_riskcase_file", args=[case.pk, each.pk])
            if each.evidence
            else "",
        }
        for each in case.notes.select_related("written_by", "case__membership").order_by("pk")
    ]


def free_signals_url(case: RiskCase) -> str:
    """Return where the partner's signals are that nobody has looked at."""
    return list_url(RiskSignal, membership__id__exact=case.membership_id, state="free")


def stake_text(case: RiskCase) -> str:
    """Return what waits as text."""
    return money_text(at_stake(case))
