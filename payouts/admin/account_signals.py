"""One account at two partners: who they are, and the note of whoever found it to be right. Until somebody clears a signal, every pay run
asks about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payouts import signals_of_accounts
from payouts.models import AccountSignal, PaymentMethod
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    when_column,
)
from prm.lib import l10n


class NoteForm(forms.Form):
    """What somebody found out."""

    note = forms.CharField(
        label=gettext_lazy("Why this is right"),
        max_length=signals_of_accounts.LONGEST_NOTE,
        help_text=gettext_lazy("For example: both belong to the same owner, confirmed by telephone."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@admin.register(AccountSignal)
class AccountSignalAdmin(BackOfficeAdmin):
    """One account at two partners, the newest first."""

    sees = "see_payment_methods"
    section = gettext_lazy("Shared accounts")
    list_display = (
        "account",
        "one",
        "another",
        when_column("raised_at", gettext_lazy("raised")),
        "state",
        "cleared_by",
    )
    list_display_links = ("account",)
    list_filter = (("cleared_at", admin.EmptyFieldListFilter),)
    list_select_related = ("method__partner", "other__partner", "cleared_by")
    search_fields = ("method__partner__name", "other__partner__name")
    ordering = ("-raised_at", "-pk")

    @admin.display(description=gettext_lazy("account"))
    def account(self, signal: AccountSignal) -> str:
        """Return the account as far as anybody is shown it."""
        return str(signal.method)

    @admin.display(description=gettext_lazy("partner"))
    def one(self, signal: AccountSignal) -> str:
        """Return who entered it last."""
        return link_to(signal.method.partner)

    @admin.display(description=gettext_lazy("also paid there"))
    def another(self, signal: AccountSignal) -> str:
        """Return who had it before."""
        return link_to(signal.other.partner)

    @admin.display(description=gettext_lazy("state"))
    def state(self, signal: AccountSignal) -> str:
        """Say whether somebody has looked."""
        return _state(signal)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show both sides, and take the note of whoever clears it."""
        require(request, self.sees)
        found = AccountSignal.objects.select_related("method__partner", "other__partner", "cleared_by")
        signal = get_object_or_404(found, pk=object_id)
        form = NoteForm(request.POST or None) if signal.cleared_at is None else None
        if request.method == "POST" and form is not None:
            require(request, "confirm_payment_methods")
            if form.is_valid():
                by, at, note = person(request), timezone.now(), form.cleaned_data["note"]
                done = attempt(
                    request, lambda: signals_of_accounts.clear(signal, note=note, by=by, at=at), form=form
                )
                if done is not None:
                    messages.success(request, _("Cleared. Pay runs no longer ask about these two."))
                    return HttpResponseRedirect(list_url(AccountSignal))
        return self.page(
            request,
            "admin/payouts/accountsignal/signal.html",
            title=_("%(one)s and %(other)s") % {"one": signal.method.partner, "other": signal.other.partner},
            signal=signal,
            state=_state(signal),
            sides=[_side(signal.method), _side(signal.other)],
            form=form if policy.may(request.user, "confirm_payment_methods") else None,
            errors=bool(form is not None and form.errors),
            status=422 if form is not None and form.errors else 200,
        )


def _state(signal: AccountSignal) -> str:
    if signal.cleared_at is not None:
        return _("Cleared")
    is_over = signal.method.replaced_at is not None or signal.other.replaced_at is not None
    return _("No longer shared") if is_over else _("To look at")


def _side(method: PaymentMethod) -> dict[str, Any]:
    added = l10n.date_text(timezone.localdate(method.added_at), locale())
    until = l10n.date_text(timezone.localdate(method.replaced_at), locale()) if method.replaced_at else ""
    facts = [
        Fact(_("Partner"), link_to(method.partner)),
        Fact(_("Account"), link_to(method)),
        Fact(_("Account holder"), method.holder),
        Fact(_("Balance in"), method.currency),
        Fact(_("Added"), _("%(date)s by %(person)s") % {"date": added, "person": method.added_by}),
    ]
    return {
        "name": method.partner.name,
        "facts": [*facts, Fact(_("Used until"), until)] if until else facts,
    }
