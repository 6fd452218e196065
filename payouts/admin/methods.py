"""Where partners are paid: masked for everybody. What is shown is the kind, the ending, when payments may go there, and whether another
partner is paid to the same account."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import Partner
from payouts import fx, payment_methods, signals_of_accounts
from payouts.models import AccountSignal, PaymentMethod
from payouts.payment_methods.form import PaymentMethodForm
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    link_to,
    locale,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.countries import is_code
from prm.lib.currencies import EXPONENTS
from tiers.models import Program


class CurrentFilter(admin.SimpleListFilter):
    """Accounts in use and accounts replaced."""

    title = gettext_lazy("in use")
    parameter_name = "current"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the kinds."""
        return [
            ("yes", _("In use")),
            ("waiting", _("Changed, waiting")),
            ("shared", _("Shared by two partners")),
            ("no", _("Not any more")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentMethod]) -> QuerySet[PaymentMethod]:
        """Keep what was asked for."""
        if self.value() == "yes":
            return queryset.filter(replaced_at=None)
        if self.value() == "waiting":
            return queryset.filter(replaced_at=None, usable_at__gt=timezone.now())
        if self.value() == "shared":
            return queryset.filter(_is_shared())
        return queryset.filter(replaced_at__isnull=False) if self.value() == "no" else queryset


@admin.register(PaymentMethod)
class PaymentMethodAdmin(BackOfficeAdmin):
    """Accounts partners are paid to, the newest first."""

    sees = "see_payment_methods"
    change_list_template = "admin/payouts/paymentmethod/change_list.html"
    change_form_template = "admin/payouts/paymentmethod/change_form.html"
    list_display = (
        "account",
        "partner",
        "currencies",
        when_column("usable_at", gettext_lazy("paid to from")),
        "signal",
        when_column("added_at", gettext_lazy("added")),
        "added_by",
        when_column("replaced_at", gettext_lazy("used until")),
    )
    list_filter = (CurrentFilter, "kind", "currency")
    list_select_related = ("partner", "added_by")
    search_fields = ("partner__name", "holder", "ending")
    search_help_text = gettext_lazy("Partner, holder or last four characters")
    ordering = ("-added_at", "-pk")
    # The number itself is in no field here, so no page can show it.
    fields = (
        "account",
        "whose",
        "currency",
        "payout_currency",
        "kind",
        "holder",
        "bic",
        "added_at",
        "added_by",
        "usable_at",
        "replaced_at",
        "replaced_by",
        "signals_raised",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that enter an account for a partner and take one away."""
        wrap, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        return [
            path(
                "enter/<int:partner_pk>/<str:currency>/",
                wrap(both(self.enter)),
                name="payouts_paymentmethod_enter",
            ),
            path("<int:pk>/remove/", wrap(both(self.remove)), name="payouts_paymentmethod_remove"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentMethod]:
        """Read what the person may see, without the number."""
        found = PaymentMethod.objects.visible_to(person(request)).defer("iban", "details")
        return found.select_related("partner", "added_by", "replaced_by").annotate(is_shared=_is_shared())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say how many signals wait for somebody."""
        require(request, self.sees)
        waiting = AccountSignal.objects.open().count()
        return super().changelist_view(request, {"signals_waiting": waiting, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Offer to change and to remove an account in use to those who may."""
        require(request, self.sees)
        method = get_object_or_404(PaymentMethod.objects.defer("iban", "details"), pk=object_id)
        may = method.replaced_at is None and policy.may(request.user, "confirm_payment_methods")
        context = {"method": method, "may_change_method": may, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    @admin.display(description=gettext_lazy("account"), ordering="ending")
    def account(self, method: PaymentMethod) -> str:
        """Return the account as far as anybody is shown it."""
        return str(method)

    @admin.display(description=gettext_lazy("currency"), ordering="currency")
    def currencies(self, method: PaymentMethod) -> str:
        """Return the currency of the balance, and the one the account receives when it is another."""
        if method.payout_currency == method.currency:
            return method.currency
        return f"{method.currency} → {method.payout_currency}"

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, method: PaymentMethod) -> str:
        """Return the partner as a link."""
        return link_to(method.partner)

    @admin.display(description=gettext_lazy("signal"))
    def signal(self, method: PaymentMethod) -> str:
        """Say that another partner is paid to the same account."""
        return _("Shared") if getattr(method, "is_shared", False) else "–"

    @admin.display(description=gettext_lazy("signals"))
    def signals_raised(self, method: PaymentMethod) -> str:
        """Return the signals nobody has cleared, each with the other partner."""
        found = signals_of_accounts.open_signals_for([method.pk]).get(method.pk, [])
        return format_html_join(", ", "{}", ((link_to(each, _other(each, method)),) for each in found)) or "–"

    def enter(self, request: HttpRequest, partner_pk: int, currency: str) -> HttpResponse:
        """Enter an account on behalf of a partner, who hears of it; it waits like any other."""
        require(request, "confirm_payment_methods")
        partner = get_object_or_404(Partner, pk=partner_pk)
        get_object_or_404(Program.objects.filter(currency=currency).order_by("pk")[:1])
        form = PaymentMethodForm(
            request.POST or None,
            partner=partner,
            currency=currency,
            receives=[currency, *sorted(set(EXPONENTS) - {currency})],
            countries=_countries(),
        )
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()
            method = attempt(request, lambda: form.save(by=by, at=at), form=form)
            if method is not None:
                messages.success(request, _("%(account)s is kept.") % {"account": method})
                return HttpResponseRedirect(row_url(method))
        hours = payment_methods.cooling_hours()
        with_rates = fx.offered(currency, on=timezone.localdate())[1:]
        return self.page(
            request,
            "admin/payouts/paymentmethod/enter.html",
            title=_("Where %(partner)s is paid") % {"partner": partner},
            form=form,
            errors=bool(form.errors),
            moment=_("at the rate the program names"),
            with_rates=l10n.list_text(with_rates, locale()),
            consequences=[
                _("It takes the place of the account before, for balances in %(currency)s.")
                % {"currency": currency},
                _("Nothing is paid there for %(hours)s hours.") % {"hours": hours},
                _("Everybody who looks after this partner's money gets an e-mail that names you."),
                _("You cannot approve a pay run that pays to an account you entered."),
            ],
            parent=partner,
            parent_url=row_url(partner),
            status=422 if form.errors else 200,
        )

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what removing an account does, or remove it."""
        require(request, "confirm_payment_methods")
        method = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: payment_methods.remove(method, by=by, at=at)) is not None:
                messages.success(request, _("Nothing is paid to this account any more."))
            return HttpResponseRedirect(row_url(method))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Remove %(account)s") % {"account": method},
            parent=method.partner,
            parent_url=row_url(method),
            consequences=[
                _("Balances of %(partner)s in %(currency)s wait until there is another account.")
                % {"partner": method.partner, "currency": method.currency},
                _("Everybody who looks after this partner's money gets an e-mail that names you."),
            ],
            verb=_("Remove the account"),
        )


def _is_shared() -> Exists:
    """Return the condition that an account has a signal nobody has cleared."""
    return Exists(AccountSignal.objects.open().filter(Q(method=OuterRef("pk")) | Q(other=OuterRef("pk"))))


def _other(signal: AccountSignal, method: PaymentMethod) -> Partner:
    """Return the partner on the other side of a signal."""
    return signal.other.partner if signal.method_id == method.pk else signal.method.partner


def _countries() -> list[tuple[str, str]]:
    """Return the English name, which is what is stored, and the reader's name of every country."""
    english, own = l10n.locale_of("en").territories, l10n.locale_of(locale()).territories
    found = [(name, own.get(code, name)) for code, name in english.items() if is_code(code)]
    return sorted(found, key=lambda pair: pair[1])
