"""Make the secret words in links we mail. Only their hash is kept, so a stolen copy of the database opens nobody's page."""

from __future__ import annotations

import base64
import hashlib
import secrets

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from partners.models import Application

_SALT = "partners.application.status"


def new_token() -> str:
    """Return a word of 256 random bits for one link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def first_status_token(public_id: str) -> str:
    """Return the word of a new application's status link."""
    return _signed(public_id, settings.SECRET_KEY)


def status_token(application: Application) -> str:
    """Return the word of the status link again, for the next mail.

    It follows from the id and our secret key. Links mailed under a key that has been rotated out since go on working,
    as their hash is stored; once no key of ours makes them any more, a new word takes their place.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = _signed(application.public_id, key)
        if constant_time_compare(digest(token), application.token_sha256):
            return token
    token = first_status_token(application.public_id)
    application.token_sha256 = digest(token)
    application.save(update_fields=["token_sha256"])
    return token


def _signed(public_id: str, key: str) -> str:
    mac = salted_hmac(_SALT, public_id, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
