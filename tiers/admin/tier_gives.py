"""What the tiers of a program give and should bring in: the catalogue of benefits with what every tier gives of it, and the targets business
plans begin with."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, add_pages, attempt, person, require
from tiers import benefits, targets
from tiers.admin.tier_forms import BenefitForm, TargetsForm
from tiers.admin.tiers import CHANGES, SEES, tiers_url
from tiers.models import Benefit, Program, Tier, TierBenefit


class GivingPages:
    """The pages, below the table of programs."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        view, both = self.desk.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        name = "tiers_program_benefit"
        below = "<int:pk>/benefits/"
        return [
            path(below, view(require_safe(self.catalogue)), name=f"{name}s"),
            path(f"{below}add/", view(both(self.add)), name=f"{name}_add"),
            path(f"{below}<int:benefit_pk>/", view(both(self.change)), name=name),
            path(f"{below}<int:benefit_pk>/move/", view(require_POST(self.move)), name=f"{name}_move"),
            path(f"{below}<int:benefit_pk>/remove/", view(both(self.remove)), name=f"{name}_remove"),
            path("<int:pk>/targets/", view(both(self.targets)), name="tiers_program_targets"),
        ]

    def catalogue(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what every tier gives, side by side."""
        require(request, SEES)
        program = get_object_or_404(Program, pk=pk)
        tiers = _tiers(program)
        rows = [
            (row, [row.cells.get(tier.pk) for tier in tiers], index)
            for index, row in enumerate(benefits.matrix(program))
        ]
        return self.desk.page(
            request,
            "admin/tiers/tier/benefits.html",
            title=_("Benefits of %(program)s") % {"program": program.name},
            parent=_("Tiers of %(program)s") % {"program": program.name},
            parent_url=tiers_url(program),
            program=program,
            tiers=tiers,
            rows=rows,
            may_manage=policy.may(request.user, CHANGES),
        )

    def add(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a line into the catalogue, with what every tier gives of it."""
        require(request, CHANGES)
        program = get_object_or_404(Program, pk=pk)
        form = BenefitForm(request.POST if request.method == "POST" else None, tiers=_tiers(program))
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()

            @transaction.atomic
            def made() -> Benefit:
                kind = form.cleaned_data["kind"]
                benefit = benefits.add(program, kind=kind, name=form.name(), by=by, at=at)
                benefits.give(benefit, form.given(), by=by, at=at)
                return benefit

            benefit = attempt(request, made, form=form)
            if benefit is not None:
                return self._saved(request, benefit)
        return self._form(request, program, form, title=_("Add a benefit"))

    def change(self, request: HttpRequest, pk: int, benefit_pk: int) -> HttpResponse:
        """Change a line, and what every tier gives of it."""
        require(request, CHANGES)
        benefit = _benefit(pk, benefit_pk)
        given = dict(TierBenefit.objects.filter(benefit=benefit).values_list("tier", "value"))
        form = BenefitForm(
            request.POST if request.method == "POST" else None,
            tiers=_tiers(benefit.program),
            benefit=benefit,
            given=given,
        )
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()

            @transaction.atomic
            def saved() -> Benefit:
                kind = form.cleaned_data["kind"]
                benefits.give(benefit, form.given(), by=by, at=at)
                return benefits.change(benefit, kind=kind, name=form.name(), by=by, at=at)

            done = attempt(request, saved, form=form)
            if done is not None:
                return self._saved(request, done)
        return self._form(request, benefit.program, form, title=benefits.label_of(benefit), benefit=benefit)

    def move(self, request: HttpRequest, pk: int, benefit_pk: int) -> HttpResponse:
        """Exchange a line with its neighbour."""
        benefit, by, at = _benefit(pk, benefit_pk), person(request), timezone.now()
        up = request.POST.get("to") == "up"
        attempt(request, lambda: benefits.move(benefit, up=up, by=by, at=at))
        return HttpResponseRedirect(_catalogue_url(benefit.program))

    def remove(self, request: HttpRequest, pk: int, benefit_pk: int) -> HttpResponse:
        """Take a line away, after saying what that does."""
        require(request, CHANGES)
        benefit = _benefit(pk, benefit_pk)
        label = benefits.label_of(benefit)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: benefits.remove(benefit, by=by, at=at)) is not None:
                messages.success(request, _("No tier gives “%(benefit)s” any more.") % {"benefit": label})
            return HttpResponseRedirect(_catalogue_url(benefit.program))
        return self.desk.page(
            request,
            "admin/confirm.html",
            title=_("Take “%(benefit)s” away") % {"benefit": label},
            parent=label,
            parent_url=reverse("admin:tiers_program_benefit", args=[pk, benefit_pk]),
            form=None,
            verb=_("Take it away"),
            consequences=[
                _("No tier gives it any more, and no page shows it."),
                _("To give it again, add it again."),
            ],
        )

    def targets(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set what every tier should bring in within a year."""
        require(request, SEES)
        program = get_object_or_404(Program, pk=pk)
        tiers = _tiers(program)
        data = request.POST if request.method == "POST" else None
        form = TargetsForm(data, program=program, tiers=tiers, now=targets.of_program(program))
        if request.method == "POST":
            require(request, CHANGES)
            if form.is_valid():
                by, at = person(request), timezone.now()

                @transaction.atomic
                def written() -> bool:
                    for tier in tiers:
                        targets.write(tier, form.told(tier), by=by, at=at)
                    return True

                if attempt(request, written, form=form):
                    messages.success(request, _("The targets are saved. New business plans begin with them."))
                    return HttpResponseRedirect(tiers_url(program))
        return self.desk.page(
            request,
            "admin/tiers/tier/targets.html",
            title=_("Targets of %(program)s") % {"program": program.name},
            status=422 if form.errors else 200,
            parent=_("Tiers of %(program)s") % {"program": program.name},
            parent_url=tiers_url(program),
            tiers=tiers,
            form=form,
            errors=bool(form.errors),
            may_manage=policy.may(request.user, CHANGES),
        )

    def _saved(self, request: HttpRequest, benefit: Benefit) -> HttpResponse:
        messages.success(request, _("“%(benefit)s” is saved.") % {"benefit": benefits.label_of(benefit)})
        return HttpResponseRedirect(_catalogue_url(benefit.program))

    def _form(
        self,
        request: HttpRequest,
        program: Program,
        form: BenefitForm,
        *,
        title: str,
        benefit: Benefit | None = None,
    ) -> HttpResponse:
        return self.desk.page(
            request,
            "admin/tiers/tier/benefit.html",
            title=title,
            status=422 if form.errors else 200,
            parent=_("Benefits of %(program)s") % {"program": program.name},
            parent_url=_catalogue_url(program),
            program=program,
            benefit=benefit,
            form=form,
            errors=bool(form.errors),
        )


def _tiers(program: Program) -> list[Tier]:
    return list(Tier.objects.filter(program=program).in_use().by_rank())


def _benefit(pk: int, benefit_pk: int) -> Benefit:
    found = Benefit.objects.select_related("program").filter(program=pk, removed_at=None)
    return get_object_or_404(found, pk=benefit_pk)


def _catalogue_url(program: Program) -> str:
    return reverse("admin:tiers_program_benefits", args=[program.pk])


add_pages("program", lambda desk: GivingPages(desk).urls())
