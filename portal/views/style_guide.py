"""Show every component with made-up figures, for staff who build or translate pages. Nothing on it is anybody's data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from portal import charts, formats, status
from portal.status import StatusWord
from prm.lib.money import Money
from prm.lib.periods import Month

GBP = "GBP"
TOTAL = Money(231655, GBP)


@dataclass(frozen=True)
class Stage:
    key: str
    label: str
    amount: Money
    lines: tuple[str, ...]
    href: str = "#"
    current: bool = False


@dataclass(frozen=True)
class Line:
    label: str
    amount: Money
    note: str = ""
    href: str = ""


@dataclass(frozen=True)
class CommissionRow:
    day: date
    customer: str
    detail: str
    sale: Money
    amount: Money
    status: StatusWord
    href: str = "?drawer"


@dataclass(frozen=True)
class Step:
    label: str
    done: bool = False
    current: bool = False
    href: str = ""


@dataclass(frozen=True)
class Moment:
    at: str
    what: str
    done: bool = False
    problem: bool = False


@dataclass(frozen=True)
class Chip:
    label: str
    href: str = "#"
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Check:
    text: str
    ok: bool
    href: str = ""
    action: str = ""


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class SampleRun:
    """Has the attributes of a long job that the progress card reads."""

    public_id: str = "run_sample"
    title: str = "November statements"
    state: str = "running"
    is_open: bool = True
    phase: str = "Commissions"
    phases: tuple[str, ...] = ("Period closed", "Commissions", "Statements", "Ready to approve")
    done: int = 8412
    total: int = 11090
    failed: int = 3
    skipped: int = 0
    heartbeat_at: None = None


class SampleForm(forms.Form):
    company = forms.CharField(label=_("Company or creator name"))
    email = forms.EmailField(
        label=_("Email address"),
        help_text=_("We send the decision here."),
        error_messages={"invalid": _("Enter an email address like name@example.com")},
    )
    kind = forms.ChoiceField(
        label=_("How do you want to work with us?"),
        choices=[("affiliate", _("Affiliate or publisher")), ("creator", _("Creator"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how you want to work with us")},
    )
    about = forms.CharField(label=_("Your audience"), widget=forms.Textarea, required=False)
    accept = forms.BooleanField(label=_("I accept the terms, version 3"))


@dataclass(frozen=True)
class Guide:
    """Everything the page shows."""

    stages: tuple[Stage, ...]
    chart: charts.EarningsChart
    rows: tuple[CommissionRow, ...]
    words: tuple[tuple[str, tuple[StatusWord, ...]], ...]
    form: SampleForm
    run: SampleRun = field(default_factory=SampleRun)
    bridge: tuple[Line, ...] = ()
    total: Money = TOTAL
    steps: tuple[Step, ...] = ()
    moments: tuple[Moment, ...] = ()
    chips: tuple[Chip, ...] = ()
    checks: tuple[Check, ...] = ()
    facts: tuple[Fact, ...] = ()


@staff_member_required
def style_guide(request: HttpRequest) -> HttpResponse:
    """Answer with the style guide, or with the inside of its drawer."""
    page = "portal/style_guide_drawer.html" if "drawer" in request.GET else "portal/style_guide.html"
    return render(request, page, {"guide": sample(), "nav_current": ""})


def sample() -> Guide:
    """Return the made-up figures."""
    form = SampleForm({"company": "Northwind Reviews", "email": "ines@northwind", "accept": "on"})
    form.is_valid()
    return Guide(
        stages=_stages(),
        chart=_chart(),
        rows=_rows(),
        words=tuple(
            (kind, tuple(status.word(kind, state) for state in words))
            for kind, words in status.VOCABULARIES.items()
        ),
        form=form,
        bridge=(
            Line("Opening balance", Money(0, GBP), "Carried over from October"),
            Line("Commissions ready in November", Money(239175, GBP), "31 commissions", "#"),
            Line("Bonus, quarter target", Money(5000, GBP)),
            Line("Reversals", Money(-12520, GBP), "2 refunds, from statements already paid"),
        ),
        steps=(
            Step("Type", done=True, href="#"),
            Step("About you", current=True),
            Step("Audience"),
            Step("Check and send"),
        ),
        moments=(
            Moment("1 Dec, 02:10", "Statement issued", done=True),
            Moment("3 Dec, 11:45", "Approved by finance", done=True),
            Moment("14 Dec", "Payment sent"),
            Moment("by 18 Dec", "In your account"),
        ),
        chips=(
            Chip("All", current=True),
            Chip("In review", count=4),
            Chip("On hold", count=17),
            Chip("Ready to pay", count=31),
            Chip("On its way"),
            Chip("Paid"),
            Chip("Reversed or declined"),
        ),
        checks=(
            Check("Above the £50.00 minimum", ok=True),
            Check("Bank details confirmed on 3 March", ok=True),
            Check("Tax form", ok=False, href="#", action="Add it"),
        ),
        facts=(
            Fact("Period", "1 to 30 November 2026"),
            Fact("Issued", "1 December 2026"),
            Fact("Pay to", "IBAN ending 4471", "Confirmed on 3 March"),
            Fact("Currency", "GBP"),
        ),
    )


def _stages() -> tuple[Stage, ...]:
    return (
        Stage("review", "In review", Money(18240, GBP), ("Checked within 5 working days", "4 commissions")),
        Stage("hold", "On hold", Money(128410, GBP), ("Next release 3 Dec", "17 commissions")),
        Stage(
            "ready",
            "Ready to pay",
            Money(231655, GBP),
            ("On your November statement", "31 commissions"),
            current=True,
        ),
        Stage("sent", "On its way", Money(190420, GBP), ("Sent 20 Nov, arrives by 25 Nov", "1 payment")),
        Stage("paid", "Paid in 2026", Money(1044000, GBP), ("Last payment 14 Oct", "9 payments")),
    )


def _chart() -> charts.EarningsChart:
    paid = (82000, 91000, 118000, 104000, 139000, 151000, 132000, 161000, 148000)
    months = [Month(2025, 12).plus(index) for index in range(12)]
    columns = [charts.Column(month, {"paid": minor}, "#") for month, minor in zip(months, paid, strict=False)]
    columns.append(charts.Column(months[9], {"sent": 190420}, "#"))
    columns.append(charts.Column(months[10], {"ready": 231655}, "#"))
    columns.append(charts.Column(months[11], {"hold": 128410, "review": 18240}, "#"))
    return charts.earnings_chart(columns, GBP, formats.active_locale())


def _rows() -> tuple[CommissionRow, ...]:
    word = status.commission_status
    held = word("on_hold", until=date(2026, 12, 2))
    return (
        CommissionRow(
            date(2026, 11, 20),
            "Brightwater Dental Group",
            "Qualified lead, via code NORTH10",
            Money(126067, GBP),
            Money(22692, GBP),
            word("in_review"),
        ),
        CommissionRow(
            date(2026, 11, 18),
            "Corvo Coffee",
            "Subscription payment, via go.halden.example/nw",
            Money(83534, GBP),
            Money(15036, GBP),
            held,
        ),
        CommissionRow(
            date(2026, 11, 18),
            "Zielona Apteka",
            "New subscription, via code NORTH10",
            Money(107850, GBP),
            Money(19413, GBP),
            word("paused", reason="Two accounts, one address"),
        ),
        CommissionRow(
            date(2026, 11, 17),
            "Atelier Moreau",
            "Refund, via go.halden.example/nw-compare",
            Money(-67423, GBP),
            Money(-12136, GBP),
            word("reversed"),
        ),
        CommissionRow(
            date(2026, 10, 2),
            "Osprey Freight",
            "New subscription, via code NORTH10",
            Money(142511, GBP),
            Money(25652, GBP),
            word("paid", paid_on=date(2026, 10, 14)),
        ),
    )
