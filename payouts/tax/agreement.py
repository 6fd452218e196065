"""The agreement by which a partner lets the operator write its invoices, in the partner's language. The text is frozen on the mandate as
it was shown; a change of what it says needs a new version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from partners.models import Partner
    from tiers.models import LegalEntity

VERSION = "2026-1"
ACCEPTS_AFTER_DAYS = 14


def text_for(partner: Partner, legal_entity: LegalEntity, *, language: str = "") -> str:
    """Return the agreement between a partner and a legal entity, a paragraph a line."""
    with translation.override(language or partner.language):
        values = {
            "partner": partner.legal_name or partner.name,
            "entity": legal_entity.name,
            "days": ACCEPTS_AFTER_DAYS,
        }
        return "\n\n".join(f"{number}. {text % values}" for number, text in enumerate(_paragraphs(), start=1))


def _paragraphs() -> list[str]:
    return [
        _(
            "%(entity)s writes the invoices for the commissions of %(partner)s, in the name and on behalf of %(partner)s, one for each monthly statement with taxable commissions."
        ),
        _("%(partner)s writes no invoices of its own for the same commissions."),
        _(
            "Every invoice and credit note carries a number from a series that is used for %(partner)s alone, and says that it is self-billed."
        ),
        _(
            "%(partner)s finds each invoice in the portal on the day it is issued. It counts as accepted unless %(partner)s objects in writing within %(days)s days."
        ),
        _(
            "%(partner)s remains liable for the VAT it owes, and keeps its name, address, VAT number and tax status in the portal up to date; a change counts for invoices issued after it."
        ),
        _(
            "If commissions are taken back for more than was earned in a month, a self-billed credit note is issued in the same way."
        ),
        _("Either side can end this agreement in the portal at any time, for invoices not issued yet."),
    ]
