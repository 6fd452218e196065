"""Turn drafts of plan versions into published ones. A published version is complete, readable by the engine, dated, and never
changes; the one before it is superseded but still rates what happened in its time."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.choices import RateKind, VersionState
from tiers.models import Plan, PlanVersion, Rule

if TYPE_CHECKING:
    from prm.accounts.models import User


class AlreadyPublished(Refused):
    message = _("This version is published already; make a new one.")


class NoRules(Refused):
    message = _("A plan version needs at least one rule.")
    field = "rules"


class UnknownCondition(Refused):
    message = _("Rule “%(rule)s” names %(what)s that does not exist here: %(values)s.")
    field = "rules"


class NothingToEarn(Refused):
    message = _("Rule “%(rule)s” pays nothing: give it a percentage or a flat amount.")
    field = "rules"


@transaction.atomic
def draft_from(plan: Plan, *, by: User, at: datetime) -> PlanVersion:
    """Make the next draft version of `plan`, with the newest version's rules to start from; an open draft is returned."""
    policy.require(by, "publish_plans")
    newest = PlanVersion.objects.filter(plan=plan).order_by("-number").first()
    if newest is not None and newest.state == VersionState.DRAFT:
        return newest
    draft = PlanVersion.objects.create(plan=plan, number=newest.number + 1 if newest else 1)
    if newest is not None:
        PlanVersion.objects.filter(pk=draft.pk).update(combine=newest.combine)
        for rule in newest.rules.order_by("position"):
            rule.pk, rule.version = None, draft
            rule._state.adding = True
            rule.save()
    audit.record(by, "plan_version.drafted", draft, at=at)
    draft.refresh_from_db()
    return draft


@transaction.atomic
def publish(version: PlanVersion, *, effective_at: datetime, by: User, at: datetime) -> PlanVersion:
    """Publish a draft so that it rates events from `effective_at` on; what it replaces is superseded.

    Raises: Forbidden, AlreadyPublished, NoRules, UnknownCondition, NothingToEarn.
    """
    policy.require(by, "publish_plans")
    locked = (
        PlanVersion.objects.select_for_update(of=("self",)).select_related("plan__program").get(pk=version.pk)
    )
    if locked.state != VersionState.DRAFT:
        raise AlreadyPublished
    rules = list(locked.rules.order_by("position"))
    _check(locked, rules)
    earlier = PlanVersion.objects.filter(plan=locked.plan, state=VersionState.PUBLISHED)
    earlier.filter(effective_at__lte=effective_at).update(state=VersionState.SUPERSEDED)
    locked.state, locked.effective_at = VersionState.PUBLISHED, effective_at
    locked.published_at, locked.published_by = at, by
    locked.sha256 = fingerprint(locked, rules)
    locked.save(update_fields=["state", "effective_at", "published_at", "published_by", "sha256"])
    audit.record(by, "plan_version.published", locked, at=at, sha256=locked.sha256)
    return locked


def fingerprint(version: PlanVersion, rules: list[Rule]) -> str:
    """Return the SHA-256 of what the version says, in a fixed order of words."""
    fields = (
        "key",
        "name",
        "position",
        "kind",
        "rate",
        "flat_minor",
        "flat_on_refund",
        "event_kinds",
        "tier_keys",
        "countries",
    )
    said = {
        "plan": version.plan.public_id,
        "number": version.number,
        "combine": version.combine,
        "effective_at": version.effective_at.isoformat() if version.effective_at else None,
        "rules": [{name: _plain(getattr(rule, name)) for name in fields} for rule in rules],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(value: object) -> object:
    return value if isinstance(value, int | list) else str(value)


def _check(version: PlanVersion, rules: list[Rule]) -> None:
    if not rules:
        raise NoRules
    known_tiers = set(version.plan.program.tiers.values_list("key", flat=True))
    for rule in rules:
        if not rule.known_event_kinds():
            raise UnknownCondition(
                params={"rule": rule.name, "what": _("an event kind"), "values": ", ".join(rule.event_kinds)}
            )
        unknown = set(rule.tier_keys) - known_tiers
        if unknown:
            raise UnknownCondition(
                params={"rule": rule.name, "what": _("a tier"), "values": ", ".join(sorted(unknown))}
            )
        pays_percent = rule.kind != RateKind.FLAT and rule.rate > 0
        pays_flat = rule.kind != RateKind.PERCENT and rule.flat_minor > 0
        if not (pays_percent or pays_flat):
            raise NothingToEarn(params={"rule": rule.name})


def in_force(plan: Plan, *, at: datetime) -> PlanVersion | None:
    """Return the version that rates what happens at `at`, with its rules, None before the first."""
    return PlanVersion.objects.filter(models.Q(plan=plan)).in_force(at=at).prefetch_related("rules").first()
