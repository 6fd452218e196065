"""Make the secret words in links we mail. Only their hash is kept, so a stolen copy of the database opens nobody's page."""

from __future__ import annotations

import base64
import hashlib
import secrets

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from partners.models import Application
from prm.lib import ids

_SALT = "partners.application.status"
_DRAFT_SALT = "partners.application.draft"
_MAILBOX_SALT = "partners.application.mailbox"
_NETWORK_SALT = "partners.application.network"
_PREFIX, _ULID = "app_", 26


def new_token() -> str:
    """Return a word of 256 random bits for one link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def network_mark(address: str) -> str:
    """Return what tells one network address from another without naming it."""
    return _signed(address, settings.SECRET_KEY, salt=_NETWORK_SALT)


def first_status_token(public_id: str) -> str:
    """Return the word of a new application's status link."""
    return _signed(public_id, settings.SECRET_KEY)


def status_token(application: Application) -> str:
    """Return the word of the status link again, for the next mail.

    It follows from the id and our secret key. Links mailed under a key that has been rotated out since go on working,
    as their hash is stored; once no key of ours makes them any more, a new word takes their place.
    """
    for key in _keys():
        token = _signed(application.public_id, key)
        if constant_time_compare(digest(token), application.token_sha256):
            return token
    return _renewed(application, first_status_token(application.public_id))


def first_draft_token(public_id: str) -> str:
    """Return the word that opens a new draft: the name of the draft, then its seal.

    Who knows it can go on with the draft, and cannot open the page of the application the draft becomes: that would
    prove a mailbox nobody has read.
    """
    return _draft_word(public_id, settings.SECRET_KEY)


def draft_token(draft: Application) -> str:
    """Return the word of a draft again, for a mail."""
    for key in _keys():
        token = _draft_word(draft.public_id, key)
        if constant_time_compare(digest(token), draft.token_sha256):
            return token
    return _renewed(draft, first_draft_token(draft.public_id))


def mailed_draft_token(draft: Application) -> str:
    """Return the word of a draft for a mail to its mailbox, sealed so that using it proves the mailbox."""
    seal = _signed(_mailbox(draft), settings.SECRET_KEY, salt=_MAILBOX_SALT)
    return f"{draft_token(draft)}.{seal}"


def split_mailed(token: str) -> tuple[str, str]:
    """Return the word of a draft and the seal behind it."""
    word, _dot, seal = token.partition(".")
    return word, seal


def is_sealed_for(draft: Application, seal: str) -> bool:
    """Tell whether a seal was made for the mailbox the draft names now."""
    made = [_signed(_mailbox(draft), key, salt=_MAILBOX_SALT).encode() for key in _keys()]
    given = seal.encode("utf-8", "surrogatepass")
    return bool(draft.email_folded) and any(constant_time_compare(given, each) for each in made)


def draft_named_by(token: str) -> str:
    """Return the public id of the draft that a word of ours was made for, whether or not it is there; else nothing."""
    public_id = _PREFIX + token[:_ULID]
    if not ids.is_public_id(public_id, "app"):
        return ""
    # Bytes, as a stranger may send characters that a comparison of texts does not take.
    given = token.encode("utf-8", "surrogatepass")
    known = (_draft_word(public_id, key).encode() for key in _keys())
    return public_id if any(constant_time_compare(given, each) for each in known) else ""


def _mailbox(draft: Application) -> str:
    return f"{draft.public_id}:{draft.email_folded}"


def _draft_word(public_id: str, key: str) -> str:
    return public_id.removeprefix(_PREFIX) + _signed(public_id, key, salt=_DRAFT_SALT)


def _renewed(application: Application, token: str) -> str:
    application.token_sha256 = digest(token)
    application.save(update_fields=["token_sha256"])
    return token


def _keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _signed(public_id: str, key: str, *, salt: str = _SALT) -> str:
    mac = salted_hmac(salt, public_id, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
