"""Append what somebody did to the audit record. The row is written in the caller's transaction, so it stands or falls with the deed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from prm.audit.context import current_request_id

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

    from prm.audit.models import AuditEvent

MASK = "***"
SECRET_WORDS = ("password", "secret", "token", "iban", "account_number", "sha256")


def record(
    by: AbstractBaseUser | None,
    action: str,
    obj: models.Model | None,
    *,
    at: datetime | None = None,
    note: str = "",
    **details: Any,
) -> AuditEvent:
    """Append one event: `by` (None for the system) did `action` to `obj`.

    `at` is the instant the caller's verb was told; without one the event stands at the moment of writing.
    """
    from prm.audit.models import AuditEvent

    return AuditEvent.objects.create(
        at=at or timezone.now(),
        actor_id=by.pk if by is not None else None,
        action=action,
        note=note,
        details={name: _plain(value, name=name) for name, value in details.items()},
        request_id=current_request_id(),
        **_identity(obj),
    )


def _identity(obj: models.Model | None) -> dict[str, str]:
    if obj is None:
        return {}
    return {
        "object_type": obj._meta.label_lower,
        "object_pk": str(obj.pk),
        "object_public_id": str(getattr(obj, "public_id", "")),
        "object_text": str(obj)[:200],
    }


def _plain(value: Any, *, name: str) -> Any:
    """Return `value` as JSON can hold it, without the secrets it may carry."""
    if any(word in name.lower() for word in SECRET_WORDS) and value not in (None, ""):
        return MASK
    if isinstance(value, dict):
        return {str(key): _plain(item, name=str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, name=name) for item in value]
    if isinstance(value, models.Model):
        return str(getattr(value, "public_id", value.pk))
    if value is None or isinstance(value, (bool, int, str, datetime)):
        return value
    return str(value)
