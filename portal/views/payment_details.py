"""Payment details: the account money goes to, shown masked, and its change. A change asks who you are once more, waits before it is
paid to, and is told to the old and the new address.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from payouts import payment_methods
from payouts.models import PaymentMethod
from portal import roles
from portal.formats import active_locale
from portal.forms import PaymentMethodForm
from portal.rooms import Room, enter, show
from portal.status import StatusWord, word
from portal.views.answers import explain_refusal
from portal.views.home import moment_text
from portal.views.pages import Fact, MethodCard
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.periods import local_day


@require_safe
@enter(roles.SEE_PAYMENT_DETAILS)
def payment_details(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the account money goes to, and those used before."""
    methods = PaymentMethod.objects.visible_to(room.user).filter(
        partner=room.partner, currency=room.program.currency
    )
    ordered = list(methods.select_related("added_by").order_by("-added_at", "-pk").distinct())
    current = next((method for method in ordered if method.replaced_at is None), None)
    return show(
        request,
        room,
        "portal/payment_details/payment_details.html",
        nav="payment_details",
        method=_card(current, room) if current else None,
        former=[_card(method, room) for method in ordered if method.replaced_at is not None],
        may_change=room.may(roles.CHANGE_PAYMENT_DETAILS),
        currency=room.program.currency,
        hours=cooling_hours(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def change_payment_details(request: HttpRequest, room: Room) -> HttpResponse:
    """Ask who is there once more, then take the new account."""
    if get_adapter(request).must_sign_in_anew():
        logout(request)
        messages.info(request, _("To change where your money goes, sign in once more. We mail you a code."))
        return redirect_to_login(reverse("portal:payment_details_change"))
    response: HttpResponse = _change(request, room)
    return response


# Asked before the form is shown, so that nothing typed is lost on the way.
@reauthentication_required  # type: ignore[untyped-decorator]
def _change(request: HttpRequest, room: Room) -> HttpResponse:
    form = PaymentMethodForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            method = payment_methods.add(
                room.partner, currency=room.program.currency, by=room.user, at=room.at, **form.cleaned_data
            )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            params = {"last4": method.ending, "moment": moment_text(method.usable_at, room)}
            text = _("Payments go to IBAN ending %(last4)s from %(moment)s. We have written to you about it.")
            messages.success(request, text % params)
            return redirect("portal:payment_details")
    return show(
        request,
        room,
        "portal/payment_details/change.html",
        nav="payment_details",
        form=form,
        currency=room.program.currency,
        hours=cooling_hours(),
        status=422 if form.errors else 200,
    )


def cooling_hours() -> int:
    """Return how long a new account waits before money is sent there."""
    hours: int = getattr(settings, "PRM_METHOD_COOLING_HOURS", payment_methods.COOLING_HOURS)
    return hours


def _card(method: PaymentMethod, room: Room) -> MethodCard:
    added = l10n.date_text(local_day(method.added_at, room.zone), active_locale(), "long")
    return MethodCard(
        title=_("IBAN ending %(last4)s") % {"last4": method.ending},
        facts=(
            Fact(_("Account holder"), method.holder),
            Fact(_("BIC"), method.bic or _("not given")),
            Fact(_("Currency"), method.currency),
            Fact(
                _("Added"),
                _("%(date)s by %(person)s") % {"date": added, "person": method.added_by.get_full_name()},
            ),
        ),
        status=_status(method, room),
        note=_note(method, room),
    )


def _status(method: PaymentMethod, room: Room) -> StatusWord:
    if method.replaced_at is not None:
        return word("payment_method", "replaced")
    return word("payment_method", "active" if method.is_usable(at=room.at) else "pending")


def _note(method: PaymentMethod, room: Room) -> str:
    if method.replaced_at is not None or method.is_usable(at=room.at):
        return ""
    return _("Payments go there from %(moment)s.") % {"moment": moment_text(method.usable_at, room)}
