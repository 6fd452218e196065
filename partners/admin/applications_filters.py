"""Narrow the queue of applications: by what waits for whom, kind, age, owner and signals. Without any of it, what staff can act on now is
shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import assignment, waiting
from partners.admin.opening_filter import OpeningFilter
from partners.choices import ApplicationState
from partners.models import Application
from partners.screening_counts import warning_counts
from prm.accounts.back_office import list_url, person
from tiers.choices import PartnershipType

COUNTED = 1000
Found = QuerySet[Application]


class WaitingFilter(OpeningFilter):
    """Whom an application waits for. The list opens with what staff can act on now, unless a state or words are asked for."""

    title = gettext_lazy("queue")
    parameter_name = "waiting"
    unless = ("q", "state__exact")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the ways to look."""
        return [
            ("yes", _("To decide")),
            ("applicant", _("Waiting for the applicant")),
            ("unconfirmed", _("E-mail not confirmed")),
            ("no", _("Closed")),
            ("all", _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep what was asked for."""
        match self.value():
            case "yes":
                return queryset & Application.objects.waiting_for_us().order_by()
            case "applicant":
                return queryset.filter(state=ApplicationState.INFO_REQUESTED)
            case "unconfirmed":
                unconfirmed = queryset.filter(email_confirmed_at=None, entered_at=None)
                return unconfirmed.filter(state__in=ApplicationState.undecided())
            case "no":
                return queryset.exclude(state__in=ApplicationState.undecided())
        return queryset


class TypeFilter(admin.SimpleListFilter):
    """The kind of partnership applied for; where the form did not ask, the program's."""

    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the kinds."""
        return [(value, str(label)) for value, label in PartnershipType.choices]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep one kind."""
        kind = self.value()
        if not kind:
            return queryset
        return queryset.filter(
            Q(partnership_type=kind) | Q(partnership_type="", program__partnership_type=kind)
        )


class CountryFilter(admin.SimpleListFilter):
    """The country; who named none is in no row of the choice."""

    title = gettext_lazy("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the countries there are."""
        named = Application.objects.exclude(country="").order_by("country").values_list("country", flat=True)
        return [(name, name) for name in named.distinct()]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep what comes from there."""
        return queryset.filter(country=self.value()) if self.value() else queryset


class AgeFilter(admin.SimpleListFilter):
    """The age against what was promised."""

    title = gettext_lazy("age")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the ages."""
        return [("late", _("Late")), ("today", _("Due today"))]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep one age; what is decided has none."""
        if self.value() not in ("late", "today"):
            return queryset
        keep = waiting.late if self.value() == "late" else waiting.due_today
        open_ones = queryset.filter(state__in=ApplicationState.undecided())
        return keep(open_ones, at=timezone.now())


class OwnerFilter(admin.SimpleListFilter):
    """Who looks after it."""

    title = gettext_lazy("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name oneself, nobody, and the others."""
        own = person(request)
        others = [
            (str(each.pk), each.full_name or each.email) for each in assignment.managers() if each != own
        ]
        return [("me", _("Mine")), ("nobody", _("Nobody’s")), *others]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep what one person looks after."""
        value = self.value()
        if value == "me":
            return queryset.filter(manager=person(request))
        if value == "nobody":
            return queryset.filter(manager=None)
        return queryset.filter(manager=int(value)) if value and value.isdecimal() else queryset


class SignalsFilter(admin.SimpleListFilter):
    """Whether something wants a second look. Only what waits for a decision is looked at, the oldest thousand of it."""

    title = gettext_lazy("signals")
    parameter_name = "signals"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name with and without."""
        return [("none", _("None")), ("some", _("1 to 3")), ("many", _("4 and more"))]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep those with so many warnings."""
        value = self.value()
        if value not in ("none", "some", "many"):
            return queryset
        undecided = queryset.filter(state__in=ApplicationState.undecided())
        counts = warning_counts(list(undecided.order_by("submitted_at", "pk")[:COUNTED]))
        wanted = {"none": range(1), "some": range(1, 4), "many": range(4, 10_000)}[value]
        return queryset.filter(pk__in=[pk for pk, count in counts.items() if count in wanted])


def saved_filters(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the looks most often wanted, as links."""
    asked = {name: value for name, value in request.GET.items() if name not in ("p", "o", "e")}
    looks: list[tuple[str, dict[str, str]]] = [
        (_("To decide"), {}),
        (_("Mine"), {"owner": "me"}),
        (_("Nobody’s"), {"owner": "nobody"}),
        (_("Late"), {"age": "late"}),
        (_("Due today"), {"age": "today"}),
        (_("Without signals"), {"signals": "none"}),
        (_("Waiting for the applicant"), {"waiting": "applicant"}),
        (_("E-mail not confirmed"), {"waiting": "unconfirmed"}),
    ]
    return [
        {"label": label, "href": list_url(Application, **look), "current": asked == look, "count": None}
        for label, look in looks
    ]
