"""Statements: the monthly documents, how each total is made up, and its files. A page shows what was frozen when the statement was
issued, and the stage its payment has reached since.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from django.contrib import messages
from django.db.models import QuerySet, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from payouts import bank_reasons, documents
from payouts.choices import CommissionKind, PaymentState, StatementState
from payouts.explained import bridge
from payouts.explained.facts import Row as Figure
from payouts.explained.story import Step
from payouts.exports import csv, pdf, xlsx
from payouts.models import Payment, Statement, StatementLine
from portal import roles
from portal.formats import active_locale, date_text
from portal.rooms import Room, enter, own_or_404, show
from portal.status import StatusWord, statement_status, word
from portal.views.money_path import commissions_text, near_text
from portal.views.pages import (
    BalanceRow,
    Download,
    Fact,
    Notice,
    Pages,
    StatementLineRow,
    StatementPage,
    StatementRow,
)
from prm.lib import l10n
from prm.lib.bell import ring
from prm.lib.money import Money
from prm.lib.periods import Month, local_day

LINES_SHOWN = 100
_FILES = {"csv": csv, "xlsx": xlsx}
_NAME_A_CUSTOMER = (CommissionKind.EARNED, CommissionKind.REFUND)


@require_safe
@enter(roles.SEE_STATEMENTS)
def statements(request: HttpRequest, room: Room) -> HttpResponse:
    """List the statements of the current membership."""
    found = room.statements().select_related("period").prefetch_related("payments").latest_first()
    rows = [_row(statement, room) for statement in found]
    open_month = l10n.month_text(Month.of(room.at, room.zone), active_locale(), "name")
    return show(
        request, room, "portal/statements/statements.html", nav="statements", rows=rows, open_month=open_month
    )


@require_safe
@enter(roles.SEE_STATEMENTS)
def statement(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one statement."""
    found, room = own_or_404(request, room, _readable(room), public_id, capability=roles.SEE_STATEMENTS)
    page = statement_page(found, room, after=request.GET.get("after", ""))
    return show(request, room, "portal/statements/statement.html", nav="statements", page=page)


@require_safe
@enter(roles.SEE_STATEMENTS)
def statement_file(request: HttpRequest, room: Room, public_id: str, kind: str) -> HttpResponseBase:
    """Send a statement as a file; a document nobody has asked for yet is made first."""
    found, room = own_or_404(request, room, _readable(room), public_id, capability=roles.SEE_STATEMENTS)
    if kind == "pdf":
        return _pdf(request, room, found)
    if kind not in _FILES:
        raise Http404
    export = _FILES[kind]
    response = HttpResponse(export.render(found), content_type=export.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{export.file_name(found)}"'
    return response


def _readable(room: Room) -> QuerySet[Statement]:
    return (
        Statement.objects.visible_to(room.user)
        .select_related("period", "membership__program")
        .prefetch_related("payments")
        .distinct()
    )


def _pdf(request: HttpRequest, room: Room, found: Statement) -> HttpResponseBase:
    if found.pdf:
        try:
            content = documents.read_pdf(found)
        except documents.DocumentDamaged as refusal:
            messages.error(request, str(refusal))
            return redirect("portal:statement", public_id=found.public_id)
        return FileResponse(io.BytesIO(content), as_attachment=True, filename=f"{found.number}.pdf")
    is_possible = pdf.is_possible()
    response = show(
        request,
        room,
        "portal/statements/making.html",
        nav="statements",
        status=202 if is_possible else 503,
        statement=found,
        is_possible=is_possible,
    )
    if is_possible:
        ring("payouts.render_statement", statement_id=found.pk)
        response["Refresh"] = (
            "3"  # works without scripts; the page says what happens and has a link to do it by hand
        )
    return response


def statement_page(found: Statement, room: Room, *, after: str) -> StatementPage:
    """Gather everything the page of a statement shows."""
    payment = _payment_of(found)
    skip = int(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0
    lines = _lines(found, room, skip=skip)
    amount = payment.amount if payment else found.closing
    return StatementPage(
        title=_("%(month)s statement") % {"month": l10n.month_text(found.period.as_month, active_locale())},
        number=found.number,
        amount_label=_amount_label(found, payment),
        amount=amount,
        status=status_of(found, payment, room),
        facts=tuple(_facts(found, payment, room)),
        steps=tuple(_steps(found, payment, room)),
        bridge=tuple(_bridge(found)),
        total_label=_("Balance at the end of %(month)s") % {"month": _month_name(found)},
        closing=found.closing,
        opened=_opening_row(found) if not skip else None,
        lines=lines,
        closed=tuple(_closing_rows(found)) if skip + len(lines) >= found.line_count else (),
        line_count=found.line_count,
        pages=_pages(found, skip, len(lines)),
        downloads=_downloads(found),
        check_url=f"/v/{found.number}/{found.check_code}/",
        notices=tuple(_notices(found)),
    )


def status_of(found: Statement, payment: Payment | None, room: Room) -> StatusWord:
    """Return a statement's status as its payment has moved it on."""
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


def _row(found: Statement, room: Room) -> StatementRow:
    return StatementRow(
        month=found.period.as_month,
        number=found.number,
        href=reverse("portal:statement", args=[found.public_id]),
        earned=Money(found.earned_minor, found.currency),
        taken_back=Money(found.reversed_minor, found.currency),
        paid=Money(found.paid_minor, found.currency),
        closing=found.closing,
        status=status_of(found, _payment_of(found), room),
    )


def _payment_of(found: Statement) -> Payment | None:
    """Return the payment under way or done, if any."""
    living = (PaymentState.QUEUED, PaymentState.SENT, PaymentState.SETTLED)
    payments = [payment for payment in found.payments.all() if payment.state in living]
    return max(payments, key=lambda payment: payment.pk, default=None)


def _amount_label(found: Statement, payment: Payment | None) -> str:
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
    ending = payment.ending if payment else found.facts.get("account_ending")
    if ending:
        yield Fact(_("Pay to"), _("IBAN ending %(last4)s") % {"last4": ending})
    if payment is not None and payment.sent_at is not None:
        yield Fact(_("Payment reference"), payment.end_to_end_id)
    yield Fact(_("Minimum payment"), _money(Money(found.facts["minimum_minor"], found.currency)))
    yield Fact(_("Currency"), found.currency)


def _steps(found: Statement, payment: Payment | None, room: Room) -> Iterator[Step]:
    yield Step(_at(found.issued_at, room), _("Statement issued"), done=True)
    for failed in sorted(found.payments.all(), key=lambda each: each.pk):
        if failed.failed_at is not None:
            what = _("Payment failed: %(reason)s") % {"reason": bank_reasons.reason_of(failed) or _("no reason given")}
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
    for term in bridge.bridge_of(found)[:-1]:
        if term.key == bridge.ADJUSTMENTS and not term.amount:
            continue
        note = _opening_note(found) if term.key == bridge.OPENING else _count_text(term)
        yield Figure(labels.get(term.key, term.label), term.amount, note=note, counts=True)


def _count_text(term: bridge.Term) -> str:
    return commissions_text(term.lines) if term.lines or term.key == bridge.COMMISSIONS else ""


def _opening_note(found: Statement) -> str:
    before = l10n.month_text(found.period.as_month.previous(), active_locale(), "name")
    return _("Balance at the end of %(month)s") % {"month": before} if found.opening_minor else ""


def _lines(found: Statement, room: Room, *, skip: int) -> tuple[StatementLineRow, ...]:
    ordered = found.lines.order_by("position").select_related("commission")
    shown = list(ordered.filter(position__gt=skip)[:LINES_SHOWN])
    before = (
        found.lines.filter(position__lte=skip).aggregate(minor=Sum("amount_minor"))["minor"] if skip else 0
    )
    running, rows = found.opening_minor + (before or 0), []
    for line in shown:
        running += line.amount_minor
        rows.append(_line_row(line, found, room, running))
    return tuple(rows)


def _opening_row(found: Statement) -> BalanceRow:
    opening = Money(found.opening_minor, found.currency)
    return BalanceRow(_("Opening balance"), opening, opening)


def _closing_rows(found: Statement) -> Iterator[BalanceRow]:
    """Lead the running total from the last line to the balance at the end."""
    running = Money(found.opening_minor + found.earned_minor + found.reversed_minor, found.currency)
    paid = _("Paid in %(month)s") % {"month": _month_name(found)}
    for label, minor in ((_("Adjustments"), found.adjusted_minor), (paid, found.paid_minor)):
        if minor:
            amount = Money(minor, found.currency)
            running += amount
            yield BalanceRow(label, amount, running)


def _line_row(line: StatementLine, found: Statement, room: Room, running: int) -> StatementLineRow:
    return StatementLineRow(
        day=local_day(line.occurred_at, room.zone),
        order=line.order_id,
        customer=_customer_text(line),
        note=_line_note(line),
        base=Money(line.base_minor, found.currency) if line.base_minor else None,
        rate=_rate_text(line, found.currency),
        amount=Money(line.amount_minor, found.currency),
        running=Money(running, found.currency),
        href=reverse("portal:commission", args=[line.commission.public_id]),
    )


def _customer_text(line: StatementLine) -> str:
    """Return the customer; nothing for a line no event earns, or of a recruit's customer, who is nobody's to know."""
    if line.customer:
        return _("Customer %(masked)s") % {"masked": line.customer}
    return _("Customer not named") if line.kind in _NAME_A_CUSTOMER else ""


def _line_note(line: StatementLine) -> str:
    parts = [str(CommissionKind(line.kind).label)] if line.kind != CommissionKind.EARNED else []
    if line.from_earlier_period:
        parts.append(_("from an earlier month"))
    return ", ".join(parts)


def _rate_text(line: StatementLine, currency: str) -> str:
    percent = l10n.percent_text(line.rate / Decimal(100), active_locale()) if line.rate else ""
    flat = _money(Money(line.flat_minor, currency)) if line.flat_minor else ""
    return " + ".join(part for part in (percent, flat) if part)


def _pages(found: Statement, skip: int, shown: int) -> Pages | None:
    if found.line_count <= LINES_SHOWN:
        return None
    here = reverse("portal:statement", args=[found.public_id])
    last = skip + shown
    return Pages(
        first=skip + 1,
        last=last,
        total=found.line_count,
        previous_url=f"{here}?after={max(0, skip - LINES_SHOWN)}#lines" if skip else "",
        next_url=f"{here}?after={last}#lines" if last < found.line_count else "",
    )


def _downloads(found: Statement) -> tuple[Download, ...]:
    def href(kind: str) -> str:
        return reverse("portal:statement_file", args=[found.public_id, kind])

    names: Sequence[tuple[str, str]] = (("pdf", _("Download PDF")), ("csv", "CSV"), ("xlsx", "XLSX"))
    return tuple(Download(label, href(kind), is_main=kind == "pdf") for kind, label in names)


def _notices(found: Statement) -> Iterator[Notice]:
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


def _month_name(found: Statement) -> str:
    return l10n.month_text(found.period.as_month, active_locale(), "name")


def _at(instant: datetime, room: Room) -> str:
    local = instant.astimezone(room.zone)
    return f"{near_text(local.date(), room.at)}, {local:%H:%M}"


def _money(money: Money) -> str:
    return l10n.money_text(money, active_locale())
