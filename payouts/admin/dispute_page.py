"""What the page of a question shows: facts, the line with its explanation, what the engine suggests and how, and the thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from payouts.choices import DisputeState
from payouts.disputes import clock
from payouts.disputes.suggestion import AGREES, DIFFERS, FAILED
from payouts.explained import texts
from payouts.explained.facts import Row
from payouts.explained.rows import rows_of
from payouts.models import Dispute
from prm.accounts.back_office import Fact, link_to, locale, money_text
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day


def clock_badge(dispute: Dispute, at: datetime) -> SafeString:
    """Return by when an answer is promised, as words with an icon; who is late is told so."""
    program = dispute.membership.program
    if dispute.decided_at is not None:
        day = l10n.date_text(local_day(dispute.decided_at, program.zone), locale())
        return format_html('<span class="sub">{}</span>', _("Decided %(date)s") % {"date": day})
    day = l10n.date_text(clock.last_day(dispute.answer_by_at, program), locale())
    if dispute.state != DisputeState.OPENED:
        label, icon, tone = _("Nothing promised"), "info", "neutral"
    elif at >= dispute.answer_by_at:
        label, icon, tone = _("Overdue since %(date)s") % {"date": day}, "alert", "bad"
    else:
        label, icon, tone = _("Answer by %(date)s") % {"date": day}, "clock", "neutral"
    return render_to_string("components/badge.html", {"label": label, "icon": icon, "tone": tone})


def facts_of(dispute: Dispute, at: datetime) -> Iterator[Fact]:
    """Yield the facts of a question."""
    zone, line = dispute.membership.program.zone, dispute.commission
    yield Fact(_("Partner"), link_to(dispute.membership.partner))
    yield Fact(_("Program"), dispute.membership.program.name)
    if line is not None:
        yield Fact(_("Line"), link_to(line, f"{money_text(line.amount)}, {line.get_state_display()}"))
        if line.statement is not None:
            yield Fact(_("Statement"), link_to(line.statement))
    elif dispute.conversion is not None:
        yield Fact(_("Order"), link_to(dispute.conversion))
    else:
        yield Fact(_("Order"), dispute.inquiry.get("asked") or "–", _("Not found when it was asked about."))
    # Why not me: perhaps nobody was credited, so that the cause would say too much.
    about_line = dispute.commission_id is not None
    yield Fact(_("What is wrong"), dispute.get_cause_display() if about_line else _("Who gets the credit"))
    who = dispute.opened_by.get_full_name() or dispute.opened_by.email
    asked = l10n.datetime_text(dispute.opened_at, zone, locale())
    yield Fact(_("Asked"), asked, _("by %(person)s") % {"person": who})
    yield Fact(_("Clock"), clock_badge(dispute, at))
    for made in dispute.adjustments.order_by("pk"):
        yield Fact(_("Correction"), money_text(made.amount), made.get_state_display())


def suggestion_of(dispute: Dispute) -> dict[str, Any]:
    """Return what the engine suggests, in words and rows."""
    kept, currency = dispute.suggestion, dispute.membership.program.currency
    zone, outcome = dispute.membership.program.zone, kept.get("outcome", "")
    minor = dispute.suggested_minor
    return {
        "text": _in_words(outcome, currency, minor, kept),
        "is_known": outcome in (AGREES, DIFFERS),
        "rows": list(_figures(kept, currency)) if outcome in (AGREES, DIFFERS) else [],
        "total": Money(minor or 0, currency),
        "computed": l10n.datetime_text(datetime.fromisoformat(kept["computed_at"]), zone, locale())
        if "computed_at" in kept
        else "",
        "calculations": [
            {
                "rows": rows_of(because, zone, for_staff=True),
                "total": Money(because["amount"], because["currency"]),
            }
            for because in kept.get("because", [])
        ],
    }


def thread_of(dispute: Dispute) -> list[dict[str, Any]]:
    """Return what was said, the first first."""
    partner = dispute.membership.partner.name
    return [
        {
            "who": message.written_by.get_full_name() or message.written_by.email,
            "side": partner if message.is_from_partner else _("Us"),
            "at": message.written_at,
            "text": message.text,
            "file_name": message.evidence_name,
            "file_url": reverse("admin:payouts_dispute_file", args=[dispute.pk, message.pk])
            if message.evidence
            else "",
        }
        for message in dispute.messages.select_related("written_by").order_by("pk")
    ]


def _in_words(outcome: str, currency: str, minor: int | None, kept: dict[str, Any]) -> str:
    if outcome == AGREES:
        return _("The books agree with the plan in force then: nothing to correct.")
    if outcome == DIFFERS and minor:
        text = _("By the plan in force then the books should say %(due)s and say %(booked)s.")
        params = {
            "due": money_text(Money(kept["due_minor"], currency)),
            "booked": money_text(Money(kept["booked_minor"], currency)),
        }
        return text % params
    if outcome == DIFFERS:
        return _("The books were wrong, and what people corrected since makes up for it.")
    if outcome == FAILED:
        return _("The line could not be worked out again; the log says why. Look at it by hand.")
    return _("What a month brings by itself is not worked out again. Look at it by hand.")


def _figures(kept: dict[str, Any], currency: str) -> Iterator[Row]:
    """Yield the two figures and what was corrected by hand; they lead to the suggested amount."""
    window = kept.get("window")
    where = texts.window(window) if window else ""
    due, booked = _("Due by the plan"), _("Booked")
    if where:
        due = _("Due by the plan in %(window)s") % {"window": where}
        booked = _("Booked in %(window)s") % {"window": where}
    yield Row(due, Money(kept["due_minor"], currency))
    yield Row(booked, Money(-kept["booked_minor"], currency))
    if kept["corrected_minor"] and kept["due_minor"] != kept["booked_minor"]:
        yield Row(_("Corrected by hand since"), Money(-kept["corrected_minor"], currency))
