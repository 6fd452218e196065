"""Say where something stands, in one vocabulary for portal, back office, mail and documents. A status is always a word with an icon and,
where one is known, a date or a condition; colour never says it alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.formats import active_locale, date_text, day_text
from portal.status_risk import RISK_WORDS
from portal.status_tiers import TIER_WORDS
from portal.status_words import BAD as BAD
from portal.status_words import INFO as INFO
from portal.status_words import NEUTRAL as NEUTRAL
from portal.status_words import OK as OK
from portal.status_words import WARN as WARN
from portal.status_words import StatusWord as StatusWord
from portal.status_words import Words, said
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month

# The stages of the money path, in the order money takes them.
PATH = ("review", "hold", "ready", "sent", "paid")

STAGE_OF: dict[str, str] = {
    "in_review": "review",
    "paused": "review",
    "on_hold": "hold",
    "payable": "ready",
    "on_statement": "ready",
    "reversed": "ready",
    "sent": "sent",
    "paid": "paid",
}

_t, _word = gettext_lazy, said

COMMISSION: Words = {
    "in_review": _word(_t("In review"), "clock", NEUTRAL, _t("Checked within 5 working days")),
    "on_hold": _word(_t("On hold"), "pause", WARN, _t("In case the customer asks for a refund")),
    "paused": _word(_t("Paused"), "alert", BAD, _t("Someone is looking at it")),
    "payable": _word(_t("Ready to pay"), "tick", OK, _t("On your next statement")),
    "on_statement": _word(_t("On statement"), "page", INFO, _t("Waiting for approval by finance")),
    "sent": _word(_t("On its way"), "arrow", INFO, _t("Sent to your bank")),
    "paid": _word(_t("Paid"), "tick", OK),
    "reversed": _word(_t("Reversed"), "return", BAD, _t("Taken back after a refund or a correction")),
    "recovered": _word(_t("Advance paid back"), "return", INFO, _t("Taken from what you earned")),
    "nothing_due": _word(_t("Nothing due"), "info", NEUTRAL, _t("It counts, and pays nothing by itself")),
    "declined": _word(_t("Declined"), "cross", BAD, _t("Earns nothing")),
}

STATEMENT: Words = {
    "draft": _word(_t("Preparing"), "clock", NEUTRAL),
    "issued": _word(_t("Issued"), "page", INFO),
    "contested": _word(_t("Contested"), "alert", BAD, _t("A question about it is open")),
    "approved": _word(_t("Approved"), "tick", INFO),
    "sent": _word(_t("On its way"), "arrow", INFO),
    "paid": _word(_t("Paid"), "tick", OK),
    "partly_failed": _word(_t("Part failed"), "alert", BAD),
    "carried_over": _word(_t("Carried over"), "return", NEUTRAL, _t("It moves to the next statement")),
    "nothing_to_pay": _word(_t("Nothing to pay"), "page", NEUTRAL),
    "credited": _word(_t("Corrected"), "return", NEUTRAL, _t("Another statement is in its place")),
    "credit_note": _word(_t("Credit note"), "page", NEUTRAL),
}

PAYMENT: Words = {
    "queued": _word(_t("Preparing"), "clock", NEUTRAL),
    "sent": _word(_t("On its way"), "arrow", INFO),
    "settled": _word(_t("Paid"), "tick", OK),
    "failed": _word(_t("Payment failed"), "alert", BAD, _t("Check your bank details")),
    "returned": _word(_t("Payment returned"), "return", BAD, _t("Check your bank details")),
    "cancelled": _word(_t("Cancelled"), "cross", NEUTRAL),
}

PAY_RUN: Words = {
    "draft": _word(_t("Draft"), "clock", NEUTRAL),
    "checked": _word(_t("Checked"), "page", INFO, _t("Waiting for a second person")),
    "approved": _word(_t("Approved"), "tick", INFO),
    "exported": _word(_t("Exported"), "document", INFO),
    "sent": _word(_t("Sent"), "arrow", INFO),
    "partly_failed": _word(_t("Part failed"), "alert", BAD),
    "reconciled": _word(_t("Reconciled"), "tick", OK),
    "cancelled": _word(_t("Cancelled"), "cross", NEUTRAL),
}

APPLICATION: Words = {
    "draft": _word(_t("Draft"), "clock", NEUTRAL),
    "submitted": _word(_t("Received"), "tick", INFO),
    "in_review": _word(_t("In review"), "clock", INFO),
    "info_requested": _word(_t("Waiting for you"), "alert", WARN),
    "approved": _word(_t("Approved"), "tick", OK),
    "rejected": _word(_t("Declined"), "cross", BAD),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
    "expired": _word(_t("Expired"), "clock", NEUTRAL),
}

MEMBERSHIP: Words = {
    "invited": _word(_t("Invited"), "clock", NEUTRAL),
    "onboarding": _word(_t("Getting started"), "clock", INFO),
    "active": _word(_t("Active"), "tick", OK),
    "suspended": _word(_t("Suspended"), "pause", BAD),
    "ended": _word(_t("Left"), "return", NEUTRAL),
    "terminated": _word(_t("Terminated"), "cross", BAD),
    "banned": _word(_t("Banned"), "cross", BAD),
}

PERIOD: Words = {
    "open": _word(_t("Open"), "clock", NEUTRAL),
    "closing": _word(_t("Closing"), "arrow", INFO),
    "closed": _word(_t("Closed"), "tick", OK),
}

RUN: Words = {
    "queued": _word(_t("Waiting"), "clock", NEUTRAL),
    "running": _word(_t("Running"), "arrow", INFO),
    "finished": _word(_t("Finished"), "tick", OK),
    "finished_with_errors": _word(_t("Finished with errors"), "alert", WARN),
    "failed": _word(_t("Failed"), "alert", BAD),
    "cancelled": _word(_t("Cancelled"), "cross", NEUTRAL),
}

PAYMENT_METHOD: Words = {
    "unconfirmed": _word(_t("Not confirmed"), "clock", WARN),
    "pending": _word(_t("Waiting"), "clock", WARN),
    "confirmed": _word(_t("Confirmed"), "tick", OK),
    "active": _word(_t("In use"), "tick", OK),
    "rejected": _word(_t("Declined"), "cross", BAD),
    "replaced": _word(_t("Replaced"), "return", NEUTRAL),
    "removed": _word(_t("Removed"), "cross", NEUTRAL),
}

# The states of a question as the partner reads them, and as staff do.
QUESTION: Words = {
    "opened": _word(_t("Open"), "clock", INFO, _t("We are looking at it")),
    "answered": _word(_t("Answered"), "tick", INFO, _t("You can write back")),
    "waiting_partner": _word(_t("Waiting for you"), "alert", WARN, _t("We need something to answer it")),
    "accepted": _word(_t("You were right"), "tick", OK),
    "refused": _word(_t("Stays as it is"), "cross", NEUTRAL),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
}

DISPUTE: Words = {
    "opened": _word(_t("To answer"), "clock", WARN),
    "answered": _word(_t("Answered"), "tick", INFO),
    "waiting_partner": _word(_t("Waiting for the partner"), "clock", NEUTRAL),
    "accepted": _word(_t("Accepted"), "tick", OK),
    "refused": _word(_t("Refused"), "cross", NEUTRAL),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
}

# What staff read of an adjustment; the partner sees only what is booked.
ADJUSTMENT: Words = {
    "proposed": _word(_t("To approve"), "clock", WARN),
    "posted": _word(_t("Booked"), "tick", OK),
    "refused": _word(_t("Refused"), "cross", NEUTRAL),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
}

AMENDMENT: Words = {
    "draft": _word(_t("Draft"), "clock", NEUTRAL),
    "proposed": _word(_t("Waiting for an answer"), "clock", WARN),
    "accepted": _word(_t("Accepted"), "tick", OK),
    "declined": _word(_t("Declined"), "cross", NEUTRAL),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
}

TERMS: Words = {
    "draft": _word(_t("Draft"), "clock", NEUTRAL),
    "published": _word(_t("Published"), "tick", OK),
    "superseded": _word(_t("Superseded"), "return", NEUTRAL),
}

CLAUSE_QUESTION: Words = {
    "open": _word(_t("Waiting for an answer"), "clock", WARN),
    "answered": _word(_t("Answered"), "tick", OK),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
}

# What staff read of people who are asked to join.
PROSPECT: Words = {
    "identified": _word(_t("Identified"), "info", NEUTRAL),
    "contacted": _word(_t("Contacted"), "info", NEUTRAL),
    "in_talks": _word(_t("In talks"), "clock", INFO),
    "invited": _word(_t("Invited"), "clock", INFO),
    "applied": _word(_t("Applied"), "clock", WARN),
    "joined": _word(_t("Joined"), "tick", OK),
    "lost": _word(_t("Not pursued"), "cross", NEUTRAL),
}
PROGRAM_INVITATION: Words = {
    "open": _word(_t("Waiting for an answer"), "clock", INFO),
    "countered": _word(_t("Counter-proposal"), "alert", WARN),
    "accepted": _word(_t("Accepted"), "tick", OK),
    "declined": _word(_t("Declined"), "cross", NEUTRAL),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
    "expired": _word(_t("Expired"), "cross", NEUTRAL),
}
INTRODUCTION: Words = {
    "proposed": _word(_t("Waiting for both"), "clock", INFO),
    "introduced": _word(_t("Introduced"), "tick", OK),
    "declined": _word(_t("Did not come about"), "cross", NEUTRAL),
    "withdrawn": _word(_t("Withdrawn"), "return", NEUTRAL),
}
VOCABULARIES: dict[str, Words] = {
    "prospect": PROSPECT,
    "program_invitation": PROGRAM_INVITATION,
    "introduction": INTRODUCTION,
    "commission": COMMISSION,
    "statement": STATEMENT,
    "payment": PAYMENT,
    "pay_run": PAY_RUN,
    "application": APPLICATION,
    "membership": MEMBERSHIP,
    "period": PERIOD,
    "run": RUN,
    "payment_method": PAYMENT_METHOD,
    "question": QUESTION,
    "dispute": DISPUTE,
    "adjustment": ADJUSTMENT,
    "amendment": AMENDMENT,
    "terms": TERMS,
    "clause_question": CLAUSE_QUESTION,
    **TIER_WORDS,
    **RISK_WORDS,
}


def word(kind: str, state: str) -> StatusWord:
    """Return the bare word for a state; an unknown state shows its own name rather than break a page."""
    known = VOCABULARIES[kind].get(state)
    if known is None:
        return StatusWord(state.replace("_", " ").capitalize(), "info", NEUTRAL)
    return StatusWord(str(known.label), known.icon, known.tone, str(known.help))


def commission_status(
    state: str,
    *,
    until: date | None = None,
    month: Month | None = None,
    sent_on: date | None = None,
    arrives_by: date | None = None,
    paid_on: date | None = None,
    review_by: date | None = None,
    approved_by: date | None = None,
    ask_until: date | None = None,
    below_minimum: Money | None = None,
    reason: str = "",
    reference: str = "",
    locale: str | None = None,
) -> StatusWord:
    """Return a commission's status with whatever is known about when and why.

    `below_minimum` is the program's minimum when the balance does not reach it yet.
    """
    locale = locale or active_locale()
    plain = word("commission", state)
    if state == "on_hold" and until:
        return replace(plain, label=_("On hold until %(date)s") % {"date": day_text(until, locale)})
    if state == "payable":
        return replace(plain, help=_ready_help(month, below_minimum, locale) or plain.help)
    if state == "on_statement":
        return _on_statement(plain, month, approved_by, locale)
    if state == "sent":
        return replace(plain, help=_sent_help(sent_on, arrives_by, locale) or plain.help)
    if state == "paid":
        label = _("Paid %(date)s") % {"date": date_text(paid_on, locale)} if paid_on else plain.label
        return replace(plain, label=label, help=reference)
    if state == "paused":
        return replace(
            plain, help=_two_parts(reason, _by(_("Reviewed by %(date)s"), review_by, locale)) or plain.help
        )
    if state == "declined":
        return replace(
            plain,
            help=_two_parts(reason, _by(_("You can ask until %(date)s"), ask_until, locale)) or plain.help,
        )
    if state == "reversed" and reason:
        return replace(plain, help=reason)
    return plain


def statement_status(
    state: str, *, due_on: date | None = None, paid_on: date | None = None, locale: str | None = None
) -> StatusWord:
    """Return a statement's status, with the day it is or was paid."""
    plain = word("statement", state)
    if state in ("approved", "issued") and due_on:
        label = _("%(status)s, payment on %(date)s")
        return replace(plain, label=label % {"status": plain.label, "date": day_text(due_on, locale)})
    if state == "paid" and paid_on:
        return replace(plain, label=_("Paid %(date)s") % {"date": date_text(paid_on, locale)})
    return plain


def payment_status(
    state: str,
    *,
    sent_on: date | None = None,
    arrives_by: date | None = None,
    paid_on: date | None = None,
    reason: str = "",
    locale: str | None = None,
) -> StatusWord:
    """Return a payment's status; when the bank sent it back, with the bank's reason."""
    locale = locale or active_locale()
    plain = word("payment", state)
    if state == "sent":
        return replace(plain, help=_sent_help(sent_on, arrives_by, locale))
    if state == "settled" and paid_on:
        return replace(plain, label=_("Paid %(date)s") % {"date": date_text(paid_on, locale)})
    return replace(plain, help=reason) if reason else plain


def application_status(state: str, *, email_confirmed: bool = True) -> StatusWord:
    """Return an application's status; one whose e-mail is not confirmed says so first."""
    if state == "submitted" and not email_confirmed:
        return StatusWord(_("Email to confirm"), "alert", WARN, _("Open the link we sent you"))
    return word("application", state)


def membership_status(state: str) -> StatusWord:
    """Return a membership's status."""
    return word("membership", state)


def pay_run_status(state: str) -> StatusWord:
    """Return a pay run's status."""
    return word("pay_run", state)


def run_status(state: str) -> StatusWord:
    """Return a long job's status."""
    return word("run", state)


def working_days_text(days: int) -> str:
    """Return the promise printed under money in review."""
    text = ngettext("Checked within %(days)s working day", "Checked within %(days)s working days", days)
    return text % {"days": days}


def _on_statement(
    plain: StatusWord, month: Month | None, approved_by: date | None, locale: str
) -> StatusWord:
    label = plain.label
    if month:
        label = _("On the %(month)s statement") % {"month": l10n.month_text(month, locale, "name")}
    return replace(plain, label=label, help=_by(_("Approved by %(date)s"), approved_by, locale) or plain.help)


def _ready_help(month: Month | None, below: Money | None, locale: str) -> str:
    if below is not None:
        return _("Below the %(amount)s minimum, carried over") % {"amount": l10n.money_text(below, locale)}
    if month is not None:
        return _("On your %(month)s statement") % {"month": l10n.month_text(month, locale, "name")}
    return ""


def _sent_help(sent_on: date | None, arrives_by: date | None, locale: str) -> str:
    if sent_on and arrives_by:
        dates = {"sent": day_text(sent_on, locale), "arrives": day_text(arrives_by, locale)}
        return _("Sent %(sent)s, arrives by %(arrives)s") % dates
    return _("Sent %(date)s") % {"date": day_text(sent_on, locale)} if sent_on else ""


def _by(text: str, day: date | None, locale: str) -> str:
    return text % {"date": day_text(day, locale)} if day else ""


def _two_parts(first: str, second: str) -> str:
    return ". ".join(part for part in (first.rstrip("."), second) if part)
