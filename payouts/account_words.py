"""Say in words where money goes, as far as anybody is shown it: a number by its ending, PayPal by a masked address. Pages, mails and the
audit use these words and no others."""

from __future__ import annotations

from django.utils.translation import gettext as _

from payouts.choices import PaymentMethodKind


def account_text(kind: str, ending: str) -> str:
    """Return an account in the reader's language."""
    texts = {
        PaymentMethodKind.BANK_IBAN.value: _("IBAN ending %(ending)s"),
        PaymentMethodKind.US_ACCOUNT.value: _("US account ending %(ending)s"),
        PaymentMethodKind.PAYPAL.value: _("PayPal %(ending)s"),
        PaymentMethodKind.WISE.value: _("Wise %(ending)s"),
        PaymentMethodKind.OTHER.value: _("Another way, as agreed"),
    }
    return texts[kind] % {"ending": ending}
