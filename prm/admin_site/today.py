"""Today: what waits for the person who opens the back office, what is running, what is late, and where the money stands. Each part
shows only what the role may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners import clause_questions, counters, prospect_watch, waiting
from partners.business_plans import finding as plans_finding
from partners.choices import ActivityState, CredentialState
from partners.engagement import activities
from partners.models import (
    Activity,
    Application,
    BusinessPlan,
    ClauseQuestion,
    CounterProposal,
    Credential,
    Prospect,
    TierReview,
)
from partners.tier_reviews import waiting as tiers_waiting
from payouts import lateness, months, overview
from payouts.choices import DisputeState, PayRunState
from payouts.disputes.clock import last_day
from payouts.models import Commission, Dispute, PayRun, Period, RiskCase, RiskSignal, Statement
from payouts.risk import queue as risk_queue
from prm.accounts import policy
from prm.accounts.back_office import list_url, locale, money_text
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day
from prm.runs import cards
from prm.runs.models import Run

RUNS_SHOWN = 5
JUST_ENDED = timedelta(minutes=10)


@dataclass(frozen=True)
class Queue:
    """Something that waits, with its number and what is known about its age."""

    count: int
    label: str
    note: str
    url: str


@dataclass(frozen=True)
class Notice:
    tone: str
    title: str
    text: str
    href: str
    action: str


@dataclass(frozen=True)
class Cell:
    amount: Money
    url: str


@dataclass(frozen=True)
class MoneyRow:
    """The money of one currency by stage."""

    currency: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Today:
    """Everything the front page shows."""

    heading: str
    queues: list[Queue] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    money_heads: list[str] = field(default_factory=list)
    money: list[MoneyRow] = field(default_factory=list)


def today(user: User, *, at: datetime) -> Today:
    """Gather the front page for `user`."""
    day = timezone.localtime(at).date()
    heads, rows = _money() if policy.may(user, "see_ledger") else ([], [])
    return Today(
        heading=l10n.date_text(day, locale(), "full"),
        queues=list(_queues(user, at=at)),
        notices=list(_notices(user, at=at)),
        runs=_runs(user, at=at),
        money_heads=heads,
        money=rows,
    )


def _queues(user: User, *, at: datetime) -> Iterator[Queue]:
    if policy.may(user, "decide_applications"):
        yield from _applications(user, at=at)
    if policy.may(user, "answer_disputes"):
        yield from _questions(at=at)
    if policy.may(user, "decide_risk"):
        yield from _risk(at=at)
    if policy.may(user, "answer_clause_questions"):
        yield from _clause_questions()
    if policy.may(user, "decide_reviews"):
        yield from _tier_reviews(at=at)
    if policy.may(user, "manage_prospects"):
        yield from _outreach(user, at=at)
    if policy.may(user, "confirm_engagement"):
        yield from _activities()
    if policy.may(user, "agree_plans"):
        yield from _checkpoints(at=at)
    if policy.may(user, "manage_courses"):
        yield from _proofs()
    if policy.may(user, "close_periods"):
        yield from _months(at=at)
    if policy.may(user, "approve_pay_runs"):
        yield from _to_approve(user)
    if policy.may(user, "export_pay_runs"):
        yield from _to_send()


def _applications(user: User, *, at: datetime) -> Iterator[Queue]:
    queue = Application.objects.visible_to(user).waiting_for_us()
    count = queue.order_by().count()
    oldest = queue.select_related("program").first()
    wait = waiting.wait_of(oldest, at=at) if oldest is not None else None
    if wait is None:
        return
    age = _age(wait.days)
    promise = _("Late since %(date)s.") if wait.is_late else _("Promised by %(date)s.")
    yield Queue(
        count,
        ngettext("application to decide", "applications to decide", count),
        f"{age} {promise % {'date': l10n.date_text(wait.promised, locale())}}",
        list_url(Application, waiting="yes"),
    )
    late = waiting.late(queue.order_by(), at=at).count()
    if late:
        label = ngettext("application is late", "applications are late", late)
        yield Queue(late, label, _("Decide on them first."), list_url(Application, age="late"))
    nobodys = queue.order_by().filter(manager=None).count()
    if nobodys:
        label = ngettext("application nobody looks after", "applications nobody looks after", nobodys)
        note = _("Take them over, or give them to somebody.")
        yield Queue(nobodys, label, note, list_url(Application, owner="nobody"))


def _questions(*, at: datetime) -> Iterator[Queue]:
    waiting = Dispute.objects.filter(state=DisputeState.OPENED)
    count = waiting.count()
    first = waiting.select_related("membership__program").order_by("answer_by_at").first()
    if first is None:
        return
    day = l10n.date_text(last_day(first.answer_by_at, first.membership.program), locale())
    promise = _("Overdue since %(date)s.") if at >= first.answer_by_at else _("First answer by %(date)s.")
    label = ngettext("question to answer", "questions to answer", count)
    yield Queue(count, label, promise % {"date": day}, list_url(Dispute, waits="us"))


def _risk(*, at: datetime) -> Iterator[Queue]:
    first = RiskCase.objects.open().order_by("review_on", "pk").first()
    if first is not None:
        count, late = risk_queue.cases_open(), risk_queue.overdue(at=at).count()
        day = {"date": l10n.date_text(first.review_on, locale())}
        note = _("Overdue since %(date)s.") % day if late else _("The first by %(date)s.") % day
        label = ngettext("case about risk to decide", "cases about risk to decide", count)
        yield Queue(count, label, note, list_url(RiskCase, waits="open"))
    seen = risk_queue.signals_waiting()["waiting"]
    if seen:
        label = ngettext("risk signal to look at", "risk signals to look at", seen)
        yield Queue(seen, label, _("No line waits for them."), list_url(RiskSignal, state="free"))


def _clause_questions() -> Iterator[Queue]:
    waiting = clause_questions.waiting()
    count = waiting.order_by().count()
    first = waiting.first()
    if first is None:
        return
    label = ngettext("question about terms to answer", "questions about terms to answer", count)
    since = l10n.date_text(timezone.localtime(first.asked_at).date(), locale())
    note = _("Waiting since %(date)s") % {"date": since}
    yield Queue(count, label, note, list_url(ClauseQuestion, waits="us"))


def _tier_reviews(*, at: datetime) -> Iterator[Queue]:
    """Yield the appeals by the day their answer is promised, and the cases by how long they wait."""
    appeals = tiers_waiting.appeals()
    first = appeals.select_related("review__membership__program").first()
    if first is not None:
        count, program = appeals.count(), first.review.membership.program
        is_late = first.answer_on < local_day(at, program.zone)
        promise = _("Late since %(date)s.") if is_late else _("Promised by %(date)s.")
        age = _age((at - first.opened_at).days)
        note = f"{age} {promise % {'date': l10n.date_text(first.answer_on, locale())}}"
        label = ngettext("appeal to answer", "appeals to answer", count)
        yield Queue(count, label, note, list_url(TierReview, waiting="appeals"))
    waits = tiers_waiting.to_decide(at=at)
    found = waits.aggregate(n=Count("pk"), since=Min("evaluated_at"))
    if found["n"]:
        label = ngettext("tier review to decide", "tier reviews to decide", found["n"])
        yield Queue(
            found["n"], label, _age((at - found["since"]).days), list_url(TierReview, waiting="others")
        )


def _age(days: int) -> str:
    return ngettext("Oldest %(days)s day.", "Oldest %(days)s days.", days) % {"days": days}


def _outreach(user: User, *, at: datetime) -> Iterator[Queue]:
    waiting = counters.waiting()
    count, oldest = waiting.order_by().count(), waiting.first()
    if oldest is not None:
        day = l10n.date_text(timezone.localtime(oldest.made_at).date(), locale())
        label = ngettext("counter-proposal to answer", "counter-proposals to answer", count)
        note = _("Oldest of %(date)s.") % {"date": day}
        yield Queue(count, label, note, list_url(CounterProposal, waiting="yes"))
    late = Prospect.objects.filter(prospect_watch.overdue(timezone.localtime(at).date()), owner=user)
    count = late.count()
    if count:
        label = ngettext("prospect to get back to", "prospects to get back to", count)
        yield Queue(count, label, _("You planned to by now."), list_url(Prospect, show="overdue"))


def _checkpoints(*, at: datetime) -> Iterator[Queue]:
    due = plans_finding.checkpoints_due(today=timezone.localtime(at).date())
    count, first = due.order_by().count(), due.first()
    if first is not None:
        label = ngettext("checkpoint of a plan is due", "checkpoints of plans are due", count)
        note = _("The first on %(date)s.") % {"date": l10n.date_text(first.due_on, locale())}
        yield Queue(count, label, note, list_url(BusinessPlan, show="checkpoint"))


def _months(*, at: datetime) -> Iterator[Queue]:
    ready = months.ready_to_close(at=at)
    if ready:
        first = min(each.month for each in ready)
        note = _("From %(month)s on") % {"month": l10n.month_text(first, locale())}
        label = ngettext("month to close", "months to close", len(ready))
        yield Queue(len(ready), label, note, list_url(Period))


def _to_approve(user: User) -> Iterator[Queue]:
    others = PayRun.objects.filter(state=PayRunState.CHECKED).exclude(prepared_by=user)
    yield from _pay_runs(others, ngettext, "approve")


def _to_send() -> Iterator[Queue]:
    yield from _pay_runs(PayRun.objects.filter(state=PayRunState.APPROVED), ngettext, "export")


def _pay_runs(found: Any, plural: Any, what: str) -> Iterator[Queue]:
    rows = list(
        found.values("currency").annotate(n=Count("pk"), minor=Sum("total_minor"), day=Min("execute_on"))
    )
    count = sum(row["n"] for row in rows)
    if not count:
        return
    amounts = ", ".join(money_text(Money(row["minor"], row["currency"])) for row in rows)
    day = l10n.date_text(min(row["day"] for row in rows), locale())
    label = (
        plural("pay run to approve", "pay runs to approve", count)
        if what == "approve"
        else plural("pay run to export", "pay runs to export", count)
    )
    note = _("%(amount)s, payment date %(date)s") % {"amount": amounts, "date": day}
    state = PayRunState.CHECKED if what == "approve" else PayRunState.APPROVED
    yield Queue(count, label, note, list_url(PayRun, state__exact=state.value))


def _activities() -> Iterator[Queue]:
    waiting = activities.waiting()
    count, oldest = waiting.order_by().count(), waiting.first()
    if oldest is not None:
        label = ngettext("activity to confirm", "activities to confirm", count)
        since = l10n.date_text(timezone.localtime(oldest.told_at).date(), locale())
        note = _("Waiting since %(date)s") % {"date": since}
        yield Queue(count, label, note, list_url(Activity, state__exact=ActivityState.WAITING.value))


def _proofs() -> Iterator[Queue]:
    waiting = Credential.objects.filter(state=CredentialState.WAITING)
    found = waiting.aggregate(count=Count("pk"), since=Min("given_at"))
    if found["count"]:
        label = ngettext("certificate to check", "certificates to check", found["count"])
        since = l10n.date_text(timezone.localtime(found["since"]).date(), locale())
        note = _("Waiting since %(date)s") % {"date": since}
        yield Queue(
            found["count"], label, note, list_url(Credential, state__exact=CredentialState.WAITING.value)
        )


def _notices(user: User, *, at: datetime) -> Iterator[Notice]:
    if not policy.may(user, "see_ledger"):
        return
    late = lateness.late_statements(at=at).aggregate(n=Count("pk"), since=Min("due_on"), last=Max("due_on"))
    if late["n"]:
        title = ngettext("%(count)s payment is late.", "%(count)s payments are late.", late["n"])
        text = _("Due since %(date)s.") % {"date": l10n.date_text(late["since"], locale())}
        url = list_url(Statement, late="yes")
        yield Notice(
            "bad", title % {"count": late["n"]}, text, url, ngettext("See it", "See them", late["n"])
        )


def _runs(user: User, *, at: datetime) -> list[dict[str, Any]]:
    """Return the cards of jobs under way, and of the person's own that ended a moment ago."""
    if not policy.may(user, "see_runs"):
        return []
    under_way = list(Run.objects.open().newest_first()[:RUNS_SHOWN])
    ended = Run.objects.filter(created_by=user, finished_at__gt=at - JUST_ENDED).newest_first()[:2]
    return [
        {
            **cards.context(run, at=at),
            "failures_url": reverse("admin:runs_run_change", args=[run.pk]) if run.failed else "",
            "result_url": "" if run.is_open else reverse("admin:runs_run_change", args=[run.pk]),
        }
        for run in [*under_way, *ended]
    ]


def _money() -> tuple[list[str], list[MoneyRow]]:
    """Return all money by currency and stage, each sum a link to its lines."""
    names = {
        "review": _("In review"),
        "hold": _("On hold"),
        "ready": _("Ready to pay"),
        "sent": _("On its way"),
        "paid": _("Paid"),
    }
    sums: dict[str, dict[str, int]] = {}
    stage_of = {state: stage for stage, states in overview.STAGES.items() for state in states}
    rows = Commission.objects.order_by().values("currency", "state").annotate(minor=Sum("amount_minor"))
    for row in rows:
        by_stage = sums.setdefault(row["currency"], {})
        stage = stage_of[row["state"]]
        by_stage[stage] = by_stage.get(stage, 0) + row["minor"]
    found = [
        MoneyRow(
            currency,
            tuple(
                Cell(
                    Money(by_stage.get(stage, 0), currency),
                    list_url(Commission, stage=stage, currency=currency),
                )
                for stage in names
            ),
        )
        for currency, by_stage in sorted(sums.items())
    ]
    return list(names.values()), found
