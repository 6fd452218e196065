"""Versions of plans. The rules of a draft are edited in place; publishing is a page of its own that says what will happen."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    locale,
    money_text,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day
from tiers import publishing, trial
from tiers.admin.forms import OrderForm, PublishForm, RuleForm
from tiers.admin.plans import order, outcome
from tiers.choices import EventKind, RateKind, VersionState
from tiers.models import PlanVersion, Rule, Tier

if TYPE_CHECKING:
    RuleTable = admin.StackedInline[Rule, PlanVersion]
else:
    RuleTable = admin.StackedInline


class RuleInline(RuleTable):
    """The rules of a draft."""

    model = Rule
    form = RuleForm
    extra = 0
    ordering = ("position", "pk")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Tell each row the program's currency and tiers."""
        formset = super().get_formset(request, obj, **kwargs)
        program = obj.plan.program
        tiers = [(tier.key, tier.name) for tier in Tier.objects.filter(program=program).by_rank()]

        class WithProgram(formset):  # type: ignore[misc, valid-type]  # made by the admin at run time
            def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
                return {**super().get_form_kwargs(index), "currency": program.currency, "tiers": tiers}

        return WithProgram

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let all staff look."""
        return policy.may(request.user, "try_plans")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Add rules to drafts only."""
        return _may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change rules of drafts only."""
        return _may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Remove rules from drafts only."""
        return _may_edit(request, obj)


@admin.register(PlanVersion)
class PlanVersionAdmin(BackOfficeAdmin):
    """Versions of plans."""

    sees, changes = "try_plans", "publish_plans"
    change_form_template = "admin/tiers/planversion/change_form.html"
    list_display = (
        "__str__",
        "number",
        "state",
        when_column("effective_at", gettext_lazy("in force from")),
        when_column("published_at", gettext_lazy("published")),
        "published_by",
    )
    list_filter = ("state", "plan")
    list_select_related = ("plan", "published_by")
    search_fields = ("plan__name", "public_id")
    ordering = ("plan__name", "-number")
    fields = ("combine",)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that publishes."""
        publish = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.publish))
        return [path("<int:pk>/publish/", publish, name="tiers_planversion_publish"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the plan and program with each version: its name and currency are printed everywhere."""
        return super().get_queryset(request).select_related("plan__program", "published_by")

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        """Change drafts only."""
        return super().has_change_permission(request, obj) and (
            obj is None or obj.state == VersionState.DRAFT
        )

    def get_inlines(self, request: HttpRequest, obj: PlanVersion | None) -> list[Any]:
        """Let the rules of a draft be edited; the page itself prints those of a published version."""
        return [RuleInline] if obj is not None and _may_edit(request, obj) else []

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the rules in words, the way to publish, and the order that was tried."""
        version = kwargs.get("obj")
        if version is not None:
            context.update(self._about(request, version))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the rules, and note that the draft changed."""
        super().save_related(request, form, formsets, change)
        audit.record(person(request), "plan_version.edited", form.instance, at=timezone.now())

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft from a date on, after saying what that does."""
        require(request, "publish_plans")
        version = get_object_or_404(PlanVersion.objects.select_related("plan__program"), pk=pk)
        program, now = version.plan.program, timezone.now()
        form = PublishForm(request.POST or None, program=program)
        if request.method == "POST" and form.is_valid():
            by, effective_at = person(request), form.effective_at(now=now)
            done = attempt(
                request,
                lambda: publishing.publish(version, effective_at=effective_at, by=by, at=now),
                form=form,
            )
            if done is not None:
                day = l10n.date_text(local_day(effective_at, program.zone), locale())
                text = _("Version %(number)s is in force from %(date)s on.")
                messages.success(request, text % {"number": version.number, "date": day})
                return HttpResponseRedirect(row_url(version))
        return self.page(
            request,
            "admin/tiers/planversion/publish.html",
            title=_("Publish version %(number)s") % {"number": version.number},
            version=version,
            form=form,
            rules=rules_in_words(version),
            consequences=_consequences(version),
            errors=bool(form.errors),
        )

    def _about(self, request: HttpRequest, version: PlanVersion) -> dict[str, Any]:
        is_draft = version.state == VersionState.DRAFT
        form = OrderForm(request.GET if "amount" in request.GET else None, program=version.plan.program)
        return {
            "version": version,
            "is_draft": is_draft,
            "rules": rules_in_words(version),
            "may_publish": is_draft and policy.may(request.user, "publish_plans"),
            "order_form": form,
            **_tried(version, form),
        }


def _tried(version: PlanVersion, form: OrderForm) -> dict[str, Any]:
    if not (form.is_bound and form.is_valid()):
        return {}
    at = form.occurred_at()
    return {"outcome": outcome(form, trial.try_order(trial.facts_for(version, at=at), at=at, **order(form)))}


def _may_edit(request: HttpRequest, version: PlanVersion | None) -> bool:
    is_draft = version is not None and version.state == VersionState.DRAFT
    return is_draft and policy.may(request.user, "publish_plans")


def rules_in_words(version: PlanVersion) -> list[dict[str, str]]:
    """Return each rule as a row of words, in the order they are tried."""
    currency = version.plan.program.currency
    kinds, names = dict(EventKind.choices), {tier.key: tier.name for tier in version.plan.program.tiers.all()}
    return [
        {
            "position": str(rule.position),
            "name": rule.name,
            "rate": rate_words(rule, currency),
            "events": ", ".join(str(kinds.get(kind, kind)) for kind in rule.event_kinds) or _("every event"),
            "tiers": ", ".join(names.get(key, key) for key in rule.tier_keys) or _("every tier"),
            "countries": ", ".join(rule.countries) or _("every country"),
        }
        for rule in version.rules.order_by("position", "pk")
    ]


def rate_words(rule: Rule, currency: str) -> str:
    """Return what a rule pays: 5% + £2.00."""
    parts = []
    if rule.kind != RateKind.FLAT:
        parts.append(l10n.percent_text(rule.rate / Decimal(100), locale()))
    if rule.kind != RateKind.PERCENT:
        parts.append(money_text(Money(rule.flat_minor, currency)))
    return " + ".join(parts)


def _consequences(version: PlanVersion) -> list[str]:
    before = publishing.in_force(version.plan, at=timezone.now())
    rules = version.rules.count()
    said = [
        _("It has %(count)s rules. From its date on they rate every new event of %(program)s.")
        % {"count": rules, "program": version.plan.program.name},
        _(
            "What happened before that date keeps the version that was in force then. No booked commission changes."
        ),
        _("A published version can never be edited. A new idea is a new version."),
    ]
    if before is not None:
        said.insert(1, _("Version %(number)s is superseded on that date.") % {"number": before.number})
    return said
