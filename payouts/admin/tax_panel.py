"""What the page of a partner says about its taxes, and the ways to change them."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from payouts.models import Invoice, SelfBillingMandate
from payouts.tax import forms, profiles, withholding
from prm.accounts import policy
from prm.accounts.back_office import Panel, add_panels, list_url
from prm.accounts.models import User


def tax_panels(partner: Partner, by: User, at: datetime) -> list[Panel]:
    """Return the taxes of a partner to those who look after them."""
    if not policy.may(by, "manage_tax"):
        return []
    today = at.date()
    invoices = Invoice.objects.filter(statement__membership__partner=partner)
    context = {
        "profile": profiles.in_force(partner, at=at),
        "forms": forms.holding(on=today).filter(partner=partner).defer("tax_number").order_by("-signed_on"),
        "is_covered": forms.is_covered(partner, on=today),
        "withheld": withholding.rate_on(partner, today),
        "mandates": SelfBillingMandate.objects.filter(partner=partner, ended_at=None).select_related(
            "legal_entity"
        ),
        "invoice_count": invoices.count(),
        "invoices_url": list_url(Invoice, statement__membership__partner__id__exact=partner.pk),
        "set_url": reverse("admin:payouts_taxprofile_set", args=[partner.pk]),
        "withhold_url": reverse("admin:payouts_withholding_set", args=[partner.pk]),
        "receive_url": reverse("admin:payouts_taxform_receive", args=[partner.pk]),
    }
    return [Panel(_("Taxes"), "admin/payouts/taxprofile/panel.html", context)]


add_panels("partner", tax_panels)
