"""Read what a shop tells about a buyer, and keep only keys of it. An address or number goes no further than this module: what comes out
can be compared and not read."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from partners.screening_words import is_disposable
from referrals import identity
from referrals.facts import NOBODY_KNOWN, Buyer
from referrals.reading import BadValue, word

LONGEST_EMAIL = 254
EMAIL, EMAIL_HASH, VAT_NUMBER, PAYMENT = (
    "customer_email",
    "customer_email_sha256",
    "customer_vat_number",
    "payment_fingerprint",
)


def buyer_of(
    *,
    email: str = "",
    email_sha256: str = "",
    vat_number: str = "",
    payment_fingerprint: str = "",
    address_hash: str = "",
) -> Buyer:
    """Return the keys of a buyer; nothing told is nobody known.

    Raises: BadValue.
    """
    address = _address(email)
    key = _email_key(address, email_sha256.strip())
    vat = word(vat_number, field=VAT_NUMBER, longest=30)
    payment = word(payment_fingerprint, field=PAYMENT, longest=128)
    if not (key or vat or payment or address_hash):
        return NOBODY_KNOWN
    return Buyer(
        email_key=key,
        mailbox_key=identity.folded_email_key(address) if address else "",
        domain_key=identity.domain_key(address) if address else "",
        vat_key=identity.vat_key(vat),
        payment_key=identity.payment_key(payment),
        address_hash=address_hash,
        has_disposable_mail=bool(address) and is_disposable(address),
    )


def _address(text: str) -> str:
    address = text.strip()
    if not address:
        return ""
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    # The message does not repeat the value: it may be somebody's address with a slip in it.
    if not address or len(address) > LONGEST_EMAIL:
        raise BadValue(_("This is not an e-mail address."), code="not_an_email", field=EMAIL)
    return address


def _email_key(address: str, digest: str) -> str:
    try:
        told = identity.email_key_of_hash(digest) if digest else ""
    except ValueError:
        raise BadValue(
            _("Send the SHA-256 of the address, trimmed and in lower case, as 64 hexadecimal digits."),
            code="not_a_hash",
            field=EMAIL_HASH,
        ) from None
    own = identity.email_key(address)
    if told and own and told != own:
        raise BadValue(
            _("This is the hash of another address than the one told."),
            code="other_address",
            field=EMAIL_HASH,
        )
    return own or told
