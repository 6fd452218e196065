"""Move a version for one partner from draft to proposed to published, or back. What is proposed cannot change while it waits, and it
takes effect only when the partner has accepted exactly that."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.events import announce
from tiers import publishing
from tiers.choices import VersionState
from tiers.events import PlanVersionPublished
from tiers.fingerprints import fingerprint
from tiers.models import PlanVersion
from tiers.proofs import prove

if TYPE_CHECKING:
    from prm.accounts.models import User

LONGEST_REASON = 2000


class ForEverybody(Refused):
    message = _("This version is for everybody: publish it.")


class NotADraft(Refused):
    message = _("Only a draft can be proposed.")


class NotProposed(Refused):
    message = _("This proposal is no longer open.")


class Changed(Refused):
    message = _("This proposal was changed after you opened it. Read it again before you answer.")


class Altered(Refused):
    message = _(
        "These terms are not the ones that were proposed: something in them was changed since. Ask for a new proposal."
    )


class NoReason(Refused):
    message = _("Say what does not suit you, so that there can be another proposal.")
    field = "reason"


@transaction.atomic
def propose(version: PlanVersion, *, effective_at: datetime, by: User, at: datetime) -> PlanVersion:
    """Propose a draft for one partner; it cannot be edited until it is answered or withdrawn.

    Raises: Forbidden, ForEverybody, NotADraft, and what publishing would refuse.
    """
    policy.require(by, "publish_plans")
    locked = publishing.lock(version)
    if not locked.member_key:
        raise ForEverybody
    if locked.state != VersionState.DRAFT:
        raise NotADraft
    publishing.check_date(locked, effective_at=effective_at, at=at)
    prove(locked, effective_at=effective_at)
    locked.state, locked.effective_at = VersionState.PROPOSED, effective_at
    locked.proposed_at, locked.proposed_by = at, by
    locked.sha256 = fingerprint(locked)
    locked.save(update_fields=["state", "effective_at", "proposed_at", "proposed_by", "sha256"])
    audit.record(by, "plan_version.proposed", locked, at=at, fingerprint=locked.sha256)
    return locked


@transaction.atomic
def accept(version: PlanVersion, *, shown: str, by: User, at: datetime) -> PlanVersion:
    """Publish what was proposed, from its date on or from now when that has passed.

    `shown` is the fingerprint of what `by` has read; that `by` may speak for the partner is the caller's to know.

    Raises: NotProposed, Changed, Altered, SameInstant.
    """
    locked = _open(version)
    proposed_by = locked.proposed_by
    if shown != locked.sha256 or locked.effective_at is None or proposed_by is None:
        raise Changed
    if shown != fingerprint(locked):  # what stands there now, whatever the version says about itself
        raise Altered
    effective_at = max(locked.effective_at, at)
    publishing.check_date(locked, effective_at=effective_at, at=at)
    locked.accepted_at, locked.accepted_by = at, by
    locked.save(update_fields=["accepted_at", "accepted_by"])
    publishing.put_in_force(locked, effective_at=effective_at, by=proposed_by, at=at)
    audit.record(
        by,
        "plan_version.accepted",
        locked,
        at=at,
        effective_at=effective_at,
        shown=shown,
        fingerprint=locked.sha256,
    )
    announce(PlanVersionPublished(locked.pk))
    return locked


@transaction.atomic
def decline(version: PlanVersion, *, reason: str, by: User | None, at: datetime) -> PlanVersion:
    """Give a proposal back to those who made it, with the reason; it is a draft again.

    Nobody is named in `by` when somebody without an account says so, or time does.

    Raises: NotProposed, NoReason.
    """
    locked = _open(version)
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise NoReason
    return _reopen(locked, "plan_version.declined", by=by, at=at, note=reason)


@transaction.atomic
def withdraw(version: PlanVersion, *, by: User, at: datetime, note: str = "") -> PlanVersion:
    """Take a proposal back before it is answered; it is a draft again.

    Raises: Forbidden, NotProposed.
    """
    policy.require(by, "publish_plans")
    return _reopen(_open(version), "plan_version.withdrawn", by=by, at=at, note=note)


@transaction.atomic
def lapse(version: PlanVersion, *, by: User | None, at: datetime) -> PlanVersion:
    """Take a proposal back because there is nobody any more to answer it; it is a draft again. Raises: NotProposed."""
    return _reopen(_open(version), "plan_version.lapsed", by=by, at=at, note="")


def _open(version: PlanVersion) -> PlanVersion:
    locked = publishing.lock(version)
    if locked.state != VersionState.PROPOSED:
        raise NotProposed
    return locked


def _reopen(locked: PlanVersion, action: str, *, by: User | None, at: datetime, note: str) -> PlanVersion:
    audit.record(by, action, locked, at=at, note=note, fingerprint=locked.sha256)
    locked.state, locked.effective_at, locked.sha256 = VersionState.DRAFT, None, ""
    locked.proposed_at = locked.proposed_by = None
    locked.save(update_fields=["state", "effective_at", "sha256", "proposed_at", "proposed_by"])
    return locked
