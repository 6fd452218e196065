"""Sign what a shop's server tells an inlet, and check such a signature. The canonical query is fixed to the byte, so that two programs in
any language come to the same signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote

SIGNATURE = "sig"


def canonical(values: Mapping[str, str]) -> str:
    """Return what is signed: every parameter but the signature, sorted by name, percent-encoded in UTF-8 and joined as a query.

    All but A to Z, a to z, 0 to 9, hyphen, dot, underscore and tilde is encoded, a blank as %20.
    """
    pairs = sorted((name, value) for name, value in values.items() if name != SIGNATURE)
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def sign(values: Mapping[str, str], secret: str) -> str:
    """Return the signature: HMAC-SHA256 of the canonical query with the secret, in lower-case hexadecimal."""
    return hmac.new(secret.encode(), canonical(values).encode(), hashlib.sha256).hexdigest()


def is_signed(values: Mapping[str, str], secrets: Iterable[str]) -> bool:
    """Say whether one of the secrets made the signature; every comparison takes the same time."""
    given = values.get(SIGNATURE, "").lower().encode()
    same = [hmac.compare_digest(given, sign(values, secret).encode()) for secret in secrets]
    return any(same)
