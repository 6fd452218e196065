"""What is done with a business plan in the back office: written, given to the partner, looked at, changed, completed or given up. Each page says
what its button does, and a refusal leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.admin.business_plans_forms import (
    CheckpointForm,
    NoteForm,
    OutcomeForm,
    ReasonForm,
    TargetForm,
)
from partners.admin.business_plans_outline import OutlineForm, PeriodForm
from partners.business_plans import checkpoints, finding, plans
from partners.business_plans.goals import target_at
from partners.business_plans.words import figure_text, label_of
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, Checkpoint, Goal, GoalChange, Membership
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, locale, person, require, row_url
from prm.lib import l10n

State = BusinessPlanState


class PlanSteps(BackOfficeAdmin):
    """The pages behind the buttons of a plan."""

    def offered(self, request: HttpRequest, plan: BusinessPlan, *, at: datetime) -> dict[str, Any]:
        """Return which buttons the page of a plan has for who is looking."""
        may = policy.may(request.user, finding.CAPABILITY) and plan.membership.ended_at is None
        is_over = finding.today_of(plan.membership, at) > plan.ends_on
        return {
            "may_write": may and plan.state == State.OUTLINE,
            "may_take_back": may and plan.state == State.PARTNER_REVIEW,
            "may_change": may and plan.state in finding.RUNNING and not is_over,
            "may_hold": may and plan.state == State.IN_PROGRESS,
            "may_complete": may and plan.state == State.IN_PROGRESS and is_over,
            "may_withdraw": may and plan.state in finding.OPEN,
        }

    def new(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin an outline for a membership."""
        require(request, finding.CAPABILITY)
        found = Membership.objects.visible_to(person(request)).select_related("partner", "program")
        membership = get_object_or_404(found, pk=pk)
        form = PeriodForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            made = attempt(request, lambda: plans.draft(membership, by=by, at=at, **given), form=form)
            if made is not None:
                messages.success(request, _("The outline begins with the targets of the partner's tier."))
                return HttpResponseRedirect(reverse("admin:partners_businessplan_edit", args=[made.pk]))
        return self.page(
            request,
            "admin/partners/business_plans/new.html",
            title=_("New business plan"),
            status=_status(form),
            errors=bool(form.errors),
            parent=str(membership.partner),
            parent_url=row_url(membership),
            form=form,
        )

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write an outline anew."""
        require(request, finding.CAPABILITY)
        plan = self._plan(request, pk)
        form = OutlineForm(request.POST if request.method == "POST" else None, plan=plan)
        if request.method == "POST" and form.is_valid() and form.outline is not None:
            outline, by, at = form.outline, person(request), timezone.now()
            done = attempt(request, lambda: plans.edit(plan, outline, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _("The outline is saved. The partner does not see it yet."))
                stay = "more" in request.POST
                return HttpResponseRedirect(request.path if stay else row_url(plan))
        return self.page(
            request,
            "admin/partners/business_plans/edit.html",
            title=_("Write the outline"),
            status=_status(form),
            errors=bool(form.errors),
            parent=plan.title,
            parent_url=row_url(plan),
            plan=plan,
            form=form,
            is_outline=plan.state == State.OUTLINE,
            currency=plan.membership.program.currency,
        )

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give an outline to the partner."""
        partner = self._plan(request, pk).membership.partner.name
        return self._step(
            request,
            pk,
            NoteForm(request.POST or None),
            lambda plan, given, by, at: plans.propose(plan, note=given["note"], by=by, at=at),
            title=_("Give the plan to the partner"),
            verb=_("Give it to the partner"),
            said=_("The owners of the team are asked. Nothing counts until one of them agrees."),
            consequences=[
                _("The owners of the team of %(partner)s get an e-mail with the targets.")
                % {"partner": partner},
                _("They agree, or send it back with what should be different."),
                _("Until then nobody can change it here; you can take it back."),
            ],
        )

    def take_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make an outline again of a plan nobody has answered."""
        plan, by, at = self._plan(request, pk), person(request), timezone.now()
        if attempt(request, lambda: plans.take_back(plan, by=by, at=at)) is not None:
            messages.success(request, _("The plan is an outline again."))
        return HttpResponseRedirect(row_url(plan))

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give a plan up."""
        return self._step(
            request,
            pk,
            ReasonForm(request.POST or None),
            lambda plan, given, by, at: plans.withdraw(plan, because=given["because"], by=by, at=at),
            title=_("Withdraw the plan"),
            verb=_("Withdraw the plan"),
            said=_("The plan is withdrawn."),
            consequences=[
                _("It no longer counts, for tiers neither, and cannot be taken up again."),
                _("Its goals, checkpoints and history stay readable."),
                _("The owners of the team get an e-mail with the reason when they know the plan."),
            ],
        )

    def complete(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close a plan with what came of it."""
        return self._step(
            request,
            pk,
            OutcomeForm(request.POST or None),
            lambda plan, given, by, at: plans.complete(plan, outcome=given["outcome"], by=by, at=at),
            title=_("Complete the plan"),
            verb=_("Complete the plan"),
            said=_("The plan is completed."),
            consequences=[
                _("Its figures stay as they are now, also when sales of the period are refunded later."),
                _("The owners of the team get an e-mail with the figures and what came of it."),
            ],
        )

    def checkpoint(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep what was found at a checkpoint."""
        found = get_object_or_404(Checkpoint, pk=pk, plan__in=finding.visible_to(person(request)))
        day = l10n.date_text(found.due_on, locale())
        return self._step(
            request,
            found.plan_id,
            CheckpointForm(request.POST or None),
            lambda plan, given, by, at: checkpoints.hold(found, note=given["note"], by=by, at=at),
            title=_("Checkpoint of %(day)s") % {"day": day},
            verb=_("Keep what was found"),
            said=_("The checkpoint is held. Targets can be changed from the page of the plan."),
            consequences=[
                _("The figures of this moment are kept with your note."),
                _("Both sides see them. Neither can be changed afterwards."),
            ],
        )

    def target(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Propose another target for a goal."""
        rows = Goal.objects.select_related("plan__membership__program")
        goal = get_object_or_404(rows, pk=pk, plan__in=finding.visible_to(person(request)))
        currency = goal.plan.membership.program.currency
        now = figure_text(goal.metric, target_at(goal, at=timezone.now()), currency, locale())
        names = {"goal": label_of(goal.metric), "day": l10n.date_text(goal.due_on, locale()), "target": now}
        return self._step(
            request,
            goal.plan_id,
            TargetForm(request.POST or None, goal=goal),
            lambda plan, given, by, at: checkpoints.retarget(goal, by=by, at=at, **given),
            title=_("Another target: %(goal)s") % names,
            verb=_("Propose the target"),
            said=_("The owners of the team are asked. Until one agrees, the old target counts."),
            consequences=[
                _("%(goal)s by %(day)s: %(target)s is agreed now.") % names,
                _("The owners of the team get an e-mail; the new target counts from the moment one agrees."),
                _("What was expected before stays in the history."),
            ],
        )

    def change_take_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a changed target back before it is answered."""
        rows = GoalChange.objects.select_related("goal__plan__membership")
        change = get_object_or_404(rows, pk=pk, goal__plan__in=finding.visible_to(person(request)))
        by, at = person(request), timezone.now()
        if attempt(request, lambda: checkpoints.take_back_change(change, by=by, at=at)) is not None:
            messages.success(request, _("The proposed target is taken back."))
        return HttpResponseRedirect(row_url(change.goal.plan))

    def _step(
        self,
        request: HttpRequest,
        pk: int,
        form: forms.Form,
        move: Callable[[BusinessPlan, dict[str, Any], Any, datetime], object],
        *,
        said: str,
        **page: Any,
    ) -> HttpResponse:
        """Ask once more, then do it; what is refused is said on the page."""
        require(request, finding.CAPABILITY)
        plan = self._plan(request, pk)
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()
            done = attempt(request, lambda: move(plan, form.cleaned_data, by, at), form=form)
            if done is not None:
                messages.success(request, said)
                return HttpResponseRedirect(row_url(plan))
        return self.page(
            request,
            "admin/confirm.html",
            status=_status(form),
            errors=bool(form.errors),
            parent=plan.title,
            parent_url=row_url(plan),
            form=form,
            **page,
        )

    def _plan(self, request: HttpRequest, pk: int) -> BusinessPlan:
        return get_object_or_404(finding.visible_to(person(request)), pk=pk)


def _status(form: forms.Form) -> int:
    return 422 if form.is_bound and form.errors else 200
