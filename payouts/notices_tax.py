"""Tell the people who look after a partner's money that a tax form ends. Each form is told about once per mailbox."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.readers import readers_of
from payouts.notices import button, tell
from payouts.tax import forms
from prm.lib import l10n

if TYPE_CHECKING:
    from payouts.models import TaxForm

_KIND = "tax_form_expiring"


def tell_form_expiring(form: TaxForm, *, needs_form: bool) -> None:
    """Say until when a form holds and what happens then."""
    if form.expires_on is None:
        return
    for reader in readers_of(form.partner):
        with translation.override(reader.language):
            name = str(form.get_kind_display())
        tell(
            _KIND,
            reader,
            key=form.public_id,
            about=form.public_id,
            context={
                "partner": form.partner.name,
                "form": name,
                "day": l10n.date_text(form.expires_on, reader.locale),
                "needs_form": needs_form,
                **button(_("Send a form"), "/portal/tax/forms/new/"),
            },
        )


def remind(*, on: date) -> int:
    """Tell about every form that ends soon, and return how many there are."""
    found = list(forms.expiring(on=on).select_related("partner").defer("tax_number"))
    needing = forms.needing({form.partner_id for form in found})
    for form in found:
        tell_form_expiring(form, needs_form=form.partner_id in needing)
    return len(found)
