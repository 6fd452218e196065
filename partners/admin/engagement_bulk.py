"""Confirm several activities on one page: every row with its outcome, what happens in numbers, one button. Afterwards the same page says
what became of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners.engagement import bulk
from partners.engagement.activities import CAPABILITY
from partners.models import Activity
from prm.accounts.back_office import BackOfficeAdmin, chosen_ids, person, require

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

AT_ONCE = 200


class TogetherPages(Desk):
    """The page that confirms several activities, beside the list."""

    def together_urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.together))
        return [path("together/", view, name="partners_activity_together")]

    def together_actions(self) -> dict[str, tuple[Callable[..., HttpResponse], str, Any]]:
        """Return what the list offers for the rows that are ticked."""
        return {"confirm": (_go, "confirm", gettext_lazy("Confirm the activities ticked"))}

    def together(self, request: HttpRequest) -> HttpResponse:
        """Say what would happen to each row, or let it happen."""
        require(request, CAPABILITY)
        given = request.POST or request.GET
        chosen = chosen_ids(given.get("ids", ""), most=AT_ONCE)
        found = list(self.get_queryset(request).filter(pk__in=chosen).order_by("told_at", "pk"))
        by = person(request)
        rows = bulk.look(found, by=by)
        is_done = request.method == "POST" and any(row.goes for row in rows)
        if is_done:
            rows = bulk.confirm_all(rows, by=by, at=timezone.now())
        going = sum(row.goes for row in rows)
        return self.page(
            request,
            "admin/partners/engagement/together.html",
            title=_result(going, len(rows) - going) if is_done else _verb(going),
            rows=rows,
            is_done=is_done,
            may_go=going > 0 and not is_done,
            ids=",".join(map(str, chosen)),
            outcome=_("confirmed") if is_done else _("will be confirmed"),
            consequences=_consequences(going, len(rows) - going),
            verb=_verb(going),
        )


def _go(_desk: Any, _request: HttpRequest, queryset: QuerySet[Activity]) -> HttpResponse:
    pks = queryset.order_by("told_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
    address = reverse("admin:partners_activity_together")
    return HttpResponseRedirect(f"{address}?{urlencode({'ids': ','.join(map(str, pks))})}")


def _verb(count: int) -> str:
    return ngettext("Confirm %(count)s activity", "Confirm %(count)s activities", count) % {"count": count}


def _result(done: int, skipped: int) -> str:
    return _("%(done)s done, %(skipped)s left as they were") % {"done": done, "skipped": skipped}


def _consequences(going: int, skipped: int) -> list[str]:
    counts = ngettext(
        "%(count)s activity counts for its partner's tier from now on.",
        "%(count)s activities count for their partners' tiers from now on.",
        going,
    )
    said = [counts % {"count": going}, _("Each team is told by mail, in its language.")]
    if skipped:
        text = ngettext("%(count)s row is left as it is.", "%(count)s rows are left as they are.", skipped)
        said.append(text % {"count": skipped})
    return [*said, _("Each is confirmed by itself and stays on record with your name.")]
