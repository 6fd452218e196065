"""What a draft of tiers would cost: beside who would move stands a dry run of the engine in which each of them stands in the other tier. Nothing
is booked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from partners.models import Membership
from partners.tier_reviews import what_if
from payouts import dry_runs
from payouts.choices import DryRunKind
from payouts.models import DryRun
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_pages,
    add_panels,
    attempt,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from prm.lib.money import Money
from prm.lib.periods import local_day, start_of_day
from tiers.models import TierScheme
from tiers.qualify.windows import months_before

MONTHS = 12
SHOWN = 5


class MovesPages:
    """The button that asks for the money, below the table of programs."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the button."""
        view = self.desk.admin_site.admin_view(require_POST(self.ask))
        return [path("tier-moves/<int:pk>/", view, name="payouts_tier_moves")]

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a dry run in which everybody of a draft's report has moved."""
        require(request, "try_plans")
        row = get_object_or_404(TierScheme.objects.select_related("program"), pk=pk)
        at, zone = timezone.now(), row.program.zone
        today = local_day(at, zone)
        names = dict(Membership.objects.filter(program=row.program_id).values_list("pk", "public_id"))
        made = attempt(
            request,
            lambda: dry_runs.ask(
                row.program,
                DryRunKind.MOVES,
                starts_at=start_of_day(months_before(today, MONTHS), zone),
                ends_at=start_of_day(today, zone),
                changes={"moves": what_if.moves_of(row, names), "scheme": row.public_id},
                by=person(request),
                at=at,
            ),
        )
        if made is None:
            return HttpResponseRedirect(reverse("admin:partners_tier_what_if", args=[row.pk]))
        messages.success(request, _("The last 12 months are rated twice: as they were, and with the moves."))
        return HttpResponseRedirect(row_url(made[0]))


def panel_of(row: TierScheme, by: User, at: datetime) -> Iterator[Panel]:
    """Show what the moves of a draft would have cost, and offer to work it out."""
    if not policy.may(by, "try_plans"):
        return
    found = DryRun.objects.filter(
        program=row.program_id, kind=DryRunKind.MOVES, changes__scheme=row.public_id
    )
    yield Panel(
        title=_("What the moves would cost"),
        template="admin/payouts/dryrun/moves_panel.html",
        context={
            "ask_url": reverse("admin:payouts_tier_moves", args=[row.pk]),
            "dry_runs": [
                {
                    "url": row_url(each),
                    "at": each.finished_at or each.requested_at,
                    "is_over": each.finished_at is not None,
                    "change": Money(each.report["total"]["change"], each.report["currency"])
                    if each.finished_at
                    else None,
                }
                for each in found.order_by("-requested_at", "-pk")[:SHOWN]
            ],
        },
    )


add_panels("tier_what_if", panel_of)
add_pages("program", lambda desk: MovesPages(desk).urls())
