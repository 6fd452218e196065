"""The pages on which a draft says what its tiers ask: requirements, and how those of a tier go together. A metric is chosen first, so that its
form asks for nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from prm.accounts.back_office import locale
from tiers import scheme_editing as editing
from tiers import schemes
from tiers.admin.scheme_draft import NAME, DraftPages, Frame, draft_of, posted
from tiers.admin.scheme_forms import CombineForm
from tiers.admin.scheme_requirement_form import GROUPS, METRIC_SAYS, RequirementForm
from tiers.models import TierScheme
from tiers.qualify import Requirement, Rung, Scheme
from tiers.requirement_sentences import metric_name, sentence
from tiers.scheme_lint import readable


class RequirementPages(DraftPages):
    """The pages of what tiers ask."""

    def urls(self) -> list[URLPattern]:
        """Return the addresses, below a version's."""
        view, both = self.desk.admin_site.admin_view, require_http_methods(["GET", "POST"])
        tier = "<int:pk>/tiers/<slug:tier>/"
        return [
            path(f"{tier}add/", view(both(self.add)), name=f"{NAME}add_requirement"),
            path(f"{tier}combine/", view(both(self.combine)), name=f"{NAME}combine"),
            path(f"{tier}asks/<slug:key>/", view(both(self.edit)), name=f"{NAME}requirement"),
            path(f"{tier}asks/<slug:key>/remove/", view(require_POST(self.remove)), name=f"{NAME}remove"),
        ]

    def add(self, request: HttpRequest, pk: int, tier: str) -> HttpResponse:
        """Choose a metric, then say what is asked of it."""
        row = draft_of(request, pk)
        rung, metric = _rung(row, tier), request.GET.get("metric", "")
        title = _("New requirement for %(tier)s") % {"tier": rung.name}
        if metric not in _readable():
            return self.choose(request, row, title=title, groups=_metrics(), name="metric")
        form = RequirementForm(posted(request), metric=metric, program=row.program)

        def wanted() -> tuple[schemes.Change, str]:
            made = form.requirement("new")
            said = _("“%(requirement)s” is part of the draft.") % {"requirement": _told(row, made)}
            return lambda now: editing.with_requirement(now, tier, _with_key(now, tier, made)), said

        return self.write(
            request, row, form, wanted, _frame(title, _("Add the requirement"), tier, metric=metric)
        )

    def edit(self, request: HttpRequest, pk: int, tier: str, key: str) -> HttpResponse:
        """Say anew what is asked."""
        row = draft_of(request, pk)
        rung, before = _rung(row, tier), _requirement(row, tier, key)
        metric = before.question.metric
        form = RequirementForm(posted(request), metric=metric, program=row.program, requirement=before)

        def wanted() -> tuple[schemes.Change, str]:
            made = form.requirement(key)
            said = _("“%(requirement)s” is saved in the draft.") % {"requirement": _told(row, made)}
            return lambda now: editing.with_changed(now, tier, made), said

        title = _("Requirement for %(tier)s") % {"tier": rung.name}
        return self.write(
            request, row, form, wanted, _frame(title, _("Save the requirement"), tier, metric=metric)
        )

    def remove(self, request: HttpRequest, pk: int, tier: str, key: str) -> HttpResponse:
        """Ask for something no more; also of a tier that is not in use any more."""
        row = draft_of(request, pk)
        before = _requirement(row, tier, key)
        said = _("“%(requirement)s” is no longer part of the draft.") % {"requirement": _told(row, before)}
        return self.move(
            request,
            row,
            lambda now: editing.without_requirement(now, tier, key),
            said=said,
            anchor=f"tier-{tier}",
        )

    def combine(self, request: HttpRequest, pk: int, tier: str) -> HttpResponse:
        """Say how the requirements of a tier go together."""
        row = draft_of(request, pk)
        rung, ask = _rung(row, tier), schemes.scheme_of(row).ask_of(tier)
        form = CombineForm(posted(request), ask=ask, program=row.program)

        def wanted() -> tuple[schemes.Change, str]:
            how, needed = form.cleaned_data["combine"], form.cleaned_data["needed"] or 0
            weights = form.weights()
            said = _("How the requirements of %(tier)s go together is saved.") % {"tier": rung.name}
            return lambda now: editing.combined(now, tier, how=how, needed=needed, weights=weights), said

        title = _("How the requirements of %(tier)s go together") % {"tier": rung.name}
        return self.write(request, row, form, wanted, _frame(title, _("Save"), tier))


def _frame(title: str, verb: str, tier: str, *, metric: str = "") -> Frame:
    subject = metric_name(metric) if metric else ""
    return Frame(title, verb, f"tier-{tier}", subject, METRIC_SAYS.get(metric, ""))


def _rung(row: TierScheme, tier: str) -> Rung:
    """Return a tier that can ask for something. Raises: Http404."""
    for rungs in schemes.ladders(row.program).values():
        for rung in rungs[1:]:
            if rung.key == tier:
                return rung
    raise Http404


def _requirement(row: TierScheme, tier: str, key: str) -> Requirement:
    for each in schemes.scheme_of(row).ask_of(tier).requirements:
        if each.key == key:
            return each
    raise Http404


def _with_key(scheme: Scheme, tier: str, made: Requirement) -> Requirement:
    return replace(made, key=editing.new_key(scheme, tier, made.question.metric))


def _told(row: TierScheme, requirement: Requirement) -> str:
    return sentence(requirement, row.program, locale())


def _readable() -> set[str]:
    return readable() or set(METRIC_SAYS)


def _metrics() -> list[tuple[Any, list[dict[str, Any]]]]:
    """Return the metrics somebody reads, as the page groups them."""
    known = _readable()
    return [
        (
            title,
            [
                {"value": key, "label": metric_name(key), "says": METRIC_SAYS[key]}
                for key in keys
                if key in known
            ],
        )
        for title, keys in GROUPS
    ]
