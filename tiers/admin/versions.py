"""Versions of plans. A draft is written on this page and the pages below it; publishing is a page of its own that says what will happen
and what still stands against it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    list_url,
    locale,
    panels_of,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.periods import local_day
from tiers import cases, drafting, findings, publishing, rulebook, sentences
from tiers.admin import gates
from tiers.admin.cases import CasePages
from tiers.admin.forms import PublishForm, SettingsForm
from tiers.admin.order import Ranked, ranked
from tiers.admin.preview import names_of
from tiers.admin.rules import RulePages
from tiers.choices import Combine, Deduction, VersionState
from tiers.engine.facts import BESIDE, MONTH_MODELS
from tiers.lint import Finding
from tiers.models import Plan, PlanVersion


@admin.register(PlanVersion)
class PlanVersionAdmin(BackOfficeAdmin):
    """Versions of plans."""

    sees, changes = "try_plans", "publish_plans"
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

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of rules and examples, and the one that publishes."""
        publish = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.publish))
        own = [path("<int:pk>/publish/", publish, name="tiers_planversion_publish")]
        return [*own, *RulePages(self).urls(), *CasePages(self).urls(), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the plan and program with each version: its name and currency are printed everywhere."""
        return super().get_queryset(request).select_related("plan__program", "published_by")

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        """Change drafts only."""
        return super().has_change_permission(request, obj) and (
            obj is None or obj.state == VersionState.DRAFT
        )

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """Answer with a page that lies below the plans: a version is a part of one."""
        section = {"section_name": _("Plans and rules"), "section_url": list_url(Plan)}
        return super().page(request, template, **{**section, **context})

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show a version, and save the settings of a draft."""
        require(request, self.sees)
        version = _version(object_id)
        may_edit = self.has_change_permission(request, version)
        form = SettingsForm.of(version, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            require(request, self.changes)
            done = self._saved(request, version, form)
            if done is not None:
                return done
        return self.page(
            request,
            "admin/tiers/planversion/version.html",
            title=str(version),
            parent=version.plan.name,
            parent_url=row_url(version.plan),
            form=form,
            errors=form.is_bound and bool(form.errors),
            may_edit=may_edit,
            panels=panels_of("planversion", version, by=person(request), at=timezone.now()),
            **_about(version),
        )

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft from a date on, after saying what that does and what stands against it."""
        require(request, "publish_plans")
        version, now = _version(str(pk)), timezone.now()
        program = version.plan.program
        form = PublishForm(request.POST or None, program=program, notice_days=version.notice_days)
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
        results = cases.run_cases(version)
        return self.page(
            request,
            "admin/tiers/planversion/publish.html",
            title=_("Publish version %(number)s") % {"number": version.number},
            parent=str(version),
            parent_url=row_url(version),
            version=version,
            form=form,
            rules=rules_in_words(version),
            gates=gates.of(version, results, _findings(version, now), at=now),
            panels=panels_of("planversion", version, by=person(request), at=now),
            consequences=_consequences(version),
            errors=bool(form.errors),
        )

    def _saved(self, request: HttpRequest, version: PlanVersion, form: SettingsForm) -> HttpResponse | None:
        if not form.is_valid():
            return None
        by, at = person(request), timezone.now()
        done = attempt(
            request, lambda: drafting.write_settings(version, form.cleaned_data, by=by, at=at), form=form
        )
        if done is None:
            return None
        messages.success(
            request, _("The settings of version %(number)s are saved.") % {"number": done.number}
        )
        return HttpResponseRedirect(row_url(version))


def _version(pk: str | None) -> PlanVersion:
    found: QuerySet[PlanVersion] = PlanVersion.objects.select_related("plan__program", "published_by")
    return get_object_or_404(found, pk=pk if str(pk).isdecimal() else None)


def _about(version: PlanVersion) -> dict[str, Any]:
    is_draft = version.state == VersionState.DRAFT
    results = cases.run_cases(version)
    at = version.effective_at or timezone.now()
    found = _findings(version, at) if is_draft else []
    names = dict(version.rules.values_list("key", "name"))
    return {
        "version": version,
        "program": version.plan.program,
        "is_draft": is_draft,
        "is_in_force": publishing.in_force(version.plan, at=timezone.now()) == version,
        "rules": rules_in_words(version),
        "combine": Combine(version.combine).label,
        "settings": _settings(version),
        "results": list(zip(version.cases.order_by("name"), results, strict=True)),
        "failing": sum(not result.passes for result in results),
        "gates": gates.of(version, results, found, at=at) if is_draft else [],
        "findings": [(names.get(each.rule, ""), each) for each in found],
    }


def _findings(version: PlanVersion, at: datetime) -> list[Finding]:
    """Return what is worth a look in a draft; nothing for a version that cannot be read."""
    try:
        plan = rulebook.facts(version, effective_at=at)
    except ValueError:  # the first gate says so
        return []
    return findings.findings_of(version, plan, locale=locale())


def rules_in_words(version: PlanVersion) -> list[dict[str, Any]]:
    """Return the rules in the order they are tried, each with its sentence and why it stands there."""
    order, program = ranked(version), version.plan.program
    names = names_of(program)
    return [
        {
            "rule": each.rule,
            "sentence": _sentence(each, program.currency, names),
            "why": each.why,
            "fault": each.fault,
            "stands_beside": _stands_beside(each, version),
            "may_rise": order.beside(each.rule, step=-1) is not None,
            "may_sink": order.beside(each.rule, step=1) is not None,
        }
        for each in order.rules
    ]


def _sentence(each: Ranked, currency: str, names: dict[str, str]) -> str:
    if each.facts is None:
        return ""
    return sentences.rule_sentence(each.facts, currency=currency, locale=locale(), names=names)


def _stands_beside(each: Ranked, version: PlanVersion) -> bool:
    """Say whether the rule is paid besides whichever one wins."""
    return version.combine == Combine.FIRST_MATCH and each.rule.kind in BESIDE | MONTH_MODELS


def _settings(version: PlanVersion) -> list[Fact]:
    named = dict(Deduction.choices)
    off = [str(named.get(Deduction(name), name)) for name in version.deducts if name in Deduction.values]
    return [
        Fact(_("When several rules apply"), version.get_combine_display()),
        Fact(_("Taken off before commission"), ", ".join(off) or _("Nothing")),
        Fact(_("Products that earn nothing"), ", ".join(version.excluded_products) or _("None")),
        Fact(_("Categories that earn nothing"), ", ".join(version.excluded_categories) or _("None")),
        Fact(_("Who keeps the version before"), version.get_grandfather_display()),
        Fact(_("Notice, days"), version.notice_days),
        *([Fact(_("Negotiated with"), version.member_key)] if version.member_key else []),
    ]


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
