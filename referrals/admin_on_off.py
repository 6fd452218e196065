"""What the pages of links and of codes have in common: whose they are, and who may look."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from partners.choices import MembershipState
from partners.models import Membership
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, link_to
from referrals.models import Code, Link

PARTNER = "membership__partner"
SHOWN = 20


class OnAndOff(BackOfficeAdmin):
    """Tables of what partners hand out; rows have pages of their own and are changed by their verbs."""

    sees = "see_partners"
    changes = "manage_links"
    list_select_related = (PARTNER, "membership__program")
    list_filter = ("is_active", "membership__program")

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, row: Link | Code) -> str:
        """Return whose it is, as a link."""
        return link_to(row.membership.partner)

    @admin.display(description=gettext_lazy("program"), ordering="membership__program__name")
    def program(self, row: Link | Code) -> str:
        """Return the program it belongs to."""
        return row.membership.program.name

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links other pages make."""
        return lookup == "membership__partner__id__exact" or super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: Any, extra_context: dict[str, Any] | None = None) -> Any:
        """Offer what else can be done to those who may."""
        extra = {
            "may_manage": policy.may(request.user, "manage_links"),
            "may_import_codes": policy.may(request.user, "import_codes"),
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def choose_page(self, request: HttpRequest, *, title: str, question: str, view: str) -> HttpResponse:
        """Find an active membership by a part of the partner's name; each found leads to `view`. Without a name nothing is listed."""
        text = request.GET.get("q", "").strip()
        rows = Membership.objects.filter(
            partner__name__icontains=text, state=MembershipState.ACTIVE, ended_at=None
        )
        rows = rows.select_related("partner", "program").order_by("partner__name", "pk")
        found = list(rows[: SHOWN + 1]) if text else []
        return self.page(
            request,
            "admin/partners/engagement/choose.html",
            title=title,
            question=question,
            q=text,
            found=[(each, reverse(view, args=[each.pk])) for each in found[:SHOWN]],
            has_more=len(found) > SHOWN,
        )
