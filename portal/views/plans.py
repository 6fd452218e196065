"""Business plans in the portal: what was agreed, how far it is, and the answers an owner of the team gives. The figures are those the program's
people see."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partners.business_plans import checkpoints, finding, plans, progress, telling
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, GoalChange
from portal import roles
from portal.forms_plans import SendBackForm
from portal.rooms import Room, enter, own_or_404, refuse, show
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused

State = BusinessPlanState
# What both sides have seen together: an outline that is written anew is the program's own until it is given again.
_READ = (State.PARTNER_REVIEW, State.AGREED, State.IN_PROGRESS, State.COMPLETED, State.WITHDRAWN)
_MEASURED = (State.AGREED, State.IN_PROGRESS, State.COMPLETED)


@dataclass(frozen=True)
class PlanRow:
    """One plan in the list, with its goals as meters once they count."""

    plan: BusinessPlan
    goals: tuple[telling.GoalRow, ...]
    next_checkpoint: date | None


@require_safe
@enter()
def plans_page(request: HttpRequest, room: Room) -> HttpResponse:
    """List the plans of the membership, the latest period first."""
    found = list(
        finding.shown_to_partner().filter(membership=room.membership).prefetch_related("checkpoints")
    )
    return show(
        request,
        room,
        "portal/plans/plans.html",
        nav="plans",
        rows=[_row(each) for each in progress.of_plans(found, at=room.at)],
        may_answer=room.may(roles.AGREE_PLANS),
    )


@require_safe
@enter()
def plan(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one plan: what is to be reached, how far it is, and what waits for an answer."""
    found, there = _find(request, room, public_id)
    return _page(request, there, found, SendBackForm(plan=found))


@require_POST
@enter()
def agree(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Agree to the plan that was shown."""
    found, there = _find(request, room, public_id)
    shown = request.POST.get("shown", "")
    return _answer(
        request,
        there,
        found,
        lambda: plans.agree(found, shown=shown, by=there.user, at=there.at),
        _("The plan is agreed. Your name and the moment are on record."),
    )


@require_POST
@enter()
def send_back(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Send the plan back with what should be different."""
    found, there = _find(request, room, public_id)
    if not there.may(roles.AGREE_PLANS):
        return refuse(request, there, roles.AGREE_PLANS)
    form = SendBackForm(request.POST, plan=found)
    if form.is_valid():
        text, targets = form.cleaned_data["text"], form.targets()
        try:
            plans.ask_for_changes(found, text=text, targets=targets, by=there.user, at=there.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("The plan is sent back. You get it again when it is changed."))
            return redirect("portal:plan", public_id=public_id)
    return _page(request, there, found, form, status=422)


@require_POST
@enter()
def agree_change(request: HttpRequest, room: Room, public_id: str, pk: int) -> HttpResponseBase:
    """Agree to another target."""
    found, there = _find(request, room, public_id)
    change = _change(found, pk)
    return _answer(
        request,
        there,
        found,
        lambda: checkpoints.agree_change(change, by=there.user, at=there.at),
        _("The new target counts from now on."),
    )


@require_POST
@enter()
def decline_change(request: HttpRequest, room: Room, public_id: str, pk: int) -> HttpResponseBase:
    """Decline another target."""
    found, there = _find(request, room, public_id)
    change = _change(found, pk)
    return _answer(
        request,
        there,
        found,
        lambda: checkpoints.decline_change(change, by=there.user, at=there.at),
        _("The target stays as it is."),
    )


@require_safe
@enter()
def plan_csv(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Send the goals of one plan with the figures of now."""
    found, there = _find(request, room, public_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="plan-{found.public_id}.csv"'
    writer = csv.writer(response)
    writer.writerow(telling.CSV_HEADER)
    if found.state in _READ:
        writer.writerows(telling.csv_rows([progress.of_plan(found, at=there.at)]))
    return response


def _answer(
    request: HttpRequest, room: Room, found: BusinessPlan, move: Callable[[], object], said: str
) -> HttpResponseBase:
    if not room.may(roles.AGREE_PLANS):
        return refuse(request, room, roles.AGREE_PLANS)
    try:
        move()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("portal:plan", public_id=found.public_id)


def _find(request: HttpRequest, room: Room, public_id: str) -> tuple[BusinessPlan, Room]:
    found: tuple[BusinessPlan, Room] = own_or_404(request, room, finding.shown_to_partner(), public_id)
    return found


def _change(found: BusinessPlan, pk: int) -> GoalChange:
    rows = GoalChange.objects.select_related("goal__plan__membership").filter(goal__plan=found)
    change: GoalChange = get_object_or_404(rows, pk=pk)
    return change


def _row(found: progress.PlanProgress) -> PlanRow:
    waiting = [each.due_on for each in found.plan.checkpoints.all() if each.held_at is None]
    is_measured = found.plan.state in _MEASURED
    is_running = found.plan.state in finding.RUNNING
    return PlanRow(
        found.plan,
        tuple(telling.goal_rows(found)) if is_measured else (),
        min(waiting) if waiting and is_running else None,
    )


def _page(
    request: HttpRequest, room: Room, found: BusinessPlan, form: SendBackForm, *, status: int = 200
) -> HttpResponse:
    is_read = found.state in _READ
    reached = progress.of_plan(found, at=room.at)
    today = finding.today_of(room.membership, room.at)
    may_answer = room.may(roles.AGREE_PLANS) and room.membership.ended_at is None
    return show(
        request,
        room,
        "portal/plans/plan.html",
        nav="plans",
        status=status,
        plan=found,
        is_read=is_read,
        waits=found.state == State.PARTNER_REVIEW,
        is_measured=found.state in _MEASURED,
        is_frozen=reached.is_frozen,
        goals=telling.goal_rows(reached) if is_read else [],
        checkpoints=telling.checkpoint_rows(found, today=today) if is_read else [],
        changes=telling.change_rows(found),
        remarks=telling.remark_rows(found),
        shown=finding.fingerprint(found),
        may_answer=may_answer,
        form=form,
    )
