"""Sign a call, so that whoever gets it knows who made it and that nothing was changed on the way. The headers are those of the Standard
Webhooks specification 1.0.0; while a secret is being rotated, both sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

from payouts.models import Postback


def headers_of(postback: Postback, *, name: str, body: bytes, at: datetime) -> dict[str, str]:
    """Return the headers of a call named `name`, the same at each attempt but for the instant."""
    instant = str(int(at.timestamp()))
    keys = [postback.secret]
    if postback.previous_secret and postback.previous_ends_at is not None and at < postback.previous_ends_at:
        keys.append(postback.previous_secret)
    return {
        "Content-Type": "application/json",
        "User-Agent": "prm-postback/1",
        "webhook-id": name,
        "webhook-timestamp": instant,
        "webhook-signature": " ".join(signature(key, name=name, instant=instant, body=body) for key in keys),
    }


def signature(secret: str, *, name: str, instant: str, body: bytes) -> str:
    """Return the signature of a call: HMAC-SHA256 over name, instant and body with the bytes the secret stands for."""
    key = base64.urlsafe_b64decode(_padded(secret.removeprefix("whsec_")))
    digest = hmac.new(key, b".".join((name.encode(), instant.encode(), body)), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
