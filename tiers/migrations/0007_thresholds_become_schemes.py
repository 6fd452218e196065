"""What tiers asked for becomes a scheme of its program, and the column it stood in goes. Retired tiers leave their rank free."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import Any

import django.db.models
from django.db import migrations
from django.utils import timezone


def make_schemes(apps: Any, _editor: Any) -> None:
    """Publish, for every program whose tiers asked for revenue, a scheme that asks for the same and reviews nobody by itself.

    The lowest tier is everybody's: what it asked for was never looked at.
    """
    Tier, TierScheme = apps.get_model("tiers", "Tier"), apps.get_model("tiers", "TierScheme")
    now = timezone.now()
    programs: dict[int, list[Any]] = {}
    asking = Tier.objects.filter(revenue_from_minor__gt=0).select_related("program")
    for tier in asking.order_by("program_id", "rank", "pk"):
        below = Tier.objects.filter(program_id=tier.program_id, track=tier.track, rank__lt=tier.rank)
        if not below.exists():
            continue
        programs.setdefault(tier.program_id, []).append(tier)
    for program_id, tiers in programs.items():
        if TierScheme.objects.filter(program_id=program_id).exists():
            continue  # somebody wrote one already
        row = TierScheme(program_id=program_id, number=1, state="published", definition=_definition(tiers))
        row.created_at = row.effective_at = row.published_at = now
        row.sha256 = _fingerprint(row, tiers[0].program.public_id)
        row.save()


def _definition(tiers: list[Any]) -> dict[str, Any]:
    never = {"every": "never", "day": 1, "month": 1}
    return {
        "tiers": {
            tier.key: {
                "combine": "all",
                "needed": 0,
                "requirements": [
                    {
                        "key": "revenue",
                        "metric": "net_revenue",
                        "window": "trailing",
                        "months": 12,
                        "params": {},
                        "operator": "at_least",
                        "threshold": str(tier.revenue_from_minor),
                        "weight": 0,
                    }
                ],
            }
            for tier in tiers
        },
        "points": [],
        "calendar": {"promotion": never, "demotion": never},
        "process": {
            "grace_days": 60,
            "appeal_days": 14,
            "answer_days": 5,
            "up": "person",
            "down": "person",
            "fall": "one_step",
            "customers_keep_months": 0,
            "protected_days": 365,
        },
    }


def _fingerprint(row: Any, program: str) -> str:
    said = {
        "program": program,
        "number": row.number,
        "effective_at": row.effective_at.astimezone(UTC).isoformat(),
        "definition": row.definition,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def fill_thresholds(apps: Any, _editor: Any) -> None:
    """Put the revenue a program's scheme asks for back into its tiers."""
    Tier, TierScheme = apps.get_model("tiers", "Tier"), apps.get_model("tiers", "TierScheme")
    for row in TierScheme.objects.filter(state="published"):
        for key, ask in row.definition.get("tiers", {}).items():
            for each in ask.get("requirements", []):
                if each["metric"] == "net_revenue" and each["window"] == "trailing" and each["months"] == 12:
                    tiers = Tier.objects.filter(program_id=row.program_id, key=key)
                    tiers.update(revenue_from_minor=int(each["threshold"]))


class Migration(migrations.Migration):
    dependencies = [("tiers", "0006_guards_of_schemes")]

    operations = [
        migrations.RunPython(make_schemes, fill_thresholds),
        migrations.RemoveConstraint(model_name="tier", name="tiers_tier_revenue_not_negative"),
        migrations.RemoveField(model_name="tier", name="revenue_from_minor"),
        migrations.RemoveConstraint(model_name="tier", name="tiers_tier_one_per_rank"),
        migrations.AddConstraint(
            model_name="tier",
            constraint=django.db.models.UniqueConstraint(
                condition=django.db.models.Q(retired_at=None),
                fields=("program", "track", "rank"),
                name="tiers_tier_one_per_rank",
            ),
        ),
    ]
