"""The back office's pages about what happened: clicks, customers, conversions, and the import of files of sales. Conversions are only read;
an import runs in the background and names every faulty line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import Membership, Partner
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_panels,
    link_to,
    list_url,
    money_column,
    money_text,
    person,
    when_column,
)
from prm.lib.money import Money
from referrals import (
    admin_attribution,
    admin_codes,
    admin_customers,
    admin_import_result,
    admin_inlets,
    admin_links,
    admin_touches,
    admin_tracking,
)
from referrals.admin_credits import correct_credits
from referrals.attribution.correct import is_correctable
from referrals.decisions import decisions_of
from referrals.models import Click, Code, Conversion, Credit, Link

if TYPE_CHECKING:
    from datetime import datetime

    from prm.accounts.models import User

    CreditTable = admin.TabularInline[Credit, Conversion]
else:
    CreditTable = admin.TabularInline

# Tables and pages in modules of their own, which register themselves.
ELSEWHERE = (
    admin_attribution,
    admin_codes,
    admin_customers,
    admin_inlets,
    admin_links,
    admin_touches,
    admin_tracking,
)
PARTNER = "membership__partner"
SHOWN_ON_PARTNER = 10


class CreditInline(CreditTable):
    """Who got credit for a conversion, and why."""

    model = Credit
    template = "admin/rows.html"
    fields = ("whose", "role", "share", "reason", "code", "attributed_at", "rated_at", "superseded_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credit]:
        """Read partner and code with the rows."""
        return super().get_queryset(request).select_related(PARTNER, "code")

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, credit: Credit) -> str:
        """Return the partner as a link."""
        return link_to(credit.membership.partner)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let all staff look."""
        return policy.may(request.user, "see_conversions")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Credit is given by attribution."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites credit."""
        return False


@admin.register(Conversion)
class ConversionAdmin(BackOfficeAdmin):
    """Recorded business events, the newest first."""

    sees = "see_conversions"
    change_list_template = "admin/referrals/conversion/change_list.html"
    change_form_template = "admin/referrals/conversion/change_form.html"
    list_display = (
        "external_id",
        "kind",
        when_column("occurred_at", gettext_lazy("happened")),
        "customer",
        "country",
        money_column("amount_minor", gettext_lazy("amount")),
        "code_text",
        "state",
        "source",
    )
    list_filter = ("kind", "state", "source", "occurred_at")
    list_select_related = ("customer",)
    search_fields = ("external_id", "public_id", "code_text", "customer__external_id")
    search_help_text = gettext_lazy("Event, customer, code or id")
    ordering = ("-occurred_at", "-pk")
    inlines = (CreditInline,)
    fields = (
        "external_id",
        "source",
        "kind",
        "state",
        "occurred_at",
        "recorded_at",
        "amount",
        "customer",
        "country",
        "code_text",
        "click_id",
        "sub_id",
        "deal_key",
        "product",
        "category",
        "quantity",
        "parts",
        "further",
        "sale",
        "public_id",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversion]:
        """Read what the person may see."""
        return Conversion.objects.visible_to(person(request))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that import a file and correct a credit."""
        by_hand = require_http_methods(["GET", "POST"])
        correcting = self.admin_site.admin_view(by_hand(partial(correct_credits, self)))
        return [
            *admin_import_result.pages(self),
            path("<int:pk>/credits/", correcting, name="referrals_conversion_credits"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show every decision, and offer the correction of what is credited by itself to those who may."""
        context["may_correct"] = policy.may(request.user, "correct_credits") and is_correctable(kwargs["obj"])
        context["decisions"] = decisions_of(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, conversion: Conversion) -> str:
        """Return the amount as text."""
        return str(money_column("amount_minor", "")(conversion))

    @admin.display(description=gettext_lazy("of the amount"))
    def parts(self, conversion: Conversion) -> str:
        """Return what the amount contains, and what the goods cost."""
        named = {
            _("tax"): conversion.tax_minor,
            _("shipping"): conversion.shipping_minor,
            _("discount"): conversion.discount_minor,
            _("cost of goods"): conversion.cost_minor,
        }
        told = (
            f"{name} {money_text(Money(minor, conversion.currency))}"
            for name, minor in named.items()
            if minor
        )
        return ", ".join(told) or "–"

    @admin.display(description=gettext_lazy("attributes"))
    def further(self, conversion: Conversion) -> str:
        """Return what the event carries besides, one fact after the other."""
        shown = {True: _("yes"), False: _("no")}
        told = (
            f"{name}: {shown[value] if isinstance(value, bool) else value}"
            for name, value in sorted(conversion.attributes.items())
        )
        return ", ".join(told) or "–"

    @admin.display(description=gettext_lazy("sale it takes back"))
    def sale(self, conversion: Conversion) -> str:
        """Return the sale a refund names, as a link."""
        return link_to(conversion.original) if conversion.original_id else conversion.original_external_id

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer the import to those who may."""
        may_import = policy.may(request.user, "import_conversions")
        return super().changelist_view(request, {"may_import": may_import, **(extra_context or {})})


@admin.register(Click)
class ClickAdmin(BackOfficeAdmin):
    """Hits on links, the newest first."""

    sees = "see_conversions"
    list_display = (
        when_column("clicked_at", gettext_lazy("when")),
        "link",
        "referrer_host",
        "sub_id",
        "click_id",
    )
    list_select_related = ("link",)
    search_fields = ("click_id", "link__slug", "sub_id")
    ordering = ("-clicked_at", "-pk")


def partner_panels(partner: Partner, by: User, at: datetime) -> list[Panel]:
    """Return the links and codes of a partner."""
    if not policy.may(by, "see_partners"):
        return []
    own = {"membership__partner": partner.pk}
    context = {
        "links": Link.objects.filter(**own).order_by("pk")[:SHOWN_ON_PARTNER],
        "codes": Code.objects.filter(**own).order_by("pk")[:SHOWN_ON_PARTNER],
        "making": _making(partner) if policy.may(by, "manage_links") else [],
        "links_url": list_url(Link, membership__partner__id__exact=partner.pk),
        "codes_url": list_url(Code, membership__partner__id__exact=partner.pk),
    }
    return [Panel(gettext_lazy("Links and codes"), "admin/partners/partner/links.html", context)]


def _making(partner: Partner) -> list[tuple[Membership, str, str]]:
    """Return the programs a partner can get links and codes in, with the pages that make them."""
    living = partner.memberships.active().filter(ended_at=None).select_related("program").order_by("pk")
    return [
        (
            each,
            reverse("admin:referrals_link_new", args=[each.pk]),
            reverse("admin:referrals_code_new", args=[each.pk]),
        )
        for each in living
    ]


add_panels("partner", partner_panels)
