"""Narrow the queue of tier reviews: by what waits for whom, by way, program and owner. Without any of it, what staff decide on now is shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import assignment
from partners.admin.opening_filter import OpeningFilter
from partners.choices import ReviewState
from partners.models import TierReview
from partners.tier_reviews import waiting
from prm.accounts.back_office import person
from tiers.models import Program

Found = QuerySet[TierReview]


class WaitingFilter(OpeningFilter):
    """Whom a case waits for. The list opens with what staff decide on now, unless a state or words are asked for."""

    title = gettext_lazy("queue")
    parameter_name = "waiting"
    unless = ("q", "round__id__exact")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the ways to look."""
        return [
            ("yes", _("To decide")),
            ("appeals", _("Appeals to answer")),
            ("others", _("To decide, without appeals")),
            ("grace", _("In the grace period")),
            ("open", _("All that are open")),
            ("shadow", _("For information")),
            ("no", _("Over")),
            ("all", _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep what was asked for."""
        match self.value():
            case "yes":
                return queryset.filter(waiting.for_us(at=timezone.now()))
            case "appeals":
                return queryset.filter(state=ReviewState.APPEALED)
            case "others":
                others = waiting.for_us(at=timezone.now())
                return queryset.filter(others).exclude(state=ReviewState.APPEALED)
            case "grace":
                return queryset.filter(state=ReviewState.IN_GRACE)
            case "open":
                return queryset.filter(state__in=ReviewState.open())
            case "shadow":
                return queryset.filter(state=ReviewState.SHADOW)
            case "no":
                return queryset.exclude(state__in=ReviewState.open())
        return queryset


class ProgramFilter(admin.SimpleListFilter):
    """The program whose tiers are reviewed."""

    title = gettext_lazy("program")
    parameter_name = "program"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the programs."""
        return list(Program.objects.order_by("name", "pk").values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: Found) -> Found:
        """Keep one program."""
        return queryset.filter(membership__program__slug=self.value()) if self.value() else queryset


class OwnerFilter(admin.SimpleListFilter):
    """Who looks after the partner."""

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
        manager = "membership__partner__account_manager"
        match self.value():
            case None | "":
                return queryset
            case "me":
                return queryset.filter(**{manager: person(request)})
            case "nobody":
                return queryset.filter(**{f"{manager}__isnull": True})
            case pk if pk.isdecimal():
                return queryset.filter(**{f"{manager}_id": int(pk)})
        return queryset.none()
