"""Recognise people without keeping who they are: e-mail addresses, domains, VAT numbers and means of payment as blind indexes. Equal
values give equal keys, and nobody can read a value from its key."""

from __future__ import annotations

import hashlib
import re

from partners.screening_words import PUBLIC_MAIL, domain_of
from prm.accounts.emails import fold_email
from prm.lib.crypto import blind_index

_DOTS_DO_NOT_COUNT = frozenset({"gmail.com", "googlemail.com"})
_SHA256 = re.compile(r"[0-9a-f]{64}")


def email_key(email: str) -> str:
    """Return the key of an e-mail address; nothing for none."""
    return email_key_of_hash(hash_of_email(email)) if email.strip() else ""


def hash_of_email(email: str) -> str:
    """Return what a shop sends instead of an address: SHA-256, in hexadecimal, of it trimmed and in lower case."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def email_key_of_hash(digest: str) -> str:
    """Return the key of an address known by `hash_of_email` only.

    Raises: ValueError when it is no such hash.
    """
    folded = digest.strip().lower()
    if not _SHA256.fullmatch(folded):
        raise ValueError("This is no SHA-256 in hexadecimal.")
    return blind_index(f"email|{folded}")


def folded_email_key(email: str) -> str:
    """Return a key that is equal for addresses that reach one mailbox: what follows a plus sign is left out, and the dots of some
    providers."""
    name, _at, host = fold_email(email).rpartition("@")
    name = name.split("+", 1)[0]
    if host in _DOTS_DO_NOT_COUNT:
        name = name.replace(".", "")
    return blind_index(f"mailbox|{name}@{host}") if name else ""


def domain_key(email: str) -> str:
    """Return the key of a company's mail domain; nothing for providers anybody can have a mailbox at."""
    domain = domain_of(email)
    return blind_index(f"domain|{domain}") if domain and domain not in PUBLIC_MAIL else ""


def vat_key(number: str) -> str:
    """Return the key of a VAT number, whatever blanks, dots and hyphens it is written with."""
    plain = re.sub(r"[^A-Z0-9]", "", number.upper())
    return blind_index(f"vat|{plain}") if plain else ""


def payment_key(fingerprint: str) -> str:
    """Return the key of a means of payment, as the shop's payment provider names it."""
    plain = fingerprint.strip()
    return blind_index(f"payment|{plain}") if plain else ""
