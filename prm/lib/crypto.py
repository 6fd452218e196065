"""Encrypt short texts at rest and index them blindly. What is stored names its key, so keys can be rotated; the empty text stays
empty, so that "nothing given" can be told without a key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_VERSION = "v1"
_NONCE_BYTES = 12


class Unreadable(Exception):
    """A stored text that no key of ours opens in this place: wrong key, tampered with, or copied from elsewhere."""


def encrypt(text: str, *, context: str) -> str:
    """Return the envelope `v1:key_id:nonce:ciphertext` of `text`, bound to `context`, under the current key."""
    if text == "":
        return ""
    key_id, key = next(iter(_key_ring().items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_key(key)).encrypt(nonce, text.encode(), context.encode())
    return ":".join((_VERSION, key_id, _encode(nonce), _encode(sealed)))


def decrypt(envelope: str, *, context: str) -> str:
    """Return the text of an envelope made for the same `context`.

    Raises: Unreadable.
    """
    if envelope == "":
        return ""
    try:
        version, key_id, nonce, sealed = envelope.split(":")
        if version != _VERSION:
            raise Unreadable("The stored text is in a format this version does not know.")
        key = _key(_key_ring()[key_id])
        return AESGCM(key).decrypt(_decode(nonce), _decode(sealed), context.encode()).decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise Unreadable("The stored text cannot be opened with the keys given.") from error


def is_current(envelope: str) -> bool:
    """Tell whether an envelope was made with the current key; one that was not waits for rotation."""
    return envelope == "" or envelope.startswith(f"{_VERSION}:{next(iter(_key_ring()))}:")


def blind_index(value: str) -> str:
    """Return 64 hexadecimal characters that are equal for equal values and tell nothing without the key.

    The key is derived from the oldest key of the ring, so that putting a new key in front changes no index. Callers
    normalise first (an IBAN without spaces, in capitals).
    """
    oldest = list(_key_ring().values())[-1]
    return hmac.new(_index_key(oldest), value.encode(), hashlib.sha256).hexdigest()


def _key_ring() -> dict[str, str]:
    ring: dict[str, str] = settings.PRM_FIELD_KEYS
    if not ring:
        raise ImproperlyConfigured("PRM_FIELD_KEYS must name at least one key.")
    return ring


@lru_cache(maxsize=16)
def _key(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ImproperlyConfigured("A key in PRM_FIELD_KEYS is not base64.") from error
    if len(key) != 32:
        raise ImproperlyConfigured("A key in PRM_FIELD_KEYS must be 32 bytes, in base64.")
    return key


@lru_cache(maxsize=16)
def _index_key(encoded: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"prm blind index 1").derive(_key(encoded))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
