"""Payment details: where money goes, shown masked, and its change. A change asks who you are once more, waits before it is paid to, and
is told to the old and the new address.
"""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from payouts import fx, payment_methods
from payouts.models import PaymentMethod
from payouts.payment_methods.form import PaymentMethodForm
from portal import countries, roles
from portal.formats import active_locale
from portal.rooms import Room, enter, show
from portal.status import StatusWord, word
from portal.views.answers import explain_refusal
from portal.views.home import moment_text
from portal.views.pages import Fact, MethodCard
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from tiers.choices import FxMoment


@require_safe
@enter(roles.SEE_PAYMENT_DETAILS)
def payment_details(request: HttpRequest, room: Room) -> HttpResponse:
    """Show where money goes, and where it went before."""
    methods = PaymentMethod.objects.visible_to(room.user).filter(
        partner=room.partner, currency=room.program.currency
    )
    ordered = list(
        methods.defer("iban", "details").select_related("added_by").order_by("-added_at", "-pk").distinct()
    )
    current = next((method for method in ordered if method.replaced_at is None), None)
    begun = {method.added_at for method in ordered}
    return show(
        request,
        room,
        "portal/payment_details/payment_details.html",
        nav="payment_details",
        method=_card(current, room, begun) if current else None,
        former=[_card(method, room, begun) for method in ordered if method.replaced_at is not None],
        may_change=room.may(roles.CHANGE_PAYMENT_DETAILS),
        currency=room.program.currency,
        address=_address(room) if current and current.kind in payment_methods.BANK_KINDS else [],
        hours=payment_methods.cooling_hours(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def change_payment_details(request: HttpRequest, room: Room) -> HttpResponse:
    """Ask who is there once more, then take the new account."""
    if get_adapter(request).must_sign_in_anew():
        return _sign_in_anew(request, "portal:payment_details_change")
    response: HttpResponse = _change(request, room)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def remove_payment_details(request: HttpRequest, room: Room) -> HttpResponse:
    """Ask who is there once more, then stop paying to the account."""
    if get_adapter(request).must_sign_in_anew():
        return _sign_in_anew(request, "portal:payment_details_remove")
    response: HttpResponse = _remove(request, room)
    return response


# Asked before the form is shown, so that nothing typed is lost on the way.
@reauthentication_required  # type: ignore[untyped-decorator]
def _change(request: HttpRequest, room: Room) -> HttpResponse:
    form = PaymentMethodForm(
        request.POST or None,
        partner=room.partner,
        currency=room.program.currency,
        receives=fx.offered(room.program.currency, on=local_day(room.at, room.zone)),
        countries=countries.choices(active_locale()),
        initial={"country": countries.name(room.partner.country, "en")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            method = form.save(by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            params = {"account": str(method), "moment": moment_text(method.usable_at, room)}
            text = _("Payments go to %(account)s from %(moment)s. We have written to you about it.")
            messages.success(request, text % params)
            return redirect("portal:payment_details")
    return show(
        request,
        room,
        "portal/payment_details/change.html",
        nav="payment_details",
        form=form,
        currency=room.program.currency,
        moment=_moment_of_the_rate(room) if form.has_currencies else "",
        hours=payment_methods.cooling_hours(),
        status=422 if form.errors else 200,
    )


@reauthentication_required  # type: ignore[untyped-decorator]
def _remove(request: HttpRequest, room: Room) -> HttpResponse:
    method = (
        PaymentMethod.objects.current().filter(partner=room.partner, currency=room.program.currency).first()
    )
    if method is None:
        return redirect("portal:payment_details")
    error = ""
    if request.method == "POST":
        try:
            payment_methods.remove(method, by=room.user, at=room.at)
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("Nothing is paid until you add another account."))
            return redirect("portal:payment_details")
    return show(
        request,
        room,
        "portal/payment_details/remove.html",
        nav="payment_details",
        account=str(method),
        error=error,
        status=422 if error else 200,
    )


def _sign_in_anew(request: HttpRequest, view: str) -> HttpResponse:
    logout(request)
    messages.info(request, _("To change where your money goes, sign in once more. We mail you a code."))
    return redirect_to_login(reverse(view))


def _card(method: PaymentMethod, room: Room, begun: set[datetime]) -> MethodCard:
    added = l10n.date_text(local_day(method.added_at, room.zone), active_locale(), "long")
    facts = [Fact(_("Account holder"), method.holder)]
    if method.kind == "bank_iban":
        facts.append(Fact(_("BIC"), method.bic or _("not given")))
    facts += [
        Fact(_("Paid in"), method.payout_currency, _note_of_the_rate(method, room)),
        Fact(
            _("Added"),
            _("%(date)s by %(person)s") % {"date": added, "person": method.added_by.get_full_name()},
        ),
    ]
    return MethodCard(
        title=str(method), facts=tuple(facts), status=_status(method, room, begun), note=_note(method, room)
    )


def _note_of_the_rate(method: PaymentMethod, room: Room) -> str:
    if method.payout_currency == method.currency:
        return ""
    return _("From %(currency)s, %(moment)s.") % {
        "currency": method.currency,
        "moment": _moment_of_the_rate(room),
    }


def _moment_of_the_rate(room: Room) -> str:
    if room.program.fx_moment == FxMoment.STATEMENT:
        return _("at the rate of the last day of the statement's month")
    return _("at the rate of the day your payment is prepared")


def _address(room: Room) -> list[Fact]:
    partner = room.partner
    lines = [
        f"{partner.street} {partner.building_number}".strip(),
        f"{partner.postcode} {partner.town}".strip(),
        countries.name(partner.country, active_locale()),
    ]
    text = ", ".join(line for line in lines if line)
    missing = payment_methods.missing_parts(partner)
    note = _("The bank needs your whole address. Add it with “Change the account”.") if missing else ""
    return [Fact(_("Your address"), text or _("not given"), note)]


def _status(method: PaymentMethod, room: Room, begun: set[datetime]) -> StatusWord:
    if method.replaced_at is not None:
        return word("payment_method", "replaced" if method.replaced_at in begun else "removed")
    return word("payment_method", "active" if method.is_usable(at=room.at) else "pending")


def _note(method: PaymentMethod, room: Room) -> str:
    if method.replaced_at is not None or method.is_usable(at=room.at):
        return ""
    return _("Payments go there from %(moment)s.") % {"moment": moment_text(method.usable_at, room)}
