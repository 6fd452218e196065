"""The pages of a version's examples: what happened, what it must earn, and what it earns now. They run before a version is published, and
one that fails keeps it a draft."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url
from prm.lib.forms import MoneyField
from prm.lib.money import Money
from tiers import cases, drafting
from tiers.admin.rules import draft
from tiers.models import PlanCase, PlanVersion
from tiers.order_form import OrderForm, initial_of, kept_facts


class CaseForm(OrderForm):
    """An example: an order with a name and what it must earn."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    expected = MoneyField(
        label=gettext_lazy("Must earn"),
        is_signed=True,
        help_text=gettext_lazy(
            "Worked out by hand: an example proves nothing when it repeats what came out."
        ),
    )
    field_order = ("name", "expected")

    def head(self) -> list[forms.BoundField]:
        """Return what an order alone does not have."""
        return [self["name"], self["expected"]]


class CasePages:
    """The pages of examples, for the table of versions."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses, below a version's."""
        view, both = self.desk.admin_site.admin_view, require_http_methods(["GET", "POST"])
        return [
            path("<int:pk>/examples/add/", view(both(self.edit)), name="tiers_case_add"),
            path("<int:pk>/examples/<int:case_pk>/", view(both(self.edit)), name="tiers_case_change"),
            path(
                "<int:pk>/examples/<int:case_pk>/remove/", view(both(self.remove)), name="tiers_case_remove"
            ),
        ]

    def edit(self, request: HttpRequest, pk: int, case_pk: int | None = None) -> HttpResponse:
        """Write an example."""
        require(request, "publish_plans")
        version = draft(pk)
        case = get_object_or_404(version.cases, pk=case_pk) if case_pk else None
        form = CaseForm(request.POST or None, initial=_initial(case, version), program=version.plan.program)
        result = _stored(version, case) if case and not form.is_bound else None
        if request.method == "POST" and form.is_valid():
            result = _result(version, form, case)
            if result.problem:
                form.add_error(None, result.problem)
            elif request.POST.get("then") != "try":
                done = self._saved(request, version, form, case)
                if done is not None:
                    return done
        return self.desk.page(
            request,
            "admin/tiers/case/editor.html",
            title=_("Example “%(name)s”") % {"name": case.name} if case else _("New example"),
            parent=str(version),
            parent_url=row_url(version),
            version=version,
            program=version.plan.program,
            form=form,
            case=case,
            result=result,
            errors=bool(form.errors),
        )

    def remove(self, request: HttpRequest, pk: int, case_pk: int) -> HttpResponse:
        """Take an example out."""
        require(request, "publish_plans")
        version = draft(pk)
        case = get_object_or_404(version.cases, pk=case_pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: drafting.remove_case(case, by=by, at=at)) is not None:
                messages.success(request, _("The example “%(name)s” is gone.") % {"name": case.name})
            return HttpResponseRedirect(row_url(version) + "#examples")
        return self.desk.page(
            request,
            "admin/confirm.html",
            title=_("Remove the example “%(name)s”") % {"name": case.name},
            parent=str(version),
            parent_url=row_url(version),
            consequences=[_("It no longer has to come out right before this version is published.")],
            verb=_("Remove the example"),
        )

    def _saved(
        self, request: HttpRequest, version: PlanVersion, form: CaseForm, case: PlanCase | None
    ) -> HttpResponse | None:
        given = form.cleaned_data
        done = attempt(
            request,
            lambda: drafting.write_case(
                version,
                name=given["name"],
                facts=_facts(form, case),
                expected_minor=given["expected"].minor,
                case=case,
                by=person(request),
                at=timezone.now(),
            ),
            form=form,
        )
        if done is None:
            return None
        messages.success(request, _("The example “%(name)s” is saved.") % {"name": done.name})
        return HttpResponseRedirect(row_url(version) + "#examples")


def _facts(form: CaseForm, case: PlanCase | None) -> dict[str, Any]:
    return {**(kept_facts(case.facts) if case else {}), **form.facts()}


def _result(version: PlanVersion, form: CaseForm, case: PlanCase | None) -> cases.CaseResult:
    given = form.cleaned_data
    return cases.run(version, given["name"], _facts(form, case), given["expected"])


def _stored(version: PlanVersion, case: PlanCase) -> cases.CaseResult:
    """Return what the example comes to as it is."""
    expected = Money(case.expected_minor, version.plan.program.currency)
    return cases.run(version, case.name, case.facts, expected)


def _initial(case: PlanCase | None, version: PlanVersion) -> dict[str, Any]:
    if case is None:
        return {}
    expected = Money(case.expected_minor, version.plan.program.currency)
    return {**initial_of(case.facts), "name": case.name, "expected": expected}
