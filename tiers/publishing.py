"""Turn drafts of plan versions into published ones. A published version is complete, readable by the engine, dated, proven by its own
examples, and never changes; the one before it is superseded but still rates what happened in its time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.periods import hold_until
from tiers.choices import Grandfather, VersionState
from tiers.events import PlanVersionPublished
from tiers.fingerprints import fingerprint
from tiers.models import Plan, PlanCase, PlanVersion, Rule
from tiers.proofs import prove

if TYPE_CHECKING:
    from prm.accounts.models import User

_EVERYBODY = ""


class AlreadyPublished(Refused):
    message = _("This version is published already; make a new one.")


class ForOnePartner(Refused):
    message = _(
        "This version is for one partner: propose it, and it takes effect when the partner accepts it."
    )


class ProposalWaits(Refused):
    message = _("A proposal waits for this partner's answer. Withdraw it before you make another one.")


class InThePast(Refused):
    message = _(
        "What has happened was rated by the version of its time: a new version begins now or later, not on"
        " %(moment)s. Leave the date empty to begin at once."
    )
    field = "effective_on"


class SameInstant(Refused):
    message = _("Version %(number)s begins at exactly this moment. Two versions never begin together.")
    field = "effective_on"


class NoticeTooShort(Refused):
    message = _(
        "This version gives partners %(days)s days' notice, so it begins on %(earliest)s at the earliest."
    )
    field = "effective_on"


@transaction.atomic
def draft_from(plan: Plan, *, by: User, at: datetime, member_key: str = _EVERYBODY) -> PlanVersion:
    """Make the next draft version of `plan`, with the newest version's rules to start from; an open draft is returned.

    With `member_key` the draft is for that membership only and starts from what is agreed with it, else from what is
    for everybody.

    Raises: Forbidden, ProposalWaits.
    """
    policy.require(by, "publish_plans")
    Plan.objects.select_for_update().get(pk=plan.pk)  # two people begin one draft, not two with one number
    chain = PlanVersion.objects.filter(plan=plan, member_key=member_key)
    found = chain.filter(state=VersionState.DRAFT).first()
    if found is not None:
        return found
    if chain.filter(state=VersionState.PROPOSED).exists():
        raise ProposalWaits
    newest = plan.versions.order_by("-number").first()
    draft = PlanVersion.objects.create(
        plan=plan, number=newest.number + 1 if newest else 1, member_key=member_key
    )
    source = chain.published().order_by("-number").first()
    if source is None and member_key != _EVERYBODY:
        source = plan.versions.of_program().published().order_by("-effective_at", "-number").first()
    if source is not None:
        _copy(source, draft)
    audit.record(by, "plan_version.drafted", draft, at=at)
    draft.refresh_from_db()
    return draft


_COPIED = ("combine", "deducts", "excluded_products", "excluded_categories", "grandfather", "notice_days")


def _copy(source: PlanVersion, draft: PlanVersion) -> None:
    values = {name: getattr(source, name) for name in _COPIED}
    if draft.member_key != source.member_key:  # what an agreement with one partner does not need
        values |= {"grandfather": Grandfather.NOBODY, "notice_days": 0}
    PlanVersion.objects.filter(pk=draft.pk).update(**values)
    rows: list[Rule | PlanCase] = [*source.rules.order_by("position"), *source.cases.order_by("name")]
    for row in rows:
        row.pk, row.version = None, draft
        row._state.adding = True
        row.save()


@transaction.atomic
def publish(version: PlanVersion, *, effective_at: datetime, by: User, at: datetime) -> PlanVersion:
    """Publish a draft so that it rates events from `effective_at` on; what it replaces is superseded.

    Raises: Forbidden, AlreadyPublished, ForOnePartner, InThePast, SameInstant, NoticeTooShort, and what
    `tiers.proofs.prove` refuses.
    """
    policy.require(by, "publish_plans")
    locked = lock(version)
    if locked.state != VersionState.DRAFT:
        raise AlreadyPublished
    if locked.member_key:
        raise ForOnePartner
    check_date(locked, effective_at=effective_at, at=at)
    _check_notice(locked, effective_at=effective_at, at=at)
    prove(locked, effective_at=effective_at)
    put_in_force(locked, effective_at=effective_at, by=by, at=at)
    audit.record(
        by, "plan_version.published", locked, at=at, effective_at=effective_at, fingerprint=locked.sha256
    )
    announce(PlanVersionPublished(locked.pk))
    return locked


def lock(version: PlanVersion) -> PlanVersion:
    """Return the version, locked with its plan: one version of a plan is published at a time."""
    Plan.objects.select_for_update().get(pk=version.plan_id)
    rows = PlanVersion.objects.select_for_update(of=("self",)).select_related("plan__program")
    return rows.get(pk=version.pk)


def check_date(version: PlanVersion, *, effective_at: datetime, at: datetime) -> None:
    """Refuse a beginning in the past, once anything was ever published, and one that another version has.

    Raises: InThePast, SameInstant.
    """
    published = PlanVersion.objects.filter(plan=version.plan).published()
    if effective_at < at and published.exists():
        raise InThePast(params={"moment": _moment_text(version, effective_at)})
    other = published.filter(member_key=version.member_key, effective_at=effective_at).first()
    if other is not None:
        raise SameInstant(params={"number": other.number})


def put_in_force(version: PlanVersion, *, effective_at: datetime, by: User, at: datetime) -> None:
    """Publish a locked version that was checked, and supersede those it replaces for the same partners.

    Who did it is the caller's to record and to announce.
    """
    earlier = PlanVersion.objects.filter(
        plan=version.plan, member_key=version.member_key, state=VersionState.PUBLISHED
    )
    earlier.filter(effective_at__lte=effective_at).update(state=VersionState.SUPERSEDED)
    version.state, version.effective_at = VersionState.PUBLISHED, effective_at
    version.published_at, version.published_by = at, by
    version.sha256 = fingerprint(version)
    version.save(update_fields=["state", "effective_at", "published_at", "published_by", "sha256"])


def in_force(plan: Plan, *, at: datetime) -> PlanVersion | None:
    """Return the version for everybody that rates what happens at `at`, with its rules, None before the first."""
    versions = PlanVersion.objects.filter(models.Q(plan=plan)).of_program().in_force(at=at)
    return versions.prefetch_related("rules").first()


def _check_notice(version: PlanVersion, *, effective_at: datetime, at: datetime) -> None:
    """Hold a version to the notice it promises, as soon as there is somebody to whom it changes something."""
    program = version.plan.program
    has_before = PlanVersion.objects.filter(plan=version.plan).of_program().published().exists()
    earliest = hold_until(at, version.notice_days, program.zone)
    if not has_before or effective_at >= earliest or not program.memberships.filter(ended_at=None).exists():
        return
    raise NoticeTooShort(params={"days": version.notice_days, "earliest": _moment_text(version, earliest)})


def _moment_text(version: PlanVersion, instant: datetime) -> str:
    return l10n.datetime_text(instant, version.plan.program.zone, "en_GB")
