"""What the page of one statement shows: how its total is made up, its lines with the running total, how far its payment is, and the
documents that belong to it. A page shows what was frozen when the statement was issued, and what has become of it since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts import bank_reasons
from payouts.choices import PaymentState, StatementKind, StatementState, VatMode
from payouts.explained import bridge
from payouts.explained.facts import Row as Figure
from payouts.explained.story import Step
from payouts.exports.statement_page import ask_until, source_text
from payouts.models import Payment, Statement
from payouts.statement_facts import TERM_OF
from portal.formats import active_locale, date_text
from portal.notices import Notice
from portal.rooms import Room
from portal.status import StatusWord, statement_status, word
from portal.views import statement_lines
from portal.views.money_path import commissions_text, near_text
from portal.views.pages import (
    Download,
    Fact,
    Related,
    StatementPage,
)
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day

READ_WITH = ("corrects",)


def statement_page(found: Statement, room: Room, *, after: str) -> StatementPage:
    """Gather everything the page of a statement shows."""
    payment = payment_of(found)
    skip = int(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0
    lines = statement_lines.shown(found, room, skip=skip)
    amount = payment.amount if payment else found.closing
    return StatementPage(
        title=_title(found),
        number=found.number,
        amount_label=_amount_label(found, payment),
        amount=amount,
        status=status_of(found, payment, room),
        facts=tuple(_facts(found, payment, room)),
        steps=tuple(_steps(found, payment, room)),
        bridge=tuple(_bridge(found)),
        total_label=_("Balance at the end of %(month)s") % {"month": _month_name(found)},
        closing=found.closing,
        opened=statement_lines.opening(found) if not skip else None,
        lines=lines,
        line_count=found.line_count,
        pages=statement_lines.pages(found, skip, len(lines)),
        downloads=_downloads(found),
        check_url=f"/v/{found.number}/{found.check_code}/",
        has_lines=found.kind != StatementKind.CREDIT_NOTE,
        notices=tuple(_notices(found)),
        related=tuple(_related(found)),
    )


def _title(found: Statement) -> str:
    month = {"month": l10n.month_text(found.period.as_month, active_locale())}
    is_credit_note = found.kind == StatementKind.CREDIT_NOTE
    return (_("%(month)s, credit note") if is_credit_note else _("%(month)s statement")) % month


def status_of(found: Statement, payment: Payment | None, room: Room) -> StatusWord:
    """Return a statement's status as its payment has moved it on."""
    if found.state in (StatementState.CREDITED, StatementState.CREDIT_NOTE):
        return word("statement", found.state)
    if payment is not None and payment.state == PaymentState.SETTLED:
        paid_on = local_day(payment.settled_at, room.zone) if payment.settled_at else None
        return statement_status("paid", paid_on=paid_on)
    if found.state == StatementState.PAID:
        return statement_status("paid")
    if found.state == StatementState.CARRIED_OVER:
        return word("statement", "carried_over" if found.closing_minor else "nothing_to_pay")
    if payment is not None:
        return statement_status(
            "sent" if payment.state == PaymentState.SENT else "approved", due_on=found.due_on
        )
    return statement_status("issued", due_on=found.due_on)


def payment_of(found: Statement) -> Payment | None:
    """Return the payment under way or done, if any."""
    living = (PaymentState.QUEUED, PaymentState.SENT, PaymentState.SETTLED)
    payments = [payment for payment in _payments_of(found) if payment.state in living]
    return max(payments, key=lambda payment: payment.pk, default=None)


def _payments_of(found: Statement) -> list[Payment]:
    """Return the payments of a statement, under its own number and those it corrected; a credit note has none."""
    if found.kind == StatementKind.CREDIT_NOTE:
        return []
    earlier = _payments_of(found.corrects) if found.corrects is not None else []
    return [*earlier, *found.payments.all()]


def _amount_label(found: Statement, payment: Payment | None) -> str:
    if found.kind == StatementKind.CREDIT_NOTE:
        return _("Taken back")
    if found.state == StatementState.CREDITED:
        return _("Closing balance")
    if found.state == StatementState.PAID:
        return _("Paid")
    if payment is not None and payment.state == PaymentState.SENT:
        return _("On its way")
    return _("To be paid") if found.state == StatementState.ISSUED else _("Balance carried over")


def _facts(found: Statement, payment: Payment | None, room: Room) -> Iterator[Fact]:
    month = found.period.as_month
    last = l10n.date_text(month.last_on, active_locale(), "long")
    yield Fact(_("Period"), _("%(first)s to %(last)s") % {"first": month.first_on.day, "last": last})
    yield Fact(_("Issued"), l10n.date_text(local_day(found.issued_at, room.zone), active_locale(), "long"))
    if found.kind == StatementKind.CREDIT_NOTE:  # nothing is paid by it
        yield Fact(_("Currency"), found.currency)
        return
    ending = payment.ending if payment else found.facts.get("account_ending")
    if ending:
        yield Fact(_("Pay to"), _("IBAN ending %(last4)s") % {"last4": ending})
    yield from _expected_facts(found)
    if payment is not None and payment.sent_at is not None:
        yield Fact(_("Payment reference"), payment.end_to_end_id)
    yield Fact(_("Minimum payment"), _money(Money(found.facts["minimum_minor"], found.currency)))
    yield Fact(_("Currency"), found.currency)
    until = ask_until(found)
    if until is not None and found.state != StatementState.CREDITED:
        day = l10n.date_text(until, active_locale(), "long")
        yield Fact(_("Questions"), _("You can ask about a line until %(day)s.") % {"day": day})


def _expected_facts(found: Statement) -> Iterator[Fact]:
    """Say what is withheld from the payment, and what arrives in another currency."""
    expected, fx = found.facts.get("expected"), found.facts.get("fx")
    if expected and expected["withheld_minor"]:
        withheld = _money(Money(expected["withheld_minor"], found.currency))
        rate = l10n.percent_text(Decimal(expected["rate"]) / 100, active_locale())
        yield Fact(_("Tax withheld"), withheld, note=f"{rate}, {expected['basis']}".strip(", "))
    if fx:
        values = {
            "base": fx["base"],
            "rate": l10n.number_text(Decimal(fx["rate"]).normalize(), active_locale()),
            "quote": fx["quote"],
            "day": date_text(date.fromisoformat(fx["rate_on"])),
            "source": source_text(fx["source"]),
        }
        note = _("1 %(base)s = %(rate)s %(quote)s on %(day)s, %(source)s") % values
        yield Fact(_("You receive"), _money(Money(fx["amount_minor"], fx["currency"])), note=note)


def _steps(found: Statement, payment: Payment | None, room: Room) -> Iterator[Step]:
    is_credit_note = found.kind == StatementKind.CREDIT_NOTE
    issued = _("Credit note issued") if is_credit_note else _("Statement issued")
    yield Step(_at(found.issued_at, room), issued, done=True)
    if is_credit_note or found.state == StatementState.CREDITED:
        return
    for failed in sorted(_payments_of(found), key=lambda each: each.pk):
        if failed.failed_at is not None:
            what = _("Payment failed: %(reason)s") % {
                "reason": bank_reasons.reason_of(failed) or _("no reason given")
            }
            yield Step(_at(failed.failed_at, room), what, done=True, problem=True)
    if found.state == StatementState.CARRIED_OVER and payment is None:
        yield Step("", _("The balance moves to the next statement"), done=False)
        return
    if payment is not None and payment.sent_at is not None:
        yield Step(_at(payment.sent_at, room), _("Payment sent"), done=True)
    elif found.due_on is not None:
        yield Step(date_text(found.due_on), _("Payment sent"), done=False)
    if payment is not None and payment.settled_at is not None:
        yield Step(_at(payment.settled_at, room), _("Payment confirmed"), done=True)
    elif found.state == StatementState.PAID:
        yield Step("", _("Paid"), done=True)


def _bridge(found: Statement) -> Iterator[Figure]:
    month = {"month": _month_name(found)}
    labels = {
        bridge.COMMISSIONS: _("Commissions ready in %(month)s") % month,
        bridge.REVERSALS: _("Refunds and reversals"),
        bridge.PAID: _("Paid in %(month)s") % month,
    }
    if found.kind == StatementKind.CREDIT_NOTE:
        labels = {}
    for term in bridge.bridge_of(found)[:-1]:
        yield Figure(labels.get(term.key, term.label), term.amount, note=_term_note(found, term), counts=True)


def _term_note(found: Statement, term: bridge.Term) -> str:
    if found.kind == StatementKind.CREDIT_NOTE:
        return ""
    if term.key == bridge.OPENING:
        return _opening_note(found)
    if term.key == bridge.VAT:
        return _vat_note(found)
    if term.key in (bridge.COMMISSIONS, *TERM_OF.values()):
        return commissions_text(term.lines) if term.lines or term.key == bridge.COMMISSIONS else ""
    return (
        ngettext("%(count)s line", "%(count)s lines", term.lines) % {"count": term.lines}
        if term.lines
        else ""
    )


def _vat_note(found: Statement) -> str:
    tax = found.facts.get("tax")
    if not tax:
        return ""
    if not tax["vat_minor"]:
        return str(tax["note"] or VatMode(tax["mode"]).label)
    rate = l10n.percent_text(Decimal(tax["rate"]) / 100, active_locale())
    values = {"rate": rate, "net": _money(Money(tax["net_minor"], found.currency))}
    if tax["vat_minor"] != found.vat_minor:
        text = _("%(rate)s of %(net)s is %(vat)s; a correction is booked in the month it is made")
        return text % (values | {"vat": _money(Money(tax["vat_minor"], found.currency))})
    return _("%(rate)s of %(net)s") % values


def _opening_note(found: Statement) -> str:
    before = l10n.month_text(found.period.as_month.previous(), active_locale(), "name")
    return _("Balance at the end of %(month)s") % {"month": before} if found.opening_minor else ""


def _downloads(found: Statement) -> tuple[Download, ...]:
    def href(kind: str) -> str:
        return reverse("portal:statement_file", args=[found.public_id, kind])

    names: Sequence[tuple[str, str]] = (("pdf", _("Download PDF")), ("csv", "CSV"), ("xlsx", "XLSX"))
    return tuple(Download(label, href(kind), is_main=kind == "pdf") for kind, label in names)


def _notices(found: Statement) -> Iterator[Notice]:
    if found.state == StatementState.CREDITED:
        yield Notice("warn", _("This statement was corrected. Another one is in force in its place."))
    if found.state != StatementState.CARRIED_OVER or not found.closing_minor:
        return
    if found.closing_minor < 0:
        yield Notice(
            "info", _("%(amount)s is taken from your next commissions.") % {"amount": _money(-found.closing)}
        )
    elif found.closing_minor < found.facts["minimum_minor"]:
        params = {
            "amount": _money(found.closing),
            "minimum": _money(Money(found.facts["minimum_minor"], found.currency)),
        }
        text = _("%(amount)s of %(minimum)s. It stays yours and moves to the next statement.")
        yield Notice("info", text % params)


def _related(found: Statement) -> Iterator[Related]:
    """Name the documents that belong to this one: what it takes back or replaces, and what did so to it."""
    if found.corrects is not None:
        takes_back, replaces = _("Takes back statement %(number)s"), _("Replaces statement %(number)s")
        text = takes_back if found.kind == StatementKind.CREDIT_NOTE else replaces
        yield _link(text, found.corrects, note=found.correction_reason)
    for other in found.corrections.order_by("pk"):
        credited, replaced = _("Taken back by credit note %(number)s"), _("Replaced by statement %(number)s")
        yield _link(credited if other.kind == StatementKind.CREDIT_NOTE else replaced, other)
    for invoice in found.invoices.order_by("pk"):
        label = _("Self-billed document %(number)s") % {"number": invoice.number}
        yield Related(label, "", "")


def _link(text: str, other: Statement, *, note: str = "") -> Related:
    href = reverse("portal:statement", args=[other.public_id])
    return Related(text % {"number": other.number}, href, note)


def _month_name(found: Statement) -> str:
    return l10n.month_text(found.period.as_month, active_locale(), "name")


def _at(instant: datetime, room: Room) -> str:
    local = instant.astimezone(room.zone)
    return f"{near_text(local.date(), room.at)}, {local:%H:%M}"


def _money(money: Money) -> str:
    return l10n.money_text(money, active_locale())
