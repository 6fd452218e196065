"""The checklists of programs, and how far their newcomers are: who is stuck where and since when. Staff ticks what only people can see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from partners import checklists, onboarding
from partners.choices import MembershipState, OnboardingKind
from partners.models import Membership, OnboardingStep
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_panels,
    attempt,
    list_url,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from tiers.models import Program

LIVING = (MembershipState.INVITED, MembershipState.ONBOARDING, MembershipState.ACTIVE)
SHOWN, LOOKED_AT = 50, 500


class StepForm(forms.Form):
    """One step. Titles and explanations count for training and for what is called something else."""

    program = forms.ModelChoiceField(label=gettext_lazy("Program"), queryset=Program.objects.none())
    kind = forms.ChoiceField(label=gettext_lazy("What it asks for"), choices=OnboardingKind.choices)
    position = forms.IntegerField(
        label=gettext_lazy("Place in the list"), min_value=1, max_value=99, required=False
    )
    is_required = forms.BooleanField(label=gettext_lazy("Needed"), required=False, initial=True)
    url = forms.CharField(
        label=gettext_lazy("Address it leads to"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("For training and for what is called something else."),
    )

    def __init__(self, *args: Any, step: OnboardingStep | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in settings.LANGUAGES:
            values = {"language": str(name)}
            self.fields[f"title_{code}"] = forms.CharField(
                label=_("Title, %(language)s") % values, required=False, max_length=onboarding.LONGEST_TITLE
            )
            self.fields[f"help_{code}"] = forms.CharField(
                label=_("Explanation, %(language)s") % values,
                required=False,
                max_length=onboarding.LONGEST_HELP,
            )
        field = self.fields["program"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = Program.objects.order_by("name", "pk")
        if step is not None:
            del self.fields["program"], self.fields["kind"]
            if step.kind not in OnboardingKind.by_hand():
                for own in [each for each in self.fields if each not in ("position", "is_required")]:
                    del self.fields[own]

    def texts(self) -> dict[str, Any]:
        """Return titles and explanations by language, and the address."""
        given = self.cleaned_data
        codes = [code for code, _name in settings.LANGUAGES]
        return {
            "title": {code: given.get(f"title_{code}", "") for code in codes},
            "help_text": {code: given.get(f"help_{code}", "") for code in codes},
            "url": given.get("url", ""),
        }


@dataclass(frozen=True)
class Stuck:
    """A membership whose checklist is not complete."""

    membership: Membership
    done: int
    total: int
    waits_for: str
    since: datetime


@admin.register(OnboardingStep)
class OnboardingStepAdmin(BackOfficeAdmin):
    """Steps of checklists, by program."""

    section = gettext_lazy("Checklists")
    sees, adds, changes = "see_partners", "manage_programs", "manage_programs"
    list_display = ("named", "program", "kind", "position", "is_required")
    list_filter = ("program", "kind")
    list_select_related = ("program",)
    ordering = ("program__name", "position", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OnboardingStep]:
        """Leave out what was taken off the list."""
        return super().get_queryset(request).filter(removed_at=None)

    def get_urls(self) -> list[URLPattern]:
        """Add who is stuck where, the tick, and taking a step away."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "progress/",
                wrap(require_http_methods(["GET", "HEAD"])(self.progress)),
                name="partners_onboarding",
            ),
            path(
                "<int:pk>/done/<int:membership>/",
                wrap(require_POST(self.tick)),
                name="partners_onboarding_tick",
            ),
            path(
                "<int:pk>/remove/",
                wrap(require_http_methods(["GET", "HEAD", "POST"])(self.remove)),
                name="partners_onboardingstep_remove",
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("step"), ordering="kind")
    def named(self, step: OnboardingStep) -> str:
        """Return what the partner reads."""
        return checklists.in_language(step.title) or str(checklists.TITLES[OnboardingKind(step.kind)])

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Add a step, or change one."""
        if object_id is None:
            require(request, self.adds)
            return self._add(request)
        require(request, self.sees)
        step = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        return self._change(request, step)

    def progress(self, request: HttpRequest) -> HttpResponse:
        """List the newest memberships whose checklist is not complete."""
        require(request, self.sees)
        wanted = request.GET.get("program", "")
        found = list(stuck(wanted, at=timezone.now()))
        return self.page(
            request,
            "admin/partners/onboardingstep/progress.html",
            title=_("Onboarding"),
            rows=found[:SHOWN],
            more=len(found) > SHOWN,
            programs=Program.objects.order_by("name", "pk"),
            wanted=wanted,
            list_url=list_url(OnboardingStep),
        )

    def tick(self, request: HttpRequest, pk: int, membership: int) -> HttpResponse:
        """Tick a step for a partner, or take the tick back."""
        require(request, "manage_partners")
        step = get_object_or_404(OnboardingStep, pk=pk)
        whose = get_object_or_404(Membership.objects.select_related("partner"), pk=membership)
        verb = onboarding.untick if "undo" in request.POST else onboarding.tick
        if attempt(request, lambda: (verb(whose, step, by=person(request), at=timezone.now()), True)):
            messages.success(request, _("The checklist is up to date."))
        return HttpResponseRedirect(row_url(whose))

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a step off the list, after saying what that does."""
        require(request, self.changes)
        step = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            if attempt(request, lambda: onboarding.remove_step(step, by=person(request), at=timezone.now())):
                messages.success(request, _("The step is off the list."))
            return HttpResponseRedirect(list_url(OnboardingStep))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Take “%(step)s” off the list of %(program)s")
            % {"step": self.named(step), "program": step.program.name},
            parent=self.named(step),
            parent_url=row_url(step),
            form=None,
            verb=_("Take it off the list"),
            consequences=[
                _("Nobody is asked for it any more, and it no longer keeps a checklist from being complete."),
                _("Who has done it stays on record."),
            ],
        )

    def _add(self, request: HttpRequest) -> HttpResponse:
        form = StepForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            step = attempt(
                request,
                lambda: onboarding.add_step(
                    given["program"],
                    kind=given["kind"],
                    position=given["position"],
                    is_required=given["is_required"],
                    by=person(request),
                    at=timezone.now(),
                    **form.texts(),
                ),
                form=form,
            )
            if step is not None:
                messages.success(
                    request, _("The step is on the list of %(program)s.") % {"program": step.program.name}
                )
                return HttpResponseRedirect(list_url(OnboardingStep, program__id__exact=step.program_id))
        return self._form(request, form, title=_("Add a step"), verb=_("Add the step"), step=None)

    def _change(self, request: HttpRequest, step: OnboardingStep) -> HttpResponse:
        may = policy.may(request.user, self.changes)
        first = {"position": step.position, "is_required": step.is_required, "url": step.url}
        for code, _name in settings.LANGUAGES:
            first |= {f"title_{code}": step.title.get(code, ""), f"help_{code}": step.help_text.get(code, "")}
        form = StepForm(request.POST or None, step=step, initial=first)
        if request.method == "POST":
            require(request, self.changes)
            if form.is_valid():
                given = form.cleaned_data
                done = attempt(
                    request,
                    lambda: onboarding.change_step(
                        step,
                        position=given["position"] or step.position,
                        is_required=given["is_required"],
                        by=person(request),
                        at=timezone.now(),
                        **form.texts(),
                    ),
                    form=form,
                )
                if done is not None:
                    messages.success(request, _("The step is changed."))
                    return HttpResponseRedirect(list_url(OnboardingStep))
        return self._form(
            request, form, title=self.named(step), verb=_("Save the step") if may else "", step=step
        )

    def _form(
        self, request: HttpRequest, form: StepForm, *, title: str, verb: str, step: OnboardingStep | None
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/partners/onboardingstep/step.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            verb=verb,
            step=step,
        )


def stuck(program_pk: str, *, at: datetime) -> Iterator[Stuck]:
    """Return the newest living memberships with something needed left to do; the number of queries does not grow with them."""
    rows = Membership.objects.filter(ended_at=None, state__in=LIVING).select_related("partner", "program")
    if program_pk.isdecimal() and len(program_pk) < 18:
        rows = rows.filter(program=int(program_pk))
    newest = list(rows.order_by("-joined_at", "-pk")[:LOOKED_AT])
    states = checklists.states_of(newest, at=at)
    for membership in newest:
        steps = states[membership.pk]
        if checklists.is_complete(steps):
            continue
        waiting = next(step for step in steps if step.is_needed and not step.done)
        since = max([membership.joined_at, *(step.done_at for step in steps if step.done_at)])
        yield Stuck(membership, sum(step.done for step in steps), len(steps), waiting.title, since)


def panels(membership: Membership, by: User, at: datetime) -> list[Panel]:
    """Return the checklist of a membership, for its own page."""
    if not policy.may(by, "see_partners"):
        return []
    context = {
        "steps": checklists.state_of(membership, at),
        "membership": membership,
        "may_tick": policy.may(by, "manage_partners"),
        "all_url": reverse("admin:partners_onboarding"),
    }
    return [Panel(gettext_lazy("First steps"), "admin/partners/onboardingstep/panel.html", context)]


add_panels("membership", panels)
