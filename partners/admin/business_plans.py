"""Business plans in the back office: the list with what needs somebody, and the page of one plan with its goals as meters. What is done with a
plan has pages of its own beside these."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.admin.business_plans_steps import PlanSteps
from partners.admin.history import history_of
from partners.business_plans import finding, progress, telling
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, Membership, PlanRemark
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    Fact,
    Panel,
    add_panels,
    link_to,
    locale,
    person,
    require,
    row_url,
    state_column,
)
from prm.accounts.models import User
from prm.lib import l10n

MOST_MEASURED = 2000  # plans whose figures are read for one answer
_SENT_BACK = PlanRemark.objects.filter(plan=OuterRef("pk"), said_by__is_staff=False)


class NeedsFilter(admin.SimpleListFilter):
    """What needs somebody."""

    title = gettext_lazy("what to do")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the ways to look."""
        return [
            ("behind", _("Behind")),
            ("checkpoint", _("Checkpoint due")),
            ("sent_back", _("Sent back by the partner")),
            ("mine", _("Partners I look after")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BusinessPlan]) -> QuerySet[BusinessPlan]:
        """Keep what was asked for."""
        value, at = self.value(), timezone.now()
        if value == "behind":
            return queryset.filter(pk__in=behind(at=at))
        if value == "checkpoint":
            due = finding.checkpoints_due(today=timezone.localtime(at).date())
            return queryset.filter(pk__in=due.order_by().values("plan"))
        if value == "sent_back":
            outlines = queryset.filter(state=BusinessPlanState.OUTLINE, proposed_at__isnull=False)
            return outlines.filter(Exists(_SENT_BACK))
        if value == "mine":
            return queryset.filter(membership__partner__account_manager=person(request))
        return queryset


@admin.register(BusinessPlan)
class BusinessPlanAdmin(PlanSteps):
    """Business plans, the latest period first."""

    section = gettext_lazy("Business plans")
    sees = "see_partners"
    change_list_template = "admin/partners/business_plans/change_list.html"
    list_display = (
        "title",
        "whose",
        "period",
        state_column("business_plan", gettext_lazy("state")),
        "next_checkpoint",
    )
    list_filter = (NeedsFilter, "state", "membership__program")
    search_fields = ("title", "membership__partner__name", "public_id")
    search_help_text = gettext_lazy("Partner, title or id")
    ordering = ("-starts_on", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BusinessPlan]:
        """Read partner, program and checkpoints with the rows."""
        return finding.visible_to(person(request)).prefetch_related("checkpoints")

    def get_urls(self) -> list[URLPattern]:
        """Add what is done with plans, and the file."""
        both = require_http_methods(["GET", "HEAD", "POST"])
        pages: list[tuple[str, str, Any]] = [
            ("file.csv", "file", require_safe(self.file)),
            ("of/<int:pk>/new/", "new", both(self.new)),
            ("<int:pk>/edit/", "edit", both(self.edit)),
            ("<int:pk>/propose/", "propose", both(self.propose)),
            ("<int:pk>/take-back/", "take_back", require_POST(self.take_back)),
            ("<int:pk>/withdraw/", "withdraw", both(self.withdraw)),
            ("<int:pk>/complete/", "complete", both(self.complete)),
            ("checkpoints/<int:pk>/", "checkpoint", both(self.checkpoint)),
            ("goals/<int:pk>/", "target", both(self.target)),
            ("changes/<int:pk>/take-back/", "change_take_back", require_POST(self.change_take_back)),
        ]
        own = [
            path(address, self.admin_site.admin_view(view), name=f"partners_businessplan_{name}")
            for address, name, view in pages
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the file of exactly the rows that are shown."""
        query = request.GET.urlencode()
        file_url = reverse("admin:partners_businessplan_file")
        extra = {
            "file_url": f"{file_url}?{query}" if query else file_url,
            "choose_url": reverse("admin:partners_membership_changelist"),
            "may_write": policy.may(request.user, finding.CAPABILITY),
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def whose(self, plan: BusinessPlan) -> str:
        """Return the partner and the program."""
        return _whose(plan)

    @admin.display(description=gettext_lazy("period"), ordering="starts_on")
    def period(self, plan: BusinessPlan) -> str:
        """Return the first and the last day."""
        return _period(plan)

    @admin.display(description=gettext_lazy("next checkpoint"))
    def next_checkpoint(self, plan: BusinessPlan) -> str:
        """Return the earliest day nobody has looked at yet."""
        days = [each.due_on for each in plan.checkpoints.all() if each.held_at is None]
        is_running = plan.state in finding.RUNNING
        return l10n.date_text(min(days), locale()) if days and is_running else "–"

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one plan: goals, checkpoints, how targets changed, and what both sides wrote."""
        if object_id is None:
            return None
        require(request, self.sees)
        plan = get_object_or_404(self.get_queryset(request), pk=object_id)
        at = timezone.now()
        found = progress.of_plan(plan, at=at)
        return self.page(
            request,
            "admin/partners/business_plans/plan.html",
            title=plan.title,
            plan=plan,
            facts=_facts(plan),
            goals=telling.goal_rows(found),
            is_frozen=found.is_frozen,
            today=finding.today_of(plan.membership, at),
            checkpoints=telling.checkpoint_rows(plan, today=finding.today_of(plan.membership, at)),
            changes=telling.change_rows(plan),
            remarks=telling.remark_rows(plan),
            history=history_of(plan)[::-1],
            zone=plan.membership.program.time_zone,
            file_url=f"{reverse('admin:partners_businessplan_file')}?q={plan.public_id}",
            **self.offered(request, plan, at=at),
        )

    def file(self, request: HttpRequest) -> HttpResponse:
        """Send the goals of the plans that are shown, with the figures of now, as CSV."""
        require(request, self.sees)
        shown = self.listed(request)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="business-plans.csv"'
        writer = csv.writer(response)
        writer.writerow(telling.CSV_HEADER)
        at = timezone.now()
        for found in _in_chunks(finding.readable(shown), at=at):
            writer.writerows(telling.csv_rows(found))
        audit.record(person(request), "business_plan.file_taken", None, at=at)
        return response


def behind(*, at: datetime) -> list[int]:
    """Return the running plans with a goal that is behind, by primary key: one grouped read per program, goal and days."""
    running = finding.readable().filter(state=BusinessPlanState.IN_PROGRESS).order_by("pk")
    return [each.plan.pk for found in _in_chunks(running, at=at) for each in found if each.is_behind]


def _in_chunks(plans: QuerySet[BusinessPlan], *, at: datetime) -> Iterator[list[progress.PlanProgress]]:
    chunk: list[BusinessPlan] = []
    for plan in plans.iterator(chunk_size=MOST_MEASURED):
        chunk.append(plan)
        if len(chunk) == MOST_MEASURED:
            yield progress.of_plans(chunk, at=at)
            chunk = []
    if chunk:
        yield progress.of_plans(chunk, at=at)


def _whose(plan: BusinessPlan) -> str:
    return _("%(partner)s in %(program)s") % {
        "partner": plan.membership.partner.name,
        "program": plan.membership.program.name,
    }


def _period(plan: BusinessPlan) -> str:
    return _("%(first)s to %(last)s") % {
        "first": l10n.date_text(plan.starts_on, locale()),
        "last": l10n.date_text(plan.ends_on, locale()),
    }


def _facts(plan: BusinessPlan) -> list[Fact]:
    zone = plan.membership.program.zone

    def moment(instant: datetime | None) -> str:
        return l10n.datetime_text(instant, zone, locale()) if instant else ""

    facts = [
        Fact(_("Membership"), link_to(plan.membership, _whose(plan))),
        Fact(_("Period"), _period(plan)),
        Fact(_("Written"), moment(plan.created_at), str(plan.created_by)),
        Fact(_("Given to the partner"), moment(plan.proposed_at), str(plan.proposed_by or "")),
        Fact(_("Agreed"), moment(plan.agreed_at), str(plan.agreed_by or "")),
        Fact(_("Completed"), moment(plan.completed_at), str(plan.completed_by or "")),
    ]
    return [fact for fact in facts if fact.value]


def plans_of(membership: Membership, by: User, at: datetime) -> Iterator[Panel]:
    """Show on a membership's page its plans, and the way to a new one."""
    if not policy.may(by, "see_partners"):
        return
    plans = list(finding.readable().filter(membership=membership).order_by("-starts_on", "-pk")[:5])
    may_write = policy.may(by, finding.CAPABILITY) and membership.ended_at is None
    yield Panel(
        title=_("Business plans"),
        template="admin/partners/business_plans/panel.html",
        context={
            "plans": [(plan, row_url(plan), _period(plan)) for plan in plans],
            "new_url": reverse("admin:partners_businessplan_new", args=[membership.pk]) if may_write else "",
        },
    )


add_panels("membership", plans_of)
