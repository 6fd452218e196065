"""Business plans of the demo house: one runs, with a checkpoint held and a changed target that waits for the partner; the next is with the
partner to read; an outline nobody outside has seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo.living import membership_of
from demo.people import ACCOUNT_MANAGER, PARTNER, PARTNER_CODE
from partners.business_plans import checkpoints, plans, sweep
from partners.business_plans.finding import fingerprint
from partners.business_plans.goals import GoalLine, Outline
from partners.models import BusinessPlan, Checkpoint, Membership
from prm.lib.periods import Month, start_of_day

ONE_DAY = timedelta(days=1)
OUTLINED = "UK-33"


def fill(*, now: datetime) -> None:
    """Let the demo partner agree on a plan, live with it and read the next one."""
    member = membership_of(PARTNER_CODE)
    month = Month.of(now, member.program.zone)
    first = _months_on(month, -4)
    plan = _running(member, first, _months_on(first, 8), now=now)
    _next(member, _months_on(first, 8), _months_on(first, 20), now=now)
    checkpoints.retarget(
        plan.goals.get(metric="new_customers"),
        after=14,
        because="Two shops were bought by one chain and order as one customer now.",
        checkpoint=Checkpoint.objects.filter(plan=plan).order_by("due_on").first(),
        by=ACCOUNT_MANAGER.user(),
        at=now - timedelta(days=2),
    )
    other = membership_of(OUTLINED)
    plans.draft(
        other,
        title="A year with offices",
        starts_on=month.next().first_on,
        ends_on=_months_on(month.next(), 12).first_on - ONE_DAY,
        by=ACCOUNT_MANAGER.user(),
        at=now - timedelta(days=1),
    )


def _running(member: Membership, first: Month, until: Month, *, now: datetime) -> BusinessPlan:
    manager, owner = ACCOUNT_MANAGER.user(), PARTNER.user()
    begins = start_of_day(first.first_on, member.program.zone)
    ends_on = until.first_on - ONE_DAY
    checked_on = _months_on(first, 3).first_on
    plan = plans.draft(
        member,
        title="Two seasons of gifts",
        starts_on=first.first_on,
        ends_on=ends_on,
        by=manager,
        at=begins - timedelta(days=30),
    )
    outline = Outline(
        title=plan.title,
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        partner_does="A series for offices in autumn, and a page for each season eight weeks before it begins.",
        we_do="Pictures and goods twelve weeks ahead, and a place in our own letter twice.",
        goals=(
            GoalLine("net_revenue", 80_000_00, ends_on),
            GoalLine("new_customers", 20, ends_on),
            GoalLine("activities", 4, ends_on),
        ),
        checkpoints=(checked_on, _months_on(first, 6).first_on),
    )
    plan = plans.edit(plan, outline, by=manager, at=begins - timedelta(days=29))
    plan = plans.propose(plan, by=manager, at=begins - timedelta(days=28))
    plans.ask_for_changes(
        plan,
        text="Spring is quiet with us: please count the year's second half only.",
        by=owner,
        at=begins - timedelta(days=26),
    )
    plan.refresh_from_db()
    plan = plans.propose(
        plan,
        by=manager,
        at=begins - timedelta(days=24),
        note="The period is as you asked for it; the targets are for that time alone.",
    )
    plan = plans.agree(plan, shown=fingerprint(plan), by=owner, at=begins - timedelta(days=20))
    plan = BusinessPlan.objects.get(pk=plan.pk)
    sweep.begin_due(at=begins)
    held_at = min(start_of_day(checked_on, member.program.zone) + timedelta(days=1, hours=10), now)
    checkpoints.hold(
        Checkpoint.objects.get(plan=plan, due_on=checked_on),
        note="The series for offices runs well. Fewer shops than hoped try something new; we look at it again in winter.",
        by=manager,
        at=held_at,
    )
    return BusinessPlan.objects.get(pk=plan.pk)


def _next(member: Membership, first: Month, until: Month, *, now: datetime) -> None:
    manager = ACCOUNT_MANAGER.user()
    plan = plans.draft(
        member,
        title="The year after",
        starts_on=first.first_on,
        ends_on=until.first_on - ONE_DAY,
        by=manager,
        at=now - timedelta(days=9),
    )
    plans.propose(plan, by=manager, at=now - timedelta(days=6))


def _months_on(month: Month, many: int) -> Month:
    number = month.year * 12 + month.month - 1 + many
    return Month(number // 12, number % 12 + 1)
