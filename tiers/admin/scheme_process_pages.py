"""The pages on which a draft says what earns points, when reviews come and how a change is gone about."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from prm.accounts.back_office import locale
from tiers import scheme_editing as editing
from tiers import schemes
from tiers.admin.scheme_draft import NAME, DraftPages, Frame, draft_of, posted
from tiers.admin.scheme_forms import RateForm
from tiers.admin.scheme_process_forms import CalendarForm, ProcessForm
from tiers.models import TierScheme
from tiers.process_sentences import SOURCE_NAMES, rate_sentence
from tiers.qualify import PointRate

POINTS, REVIEWS = "points", "reviews"


class ProcessPages(DraftPages):
    """The pages of points, calendar and process."""

    def urls(self) -> list[URLPattern]:
        """Return the addresses, below a version's."""
        view, both = self.desk.admin_site.admin_view, require_http_methods(["GET", "POST"])
        place = "<int:pk>/points/<int:place>/"
        return [
            path("<int:pk>/points/add/", view(both(self.add_rate)), name=f"{NAME}add_rate"),
            path(place, view(both(self.edit_rate)), name=f"{NAME}rate"),
            path(f"{place}remove/", view(require_POST(self.remove_rate)), name=f"{NAME}remove_rate"),
            path("<int:pk>/calendar/", view(both(self.calendar)), name=f"{NAME}calendar"),
            path("<int:pk>/process/", view(both(self.process)), name=f"{NAME}process"),
        ]

    def add_rate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose what earns points, then say how many."""
        row = draft_of(request, pk)
        source, title = request.GET.get("source", ""), _("New points")
        if source not in SOURCE_NAMES:
            sources = [{"value": key, "label": label, "says": ""} for key, label in SOURCE_NAMES.items()]
            return self.choose(request, row, title=title, groups=[("", sources)], name="source")
        form = RateForm(posted(request), source=source, program=row.program)

        def wanted() -> tuple[schemes.Change, str]:
            made = form.rate()
            said = _("“%(rate)s” is part of the draft.") % {"rate": _told(row, made)}
            return lambda now: editing.with_rate(now, made), said

        frame = Frame(title, _("Add the points"), POINTS, str(SOURCE_NAMES[source]))
        return self.write(request, row, form, wanted, frame)

    def edit_rate(self, request: HttpRequest, pk: int, place: int) -> HttpResponse:
        """Say anew how many points something earns."""
        row = draft_of(request, pk)
        before = _rate(row, place)
        form = RateForm(posted(request), source=before.source, program=row.program, rate=before)

        def wanted() -> tuple[schemes.Change, str]:
            made = form.rate()
            said = _("“%(rate)s” is saved in the draft.") % {"rate": _told(row, made)}
            return lambda now: editing.with_changed_rate(now, before, made), said

        frame = Frame(_("Points"), _("Save the points"), POINTS, str(SOURCE_NAMES[before.source]))
        return self.write(request, row, form, wanted, frame)

    def remove_rate(self, request: HttpRequest, pk: int, place: int) -> HttpResponse:
        """Let something earn points no more."""
        row = draft_of(request, pk)
        before = _rate(row, place)
        said = _("“%(rate)s” is no longer part of the draft.") % {"rate": _told(row, before)}
        return self.move(
            request, row, lambda now: editing.without_rate(now, before), said=said, anchor=POINTS
        )

    def calendar(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say when reviews come."""
        row = draft_of(request, pk)
        form = CalendarForm(posted(request), scheme=schemes.scheme_of(row))

        def wanted() -> tuple[schemes.Change, str]:
            calendar = form.calendar()
            said = _("When reviews come is saved in the draft.")
            return lambda now: editing.with_calendar(now, calendar), said

        return self.write(request, row, form, wanted, Frame(_("When reviews come"), _("Save"), REVIEWS))

    def process(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say how a change is gone about."""
        row = draft_of(request, pk)
        form = ProcessForm(posted(request), process=schemes.scheme_of(row).process)

        def wanted() -> tuple[schemes.Change, str]:
            process = form.process()
            said = _("How a change is gone about is saved in the draft.")
            return lambda now: editing.with_process(now, process), said

        frame = Frame(_("How a change is gone about"), _("Save"), REVIEWS)
        return self.write(request, row, form, wanted, frame)


def _rate(row: TierScheme, place: int) -> PointRate:
    rates = schemes.scheme_of(row).points
    if not 1 <= place <= len(rates):
        raise Http404
    return rates[place - 1]


def _told(row: TierScheme, rate: PointRate) -> str:
    return rate_sentence(rate, row.program, locale())
