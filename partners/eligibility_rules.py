"""Write, switch on, order and retire eligibility rules. A rule in use is never changed: what decided yesterday can be read tomorrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from partners.choices import RejectionReason, RuleDecision
from partners.eligibility_conditions import read
from partners.models import EligibilityRule
from partners.placement import OtherProgram, OutOfUse
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from prm.accounts.models import User


class InUse(Refused):
    message = _("A rule in use cannot be changed: retire it and make a new one.")


class NotInUse(Refused):
    message = _("This rule is not in use.")


class NoTier(Refused):
    message = _("Choose the tier approved applicants start in.")
    field = "tier"


class NoReason(Refused):
    message = _("Choose the reason applicants are told.")
    field = "reason"


@transaction.atomic
def draft(
    program: Program,
    *,
    name: str,
    decision: str,
    conditions: Sequence[Mapping[str, Any]],
    by: User,
    at: datetime,
    tier: Tier | None = None,
    reason: str = "",
    reapply_days: int | None = None,
    note: str = "",
) -> EligibilityRule:
    """Write a rule down at the end of the program's order; nothing is decided by it before it is switched on.

    Raises: Forbidden, BadCondition, NoConditions, NoTier, NoReason, OtherProgram.
    """
    policy.require(by, "manage_eligibility")
    last = EligibilityRule.objects.filter(program=program, retired_at=None).aggregate(last=Max("position"))
    rule = EligibilityRule(program=program, position=(last["last"] or 0) + 1, created_at=at, created_by=by)
    _fill(rule, name, decision, conditions, tier, reason, reapply_days, note)
    rule.save()
    audit.record(by, "eligibility_rule.drafted", rule, at=at, decision=rule.decision)
    return rule


@transaction.atomic
def change(
    rule: EligibilityRule,
    *,
    name: str,
    decision: str,
    conditions: Sequence[Mapping[str, Any]],
    by: User,
    at: datetime,
    tier: Tier | None = None,
    reason: str = "",
    reapply_days: int | None = None,
    note: str = "",
) -> EligibilityRule:
    """Change a rule that is not in use yet.

    Raises: Forbidden, InUse, BadCondition, NoConditions, NoTier, NoReason, OtherProgram.
    """
    rule = _unused(rule, by)
    _fill(rule, name, decision, conditions, tier, reason, reapply_days, note)
    rule.save()
    audit.record(by, "eligibility_rule.changed", rule, at=at, decision=rule.decision)
    return rule


@transaction.atomic
def activate(rule: EligibilityRule, *, by: User, at: datetime) -> EligibilityRule:
    """Let a rule decide on applications that begin to count from now on, in the name of `by`.

    Raises: Forbidden, InUse.
    """
    policy.require(by, "decide_applications")
    rule = _unused(rule, by)
    rule.activated_at, rule.activated_by = at, by
    rule.save(update_fields=["activated_at", "activated_by"])
    audit.record(by, "eligibility_rule.activated", rule, at=at, conditions=rule.conditions)
    return rule


@transaction.atomic
def retire(rule: EligibilityRule, *, by: User, at: datetime) -> EligibilityRule:
    """Let a rule decide on nothing any more; a draft goes the same way.

    Raises: Forbidden, NotInUse.
    """
    policy.require(by, "manage_eligibility")
    if not EligibilityRule.objects.filter(pk=rule.pk, retired_at=None).update(retired_at=at):
        raise NotInUse
    rule.refresh_from_db()
    audit.record(by, "eligibility_rule.retired", rule, at=at)
    return rule


@transaction.atomic
def move(rule: EligibilityRule, *, up: bool, by: User, at: datetime) -> EligibilityRule:
    """Let a rule be asked one place earlier or later among those of its program.

    Raises: Forbidden, NotInUse.
    """
    policy.require(by, "manage_eligibility")
    order = list(
        EligibilityRule.objects.filter(program=rule.program_id, retired_at=None)
        .lock()
        .order_by("position", "pk")
    )
    here = next((place for place, each in enumerate(order) if each.pk == rule.pk), None)
    if here is None:
        raise NotInUse
    there = here - 1 if up else here + 1
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
    for position, each in enumerate(order, start=1):
        if each.position != position:
            EligibilityRule.objects.filter(pk=each.pk).update(position=position)
    rule.refresh_from_db()
    audit.record(by, "eligibility_rule.moved", rule, at=at, position=rule.position)
    return rule


def _unused(rule: EligibilityRule, by: User) -> EligibilityRule:
    policy.require(by, "manage_eligibility")
    locked = EligibilityRule.objects.lock().select_related("program", "tier").get(pk=rule.pk)
    if locked.activated_at is not None or locked.retired_at is not None:
        raise InUse
    return locked


def _fill(
    rule: EligibilityRule,
    name: str,
    decision: str,
    conditions: Sequence[Mapping[str, Any]],
    tier: Tier | None,
    reason: str,
    reapply_days: int | None,
    note: str,
) -> None:
    approves, rejects = decision == RuleDecision.APPROVE, decision == RuleDecision.REJECT
    if approves and tier is None:
        raise NoTier
    if approves and tier is not None and tier.program_id != rule.program_id:
        raise OtherProgram
    if approves and tier is not None and tier.retired_at is not None:
        raise OutOfUse
    if rejects and reason not in RejectionReason.values:
        raise NoReason
    rule.name, rule.decision, rule.note = name.strip(), RuleDecision(decision).value, note.strip()
    rule.conditions = [condition.stored() for condition in read(conditions)]
    rule.tier = tier if approves else None
    rule.reason = reason if rejects else ""
    rule.reapply_days = reapply_days if rejects else None
