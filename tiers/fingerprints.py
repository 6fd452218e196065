"""The fingerprint of a plan version: what it says, in a fixed order of words, as one hash. Whoever accepted a version accepted this."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

from django.db import models

from tiers.engine.reading import RULE_FIELDS
from tiers.models import PlanVersion

_VERSION = (
    "number",
    "member_key",
    "combine",
    "deducts",
    "excluded_products",
    "excluded_categories",
    "grandfather",
    "notice_days",
)
_CASE = ("name", "facts", "expected_minor")


def fingerprint(version: PlanVersion) -> str:
    """Return the SHA-256 of what the version says, its rules and its examples included."""
    said = {
        "plan": version.plan.public_id,
        "effective_at": version.effective_at.astimezone(UTC).isoformat() if version.effective_at else None,
        "rules": [_said(rule, RULE_FIELDS) for rule in version.rules.order_by("position", "key")],
        "cases": [_said(case, _CASE) for case in version.cases.order_by("name")],
        **_said(version, _VERSION),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _said(row: models.Model, names: tuple[str, ...]) -> dict[str, object]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: object) -> object:
    return value if isinstance(value, int | list | dict) else str(value)
