"""Bank accounts of partners: masked for everybody. What is shown is the ending of the number and when payments may go there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payouts.models import PaymentMethod
from prm.accounts.back_office import BackOfficeAdmin, link_to, person, when_column


class CurrentFilter(admin.SimpleListFilter):
    """Accounts in use and accounts replaced."""

    title = gettext_lazy("in use")
    parameter_name = "current"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the kinds."""
        return [("yes", _("In use")), ("waiting", _("Changed, waiting")), ("no", _("Replaced"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentMethod]) -> QuerySet[PaymentMethod]:
        """Keep what was asked for."""
        if self.value() == "yes":
            return queryset.filter(replaced_at=None)
        if self.value() == "waiting":
            return queryset.filter(replaced_at=None, usable_at__gt=timezone.now())
        return queryset.filter(replaced_at__isnull=False) if self.value() == "no" else queryset


@admin.register(PaymentMethod)
class PaymentMethodAdmin(BackOfficeAdmin):
    """Bank accounts, the newest first."""

    sees = "see_payment_methods"
    list_display = (
        "ending",
        "partner",
        "currency",
        "holder",
        when_column("added_at", gettext_lazy("added")),
        "added_by",
        when_column("usable_at", gettext_lazy("paid to from")),
        "replaced_at",
    )
    list_filter = (CurrentFilter, "currency")
    list_select_related = ("partner", "added_by")
    search_fields = ("partner__name", "holder", "ending")
    search_help_text = gettext_lazy("Partner, holder or last four characters")
    ordering = ("-added_at", "-pk")
    # The number itself is in no field here, so no page can show it.
    fields = (
        "ending",
        "whose",
        "currency",
        "kind",
        "holder",
        "bic",
        "added_at",
        "added_by",
        "usable_at",
        "replaced_at",
        "replaced_by",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentMethod]:
        """Read what the person may see, without the number."""
        found = PaymentMethod.objects.visible_to(person(request)).defer("iban")
        return found.select_related("partner", "added_by", "replaced_by")

    @admin.display(description=gettext_lazy("account"), ordering="ending")
    def ending(self, method: PaymentMethod) -> str:
        """Return the ending of the number."""
        return _("IBAN ending %(last4)s") % {"last4": method.ending}

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, method: PaymentMethod) -> str:
        """Return the partner as a link."""
        return link_to(method.partner)
