"""Taxes of a partner: who it is to the tax office, the forms it gave, whether its invoices are written for it, and those invoices."""

from __future__ import annotations

import io
from collections.abc import Iterator

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from payouts.choices import VatMode
from payouts.einvoice import documents
from payouts.models import Invoice, SelfBillingMandate, TaxForm, TaxProfile
from payouts.payment_methods import addresses
from payouts.tax import agreement, asked_again, forms, mandates, profiles
from payouts.tax.profiles import TaxFacts
from portal import countries, roles
from portal.formats import active_locale, date_text
from portal.forms_tax import ADDRESS, AgreementForm, TaxDocumentForm, TaxProfileForm
from portal.notices import Notice
from portal.rooms import Room, enter, show
from portal.views.answers import explain_refusal
from portal.views.pages import Fact
from portal.views.tax_rows import form_rows, invoice_rows
from portal.visitors import client_address
from prm import audit
from prm.lib import l10n
from prm.lib.countries import code_of
from prm.lib.errors import Refused
from prm.lib.periods import local_day


@require_safe
@enter(roles.SEE_PAYMENT_DETAILS)
def tax(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the tax details, the forms, the agreement and the invoices."""
    profile = profiles.in_force(room.partner, at=room.at)
    mandate = mandates.in_force(room.partner, room.program.legal_entity, at=room.at)
    return show(
        request,
        room,
        "portal/tax/tax.html",
        nav="tax",
        facts=list(_facts(profile, room)) if profile else [],
        forms=form_rows(TaxForm.objects.filter(partner=room.partner), room),
        needs_form=profile is not None and profile.needs_form,
        mandate=mandate,
        mandate_facts=list(_mandate_facts(mandate, room)) if mandate else [],
        entity=room.program.legal_entity.name,
        invoices=invoice_rows(_readable(room), room) if room.may(roles.SEE_STATEMENTS) else [],
        notices=list(_notices(profile, room)),
        may_change=room.may(roles.CHANGE_PAYMENT_DETAILS),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def change_tax(request: HttpRequest, room: Room) -> HttpResponse:
    """Take other tax details; what VAT follows from them is shown afterwards."""
    before = profiles.in_force(room.partner, at=room.at)
    form = TaxProfileForm(request.POST or None, initial=_as_entered(before, room))
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("country_code", "status")}
        numbers = {name: form.cleaned_data[name] for name in ("vat_number", "registration_number")}
        try:
            with transaction.atomic():
                addresses.set_address(room.partner, **form.address(), by=room.user, at=room.at)
                profile = profiles.set_profile(
                    room.partner, TaxFacts(**given, **numbers), by=room.user, at=room.at
                )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            mode = VatMode(profile.vat_mode).label
            messages.success(request, _("Saved. VAT on your commissions: %(mode)s.") % {"mode": mode})
            return redirect("portal:tax")
    status = 422 if form.errors else 200
    return show(request, room, "portal/tax/profile.html", nav="tax", form=form, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def give_form(request: HttpRequest, room: Room) -> HttpResponse:
    """Take a signed tax form."""
    form = TaxDocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = forms.receive(room.partner, **form.cleaned_data, by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("%(form)s is stored.") % {"form": given.get_kind_display()})
            return redirect("portal:tax")
    status = 422 if form.errors else 200
    return show(request, room, "portal/tax/form.html", nav="tax", form=form, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def self_billing(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Show the agreement, and take the consent to exactly that text."""
    entity = room.program.legal_entity
    if request.method != "POST" and mandates.in_force(room.partner, entity, at=room.at) is not None:
        return redirect("portal:tax_mandate_text")
    form = AgreementForm(request.POST or None, initial={"version": agreement.VERSION})
    refused = ""
    try:
        mandates.require_possible(room.partner, entity, at=room.at)
    except Refused as refusal:
        refused = str(refusal)
    if request.method == "POST" and form.is_valid():
        try:
            mandate = mandates.agree(
                room.partner,
                entity,
                version=form.cleaned_data["version"],
                by=room.user,
                at=room.at,
                address=client_address(request),
            )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            values = {"series": mandate.series_prefix}
            messages.success(request, _("Agreed. Your invoices are numbered %(series)s.") % values)
            return redirect("portal:tax")
    return show(
        request,
        room,
        "portal/tax/self_billing.html",
        nav="tax",
        form=form,
        entity=entity.name,
        paragraphs=agreement.text_for(room.partner, entity).split("\n\n"),
        version=agreement.VERSION,
        refused=refused,
        status=422 if form.errors else 200,
    )


@require_safe
@enter(roles.SEE_PAYMENT_DETAILS)
def agreed_text(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Show the text that was agreed, as it was."""
    mandate = mandates.in_force(room.partner, room.program.legal_entity, at=room.at)
    if mandate is None:
        return redirect("portal:tax")
    return show(
        request,
        room,
        "portal/tax/self_billing.html",
        nav="tax",
        form=None,
        entity=mandate.legal_entity.name,
        paragraphs=mandate.agreement_text.split("\n\n"),
        version=mandate.agreement_version,
        refused="",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PAYMENT_DETAILS)
def end_self_billing(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Ask once more, then end the agreement for invoices to come."""
    mandate = mandates.in_force(room.partner, room.program.legal_entity, at=room.at)
    if mandate is None:
        return redirect("portal:tax")
    if request.method == "POST":
        try:
            mandates.end(mandate, by=room.user, at=room.at)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Ended. Your next commissions come by statement only."))
        return redirect("portal:tax")
    return show(request, room, "portal/tax/end.html", nav="tax", mandate=mandate)


@require_safe
@enter(roles.SEE_STATEMENTS)
def invoice_file(request: HttpRequest, room: Room, public_id: str, kind: str) -> HttpResponseBase:
    """Send an invoice as PDF, or its message in either syntax."""
    if kind not in documents.KINDS:
        raise Http404
    invoice = get_object_or_404(_readable(room), public_id=public_id)
    try:
        content = documents.content_of(invoice, kind)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:tax")
    audit.record(room.user, "invoice.file_taken", invoice, at=room.at, kind=kind)
    name = documents.file_name(invoice, kind)
    mime = documents.KINDS[kind][0]
    return FileResponse(io.BytesIO(content), as_attachment=True, filename=name, content_type=mime)


def _readable(room: Room) -> QuerySet[Invoice]:
    """Return the invoices of the partner the person is looking at, and of no other."""
    mine = Invoice.objects.visible_to(room.user).filter(statement__membership__partner=room.partner)
    return mine.select_related("statement").order_by("-issued_at", "-pk").distinct()


def _facts(profile: TaxProfile, room: Room) -> Iterator[Fact]:
    yield Fact(_("Country"), countries.name(profile.country_code, active_locale()))
    yield Fact(_("You are"), profile.get_status_display())
    if profile.vat_number:
        yield Fact(_("VAT number"), profile.vat_number)
    if profile.registration_number:
        yield Fact(_("Registration number"), profile.registration_number)
    mode = str(profile.get_vat_mode_display())
    if profile.vat_mode == VatMode.DOMESTIC:
        mode = f"{mode}, {l10n.percent_text(profile.vat_rate / 100, active_locale())}"
    yield Fact(_("VAT on your commissions"), mode)
    yield Fact(_("Since"), date_text(local_day(profile.starts_at, room.zone)))


def _mandate_facts(mandate: SelfBillingMandate, room: Room) -> Iterator[Fact]:
    agreed = date_text(local_day(mandate.agreed_at, room.zone))
    who = mandate.agreed_by.get_full_name() or mandate.agreed_by.email
    yield Fact(_("Agreed"), _("%(day)s by %(person)s") % {"day": agreed, "person": who})
    yield Fact(_("Version"), mandate.agreement_version)
    yield Fact(_("Numbers begin with"), mandate.series_prefix)
    days = {"days": mandate.accepts_after_days}
    yield Fact(_("Acceptance"), _("%(days)s days after an invoice, unless you object") % days)


def _notices(profile: TaxProfile | None, room: Room) -> Iterator[Notice]:
    day = local_day(room.at, room.zone)
    if asked_again.is_asked_again(room.partner, at=room.at):
        text = _(
            "Your legal name or country has changed since. Look at the tax details and save them, also as they are."
        )
        yield Notice("warn", text)
    if not forms.is_covered(room.partner, on=day):
        yield Notice(
            "warn", _("We can pay you only with a valid tax form. What you earn meanwhile stays yours.")
        )
    for form in forms.expiring(on=day).filter(partner=room.partner):
        day_text = date_text(form.expires_on) if form.expires_on else ""
        values = {"form": form.get_kind_display(), "day": day_text}
        yield Notice("warn", _("%(form)s is valid until %(day)s. Please send a new one.") % values)


def _as_entered(profile: TaxProfile | None, room: Room) -> dict[str, str]:
    """Return what the form begins with: the profile in force, or what is known of the partner."""
    known = {name: str(getattr(room.partner, name)) for name in ADDRESS}
    if profile is None:
        country = code_of(room.partner.country) if room.partner.country else ""
        return known | {"country_code": country, "vat_number": room.partner.vat_number}
    names = ("country_code", "status", "vat_number", "registration_number")
    return known | {name: getattr(profile, name) for name in names}
