"""Find the membership something is about, by a part of the partner's name. Without a name nothing is listed: there may be very many."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from partners.models import Membership
from prm.accounts.back_office import BackOfficeAdmin

SHOWN = 20


def choose_page(
    desk: BackOfficeAdmin, request: HttpRequest, *, title: str, question: str, view: str
) -> HttpResponse:
    """Show the page that finds one; each found leads to `view`, which takes its primary key."""
    text = request.GET.get("q", "").strip()
    rows = Membership.objects.filter(partner__name__icontains=text, ended_at=None)
    rows = rows.select_related("partner", "program").order_by("partner__name", "pk")
    found = list(rows[: SHOWN + 1]) if text else []
    return desk.page(
        request,
        "admin/partners/engagement/choose.html",
        title=title,
        question=question,
        q=text,
        found=[(each, reverse(view, args=[each.pk])) for each in found[:SHOWN]],
        has_more=len(found) > SHOWN,
    )
