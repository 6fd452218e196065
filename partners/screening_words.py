"""Read domains, company names and phone numbers so that they can be compared. Nothing here asks the database."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from partners.keys import squashed
from prm.accounts.emails import fold_email

PUBLIC_MAIL = frozenset(
    {"aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "interia.pl"}
    | {
        "laposte.net",
        "live.com",
        "mail.com",
        "me.com",
        "msn.com",
        "o2.pl",
        "onet.pl",
        "orange.fr",
        "outlook.com",
    }
    | {
        "proton.me",
        "protonmail.com",
        "sfr.fr",
        "wanadoo.fr",
        "web.de",
        "wp.pl",
        "yahoo.com",
        "yahoo.co.uk",
        "yahoo.fr",
    }
)
PLATFORMS = frozenset(
    {
        "facebook.com",
        "instagram.com",
        "linkedin.com",
        "linktr.ee",
        "medium.com",
        "pinterest.com",
        "substack.com",
    }
    | {"tiktok.com", "twitch.tv", "twitter.com", "x.com", "youtube.com", "youtu.be"}
)
# Endings under which names are registered one level deeper, as far as our applicants' countries use them.
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
_FORMS = frozenset(
    {
        "ab",
        "ag",
        "as",
        "bv",
        "co",
        "company",
        "corp",
        "gmbh",
        "inc",
        "kft",
        "limited",
        "llc",
        "llp",
        "ltd",
        "oy",
    }
    | {"plc", "sa", "sarl", "sas", "spa", "srl"}
)


def domain_of(address: str) -> str:
    """Return the registered domain of a web address, a host name or an e-mail address, in lower case."""
    host = address.rpartition("@")[2] if "@" in address and "/" not in address else _host(address)
    labels = host.lower().rstrip(".").split(".")
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


def name_key(name: str) -> str:
    """Return a company's name without legal form, case and punctuation, for comparing."""
    words = "".join(char if char.isalnum() else " " for char in fold_email(name)).split()
    kept = [word for word in words if word not in _FORMS]
    return " ".join(kept or words)


def is_disposable(email: str) -> bool:
    """Say whether the mailbox is at a provider of throw-away addresses."""
    host = email.rpartition("@")[2].lower()
    return host in _disposable() or domain_of(email) in _disposable()


def _host(address: str) -> str:
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=1)
def _disposable() -> frozenset[str]:
    lines = Path(__file__).with_name("disposable_domains.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def host_of(address: str) -> str:
    """Return the host of a web address without www, as partners/keys.py finds it; nothing for a broken one."""
    return _host(address).removeprefix("www.")


def phone_key(phone: str) -> str:
    """Return the digits of a phone number, with its country code when one was written."""
    digits = "".join(char for char in phone if char.isdigit())
    return digits[2:] if digits.startswith("00") else digits


def place_key(street: str, postcode: str) -> str:
    """Return an address for comparing; nothing unless both street and postcode are known."""
    street, postcode = squashed(street), squashed(postcode)
    return f"{postcode} {street}" if street and postcode else ""
