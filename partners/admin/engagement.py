"""Activities in the back office: what waits to be confirmed, each with its evidence, one by one or several at once; and what staff enters
itself. Beside each membership stands what counts for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.admin.applications import history_of
from partners.admin.day_column import day_column
from partners.admin.engagement_bulk import TogetherPages
from partners.admin.engagement_forms import EnterActivityForm, ReasonForm
from partners.admin.membership_choice import choose_page
from partners.choices import ActivityState
from partners.engagement import activities, figures
from partners.models import Activity, Membership
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    Panel,
    add_panels,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
    state_column,
)
from prm.accounts.models import User
from prm.lib import l10n

RECENT = 5


@admin.register(Activity)
class ActivityAdmin(TogetherPages, BackOfficeAdmin):
    """Activities, the newest first."""

    section = gettext_lazy("Activities")
    sees = "see_partners"
    change_list_template = "admin/partners/engagement/change_list.html"
    list_display = (
        "title",
        state_column("activity", gettext_lazy("state")),
        "partner",
        "program",
        "kind",
        day_column("held_on", gettext_lazy("day")),
    )
    list_filter = ("state", "kind", "membership__program")
    list_select_related = ("membership__partner", "membership__program")
    search_fields = ("title", "membership__partner__name", "membership__public_id", "public_id")
    search_help_text = gettext_lazy("Title, partner or id")
    ordering = ("-told_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activity]:
        """Read partner, program and people with the rows."""
        rows = super().get_queryset(request)
        return rows.select_related("membership__partner", "membership__program", "told_by", "decided_by")

    def get_urls(self) -> list[URLPattern]:
        """Add what decides, the evidence, and what staff enters."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("<int:pk>/confirm/", wrap(require_POST(self.confirm)), name="partners_activity_confirm"),
            path("<int:pk>/decline/", wrap(require_POST(self.decline)), name="partners_activity_decline"),
            path("<int:pk>/file/", wrap(require_safe(self.file)), name="partners_activity_file"),
            path("enter/", wrap(require_safe(self.choose)), name="partners_activity_choose"),
            path("enter/<int:pk>/", wrap(both(self.enter)), name="partners_activity_enter"),
            *self.together_urls(),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to confirm the rows ticked to those who may."""
        return self.together_actions() if policy.may(request.user, activities.CAPABILITY) else {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to enter one to those who may."""
        extra = {"may_enter": policy.may(request.user, activities.CAPABILITY)}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, activity: Activity) -> str:
        """Return the partner."""
        return activity.membership.partner.name

    @admin.display(description=gettext_lazy("program"), ordering="membership__program__name")
    def program(self, activity: Activity) -> str:
        """Return the program."""
        return activity.membership.program.name

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one activity, and what can be done about it."""
        if object_id is None:
            return None
        require(request, self.sees)
        found = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        return self._show(request, found, ReasonForm())

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let it count, and go on with the next one that waits."""
        require(request, activities.CAPABILITY)
        found, by, at = get_object_or_404(Activity, pk=pk), person(request), timezone.now()
        if attempt(request, lambda: activities.confirm(found, by=by, at=at)) is None:
            return HttpResponseRedirect(row_url(found))
        messages.success(request, _("“%(title)s” counts. The team is told.") % {"title": found.title})
        return HttpResponseRedirect(self._next())

    def decline(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say that it does not count, and why."""
        require(request, activities.CAPABILITY)
        found, by, at = get_object_or_404(self.get_queryset(request), pk=pk), person(request), timezone.now()
        form = ReasonForm(request.POST)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            verb = activities.decline
            if attempt(request, lambda: verb(found, reason=reason, by=by, at=at), form=form) is not None:
                said = _("“%(title)s” does not count. The team reads why.")
                messages.success(request, said % {"title": found.title})
                return HttpResponseRedirect(self._next())
        return self._show(request, found, form)

    def file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out the evidence."""
        require(request, self.sees)
        return activities.attachment(get_object_or_404(Activity.objects.exclude(file=""), pk=pk))

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Find the membership that did something."""
        require(request, activities.CAPABILITY)
        return choose_page(
            self,
            request,
            title=_("Enter an activity"),
            question=_("Who did it?"),
            view="admin:partners_activity_enter",
        )

    def enter(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take what staff knows a partner did; it counts at once."""
        require(request, activities.CAPABILITY)
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        form = EnterActivityForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            told, by, at = form.told(), person(request), timezone.now()
            made = attempt(request, lambda: activities.enter(membership, told, by=by, at=at), form=form)
            if made is not None:
                messages.success(request, _("“%(title)s” counts.") % {"title": made.title})
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/engagement/enter.html",
            title=_("Enter an activity of %(partner)s") % {"partner": membership.partner.name},
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            back_url=row_url(membership),
            verb=_("Enter and confirm it"),
            consequences=[
                _("It counts for %(partner)s in %(program)s at once, with your name.")
                % {"partner": membership.partner.name, "program": membership.program.name},
                _("The team sees it in its portal. Nobody gets a mail."),
            ],
        )

    def _next(self) -> str:
        following = activities.waiting().first()
        return row_url(following) if following is not None else list_url(Activity)

    def _show(self, request: HttpRequest, found: Activity, form: ReasonForm) -> HttpResponse:
        may = policy.may(request.user, activities.CAPABILITY) and found.state == ActivityState.WAITING
        return self.page(
            request,
            "admin/partners/engagement/activity.html",
            title=found.title,
            status=422 if form.errors else 200,
            activity=found,
            form=form,
            errors=bool(form.errors),
            may_decide=may,
            facts=_facts(found),
            history=history_of(found)[::-1],
        )


def _facts(activity: Activity) -> list[Fact]:
    membership = activity.membership
    leads = (
        format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', activity.url) if activity.url else "–"
    )
    facts = [
        Fact(_("Partner"), link_to(membership.partner)),
        Fact(_("Program"), link_to(membership, membership.program.name)),
        Fact(_("What it was"), activity.get_kind_display()),
        Fact(_("Day"), l10n.date_text(activity.held_on, locale())),
        Fact(_("Address"), leads),
        Fact(_("Told by"), activity.told_by.get_full_name()),
    ]
    if activity.decided_by is not None:
        facts.append(Fact(_("Decided by"), activity.decided_by.get_full_name()))
    if activity.reason:
        facts.append(Fact(_("Reason"), activity.reason))
    return facts


def panels(membership: Membership, by: User, at: datetime) -> Iterator[Panel]:
    """Show on a membership's page what it did besides selling, and its figures entered by hand."""
    if not policy.may(by, "see_partners"):
        return
    counts = dict(membership.activities.order_by().values_list("state").annotate(Count("pk")))
    labels = dict(ActivityState.choices)
    yield Panel(
        title=_("Activities and figures"),
        template="admin/partners/engagement/panel.html",
        context={
            "facts": [Fact(labels[state], str(counts[state])) for state in labels if state in counts],
            "recent": list(membership.activities.order_by("-held_on", "-pk")[:RECENT]),
            "figures": [
                (figures.LABELS[row.metric], row) for row in figures.newest(membership.staff_figures.all())
            ],
            "all_url": f"{list_url(Activity)}?{urlencode({'q': membership.public_id})}",
            "enter_url": reverse("admin:partners_activity_enter", args=[membership.pk]),
            "figure_url": reverse("admin:partners_stafffigure_enter", args=[membership.pk]),
            "may_enter": policy.may(by, activities.CAPABILITY) and membership.ended_at is None,
        },
    )


add_panels("membership", panels)
