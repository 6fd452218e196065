"""Ask for a dry run. What is tried is checked before a worker starts on it, so that a long run never ends in a typing error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts.choices import DryRunKind
from payouts.models import DryRun
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.runs import lifecycle
from prm.runs.models import Run
from tiers.choices import Deduction
from tiers.models import PlanVersion, Program

if TYPE_CHECKING:
    from prm.accounts.models import User

RUN_KIND = "payouts.dry_run"
PHASE = "Partners"
SETTINGS = ("clawback_days", "deducts", "excluded_products", "excluded_categories")


class EmptyRange(Refused):
    message = _("The range of events must end after it begins.")
    field = "ends_at"


class NoVersion(Refused):
    message = _("Choose the plan version to try.")
    field = "version"


class UnknownTier(Refused):
    message = _("%(tier)s is not a tier of this program.")
    field = "to_tier"


class SameTier(Refused):
    message = _("Both tiers are the same, so nothing would change.")
    field = "to_tier"


class UnknownMembership(Refused):
    message = _("%(key)s is not a membership of this program.")
    field = "memberships"


class NothingToTry(Refused):
    message = _("Say which setting to try.")
    field = "changes"


class BadSetting(Refused):
    message = _("%(name)s cannot be %(value)s.")
    field = "changes"


@transaction.atomic
def ask(
    program: Program,
    kind: str,
    *,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    at: datetime,
    version: PlanVersion | None = None,
    changes: Mapping[str, Any] | None = None,
) -> tuple[DryRun, Run]:
    """Record what is to be tried and ring a worker; see `record` for the arguments and what it raises."""
    made = record(
        program, kind, starts_at=starts_at, ends_at=ends_at, by=by, at=at, version=version, changes=changes
    )
    run = lifecycle.start(
        RUN_KIND,
        title=f"Dry run for {program.name}",
        at=at,
        by=by,
        subject=made.public_id,
        phases=[PHASE],
        parameters={"dry_run": made.public_id},
    )
    return made, run


@transaction.atomic
def record(
    program: Program,
    kind: str,
    *,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    at: datetime,
    version: PlanVersion | None = None,
    changes: Mapping[str, Any] | None = None,
) -> DryRun:
    """Record what is to be tried on the events from `starts_at` to before `ends_at`; the caller does the work.

    `changes` are {"from", "to", "memberships"} for a tier, settings of the program for a setting, and for moves {"moves": {public
    id of a membership: tier key}}.
    Raises: Forbidden, EmptyRange, NoVersion, UnknownTier, SameTier, UnknownMembership, NothingToTry, BadSetting.
    """
    policy.require(by, "try_plans")
    if starts_at >= ends_at:
        raise EmptyRange
    told = dict(changes or {})
    _CHECKS[DryRunKind(kind)](program, version, told)
    made = DryRun.objects.create(
        program=program,
        kind=kind,
        version=version if kind == DryRunKind.PLAN else None,
        changes=told,
        starts_at=starts_at,
        ends_at=ends_at,
        requested_at=at,
        requested_by=by,
    )
    audit.record(by, "dry_run.asked", made, at=at, kind=kind, changes=told)
    return made


def latest_run(dry_run: DryRun) -> Run | None:
    """Return the job that works on a dry run."""
    return Run.objects.filter(kind=RUN_KIND, subject=dry_run.public_id).newest_first().first()


def publishable(dry_run: DryRun) -> dict[str, Any]:
    """Return a finished report as its version keeps it: the sums, without the partners."""
    return {
        **{name: dry_run.report[name] for name in _KEPT},
        "dry_run": dry_run.public_id,
        "starts_at": dry_run.starts_at.isoformat(),
        "ends_at": dry_run.ends_at.isoformat(),
    }


_KEPT = ("currency", "total", "winners", "losers", "unchanged", "tiers", "months", "uncovered")


def _check_plan(program: Program, version: PlanVersion | None, changes: Mapping[str, Any]) -> None:
    if version is None or version.plan.program_id != program.pk:
        raise NoVersion


def _check_tier(program: Program, version: PlanVersion | None, changes: Mapping[str, Any]) -> None:
    known = set(program.tiers.values_list("key", flat=True))
    for name in ("from", "to"):
        key = changes.get(name, "")
        if key not in known and not (name == "from" and key == ""):
            raise UnknownTier(params={"tier": key or _("Nothing")})
    if changes.get("from") == changes["to"]:
        raise SameTier
    wanted = set(changes.get("memberships", ()))
    found = Membership.objects.filter(program=program, public_id__in=wanted)
    for key in sorted(wanted - set(found.values_list("public_id", flat=True))):
        raise UnknownMembership(params={"key": key})


def _check_moves(program: Program, version: PlanVersion | None, changes: Mapping[str, Any]) -> None:
    moves = changes.get("moves")
    if not isinstance(moves, dict) or not moves:
        raise NothingToTry
    known = set(program.tiers.values_list("key", flat=True))
    for key in sorted({str(each) for each in moves.values()} - known):
        raise UnknownTier(params={"tier": key or _("Nothing")})
    found = Membership.objects.filter(program=program, public_id__in=moves)
    for key in sorted(moves.keys() - set(found.values_list("public_id", flat=True))):
        raise UnknownMembership(params={"key": key})


def _check_setting(program: Program, version: PlanVersion | None, changes: Mapping[str, Any]) -> None:
    if not changes:
        raise NothingToTry
    for name, value in changes.items():
        if not _is_setting(name, value):
            raise BadSetting(params={"name": name, "value": value})


def _is_setting(name: str, value: object) -> bool:
    if name == "clawback_days":
        return value is None or (type(value) is int and 0 <= value <= 32767)
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name == "deducts":
        return texts and set(value) <= set(Deduction.values)  # type: ignore[call-overload]
    return name in SETTINGS and texts


_CHECKS = {
    DryRunKind.PLAN: _check_plan,
    DryRunKind.TIER: _check_tier,
    DryRunKind.SETTING: _check_setting,
    DryRunKind.MOVES: _check_moves,
}
