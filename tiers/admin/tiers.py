"""The tiers of a program: its ladders on one page, and a page for each tier. A tier is taken out of use on a page that says what stands in the
way; it is never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_pages,
    add_panels,
    attempt,
    locale,
    panels_of,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from tiers import ladder_changes, requirement_sentences, schemes
from tiers.admin.tier_forms import NewTierForm, TierForm
from tiers.models import Program, Tier
from tiers.narrowing import Names

SEES, CHANGES = "see_partners", "manage_tiers"


@admin.register(Tier)
class TierAdmin(BackOfficeAdmin):
    """Tiers of all programs; each has a page."""

    section = gettext_lazy("Tiers")
    sees, changes = SEES, CHANGES
    list_display = ("name", "program", "track", "rank", "key", "is_in_use")
    list_filter = ("program",)
    list_select_related = ("program",)
    search_fields = ("name", "key", "program__name", "public_id")
    ordering = ("program__name", "track", "rank", "pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that take a tier out of use and put it back."""
        view, both = self.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("<int:pk>/retire/", view(both(self.retire)), name="tiers_tier_retire"),
            path("<int:pk>/restore/", view(both(self.restore)), name="tiers_tier_restore"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("in use"), boolean=True)
    def is_in_use(self, tier: Tier) -> bool:
        """Say whether anybody can be placed in it."""
        return tier.retired_at is None

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show a tier, and save what is changed."""
        if object_id is None:
            return None  # tiers are added below their program
        require(request, SEES)
        tier = _tier(object_id)
        may_edit = policy.may(request.user, CHANGES) and tier.retired_at is None
        form = TierForm.of(tier, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            require(request, CHANGES)
            if form.is_valid():
                by, at = person(request), timezone.now()
                done = attempt(
                    request,
                    lambda: ladder_changes.change(tier, values=form.values(), by=by, at=at),
                    form=form,
                )
                if done is not None:
                    messages.success(request, _("“%(tier)s” is saved.") % {"tier": done.name})
                    return HttpResponseRedirect(tiers_url(tier.program))
        return self.page(
            request,
            "admin/tiers/tier/tier.html",
            title=tier.name,
            status=422 if form.is_bound and form.errors else 200,
            parent=_("Tiers of %(program)s") % {"program": tier.program.name},
            parent_url=tiers_url(tier.program),
            tier=tier,
            form=form,
            errors=form.is_bound and bool(form.errors),
            may_edit=may_edit,
            may_manage=policy.may(request.user, CHANGES),
            panels=panels_of("tier", tier, by=person(request), at=timezone.now()),
        )

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a tier out of use, after saying what stands in the way."""
        require(request, CHANGES)
        tier, by, at = _tier(pk), person(request), timezone.now()
        if request.method == "POST":
            if attempt(request, lambda: ladder_changes.retire(tier, by=by, at=at)) is None:
                return HttpResponseRedirect(reverse("admin:tiers_tier_retire", args=[pk]))
            messages.success(request, _("“%(tier)s” is out of use.") % {"tier": tier.name})
            return HttpResponseRedirect(tiers_url(tier.program))
        in_the_way = [str(each.text) for each in ladder_changes.hindrances(tier, at=at)]
        return self.page(
            request,
            "admin/tiers/tier/retire.html",
            title=_("Take “%(tier)s” out of use") % {"tier": tier.name},
            parent=tier.name,
            parent_url=row_url(tier),
            in_the_way=in_the_way,
            consequences=[
                _("Nobody can be placed in it any more; it is offered nowhere."),
                _("What it asks is asked no longer, and the tiers around it become neighbours."),
                _("Its history stays. It can be put into use again."),
            ],
        )

    def restore(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a tier into use again, after saying so."""
        require(request, CHANGES)
        tier, by, at = _tier(pk), person(request), timezone.now()
        if request.method == "POST":
            if attempt(request, lambda: ladder_changes.restore(tier, by=by, at=at)) is not None:
                messages.success(request, _("“%(tier)s” is in use again.") % {"tier": tier.name})
                _warn(request, tier, at=at)
            return HttpResponseRedirect(tiers_url(tier.program))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Put “%(tier)s” into use again") % {"tier": tier.name},
            parent=tier.name,
            parent_url=row_url(tier),
            form=None,
            verb=_("Put it into use"),
            consequences=[
                _("Partners can be placed in it again, at rank %(rank)s.") % {"rank": tier.rank},
                _("It is shown on the program page at once, with what the scheme in force asks of it."),
            ],
        )


class LadderPages:
    """The ladders of a program, and the page that adds a tier, below the table of programs."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        view = self.desk.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("<int:pk>/tiers/", view(require_safe(self.ladders)), name="tiers_program_tiers"),
            path("<int:pk>/tiers/add/", view(both(self.add)), name="tiers_program_tier_add"),
        ]

    def ladders(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show every ladder with what its tiers ask and who stands there."""
        require(request, SEES)
        program = get_object_or_404(Program, pk=pk)
        at = timezone.now()
        return self.desk.page(
            request,
            "admin/tiers/tier/tiers.html",
            title=_("Tiers of %(program)s") % {"program": program.name},
            parent=program.name,
            parent_url=row_url(program),
            program=program,
            ladders=_ladders(program, at=at),
            retired=_with_counts(program).exclude(retired_at=None),
            may_manage=policy.may(request.user, CHANGES),
        )

    def add(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add a tier to one of the ladders."""
        require(request, CHANGES)
        program = get_object_or_404(Program, pk=pk)
        form = NewTierForm(request.POST if request.method == "POST" else None, initial=_proposed(program))
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()
            key, values = form.cleaned_data["key"], form.values()
            made = attempt(
                request,
                lambda: ladder_changes.add(program, key=key, values=values, by=by, at=at),
                form=form,
            )
            if made is not None:
                messages.success(request, _("“%(tier)s” is added.") % {"tier": made.name})
                _warn(request, made, at=at)
                return HttpResponseRedirect(tiers_url(program))
        return self.desk.page(
            request,
            "admin/tiers/tier/add.html",
            title=_("Add a tier"),
            status=422 if form.errors else 200,
            parent=_("Tiers of %(program)s") % {"program": program.name},
            parent_url=tiers_url(program),
            form=form,
            errors=bool(form.errors),
        )


def _warn(request: HttpRequest, tier: Tier, *, at: datetime) -> None:
    """Say that reviews pass over a tier that asks for nothing."""
    row = schemes.in_force(tier.program, at=at)
    below = Tier.objects.filter(program=tier.program, track=tier.track, rank__lt=tier.rank).in_use()
    if row is None or not below.exists() or schemes.scheme_of(row).ask_of(tier.key).requirements:
        return
    text = _(
        "“%(tier)s” asks for nothing yet: until you write what it asks, only a person places partners in it."
    )
    messages.warning(request, text % {"tier": tier.name})


def tiers_url(program: Program) -> str:
    """Return where the tiers of a program are."""
    return reverse("admin:tiers_program_tiers", args=[program.pk])


def _tier(pk: int | str) -> Tier:
    wanted = pk if str(pk).isdecimal() else None
    return get_object_or_404(Tier.objects.select_related("program", "retired_by"), pk=wanted)


def _with_counts(program: Program) -> QuerySet[Tier]:
    standing = Count("placements", filter=Q(placements__ends_at=None))
    return Tier.objects.filter(program=program).by_rank().annotate(standing=standing)


def _ladders(program: Program, *, at: datetime) -> list[dict[str, Any]]:
    """Return the ladders by track, the highest tier first, each with what it asks in sentences."""
    row = schemes.in_force(program, at=at)
    scheme = schemes.scheme_of(row) if row is not None else None
    names = Names(program)
    found: dict[str, list[dict[str, Any]]] = {}
    for tier in _with_counts(program).filter(retired_at=None):
        ladder = found.setdefault(tier.track, [])
        asks: list[str] = []
        if scheme is not None and ladder:  # the lowest rung is everybody's
            asks = requirement_sentences.of_ask(scheme.ask_of(tier.key), program, locale(), names=names)
        lead = requirement_sentences.combined(scheme.ask_of(tier.key)) if scheme and asks else ""
        ladder.append({"tier": tier, "asks": asks, "lead": lead, "is_lowest": not ladder})
    return [{"track": track, "rows": rows[::-1]} for track, rows in found.items()]


def _proposed(program: Program) -> dict[str, Any]:
    """Return what the form of a new tier begins with: the rank above the highest of the first ladder."""
    tiers = list(Tier.objects.filter(program=program).in_use().by_rank())
    track = tiers[0].track if tiers else ""
    ranks = [tier.rank for tier in tiers if tier.track == track]
    return {"rank": max(ranks, default=0) + 1, "track": track, "colour": "slate"}


def panel_of(program: Program, by: User, at: datetime) -> Iterator[Panel]:
    """Show the tiers of a program on its page, and lead to theirs."""
    if not policy.may(by, SEES):
        return
    rows = [(tier, _standing(tier)) for tier in _with_counts(program).filter(retired_at=None)]
    yield Panel(
        title=_("Tiers"),
        template="admin/tiers/tier/_panel.html",
        context={"rows": rows, "program": program, "href": tiers_url(program)},
    )


def _standing(tier: Tier) -> str:
    count = getattr(tier, "standing", 0)
    return ngettext("%(count)s partner", "%(count)s partners", count) % {"count": count}


add_panels("program", panel_of)
add_pages("program", lambda desk: LadderPages(desk).urls())
