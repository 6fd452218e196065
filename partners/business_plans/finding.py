"""Find business plans and lock them. The membership is always locked before its plan, so that two verbs about one membership follow each
other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from partners.business_plans import refusals
from partners.choices import BusinessPlanState
from partners.models import BusinessPlan, Checkpoint, Membership
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "agree_plans"
REMIND_DAYS = 7
RUNNING = (BusinessPlanState.AGREED, BusinessPlanState.IN_PROGRESS)
OPEN = (BusinessPlanState.OUTLINE, BusinessPlanState.PARTNER_REVIEW, *RUNNING)


def readable(plans: QuerySet[BusinessPlan] | None = None) -> QuerySet[BusinessPlan]:
    """Return plans with what their pages and figures read of them."""
    found = BusinessPlan.objects.all() if plans is None else plans
    return found.select_related(
        "membership__partner", "membership__program", "created_by", "proposed_by", "agreed_by", "completed_by"
    )


def visible_to(user: User) -> QuerySet[BusinessPlan]:
    """Return the plans `user` may look at in the back office."""
    return readable().filter(membership__in=Membership.objects.visible_to(user))


def shown_to_partner() -> QuerySet[BusinessPlan]:
    """Return the plans that were given to the partner at least once, the latest period first."""
    return readable().filter(proposed_at__isnull=False).order_by("-starts_on", "-pk")


def checkpoints_due(*, today: date, within: int = REMIND_DAYS) -> QuerySet[Checkpoint]:
    """Return the checkpoints nobody has held whose day has come or comes within some days, the earliest first."""
    found = Checkpoint.objects.filter(
        plan__state__in=RUNNING, held_at=None, due_on__lte=today + timedelta(days=within)
    )
    return found.select_related("plan__membership__partner", "plan__membership__program").order_by(
        "due_on", "pk"
    )


def living(membership: Membership) -> Membership:
    """Lock a membership that has not ended.

    Raises: MembershipOver.
    """
    locked = lock_membership(membership.pk)
    if locked.ended_at is not None:
        raise refusals.MembershipOver
    return locked


def lock_membership(pk: int) -> Membership:
    """Lock a membership, whatever became of it."""
    locked: Membership = Membership.objects.lock().select_related("partner", "program").get(pk=pk)
    return locked


def locked_in(
    plan: BusinessPlan, states: Collection[str], refusal: type[Refused], membership: Membership
) -> BusinessPlan:
    """Lock a plan whose membership is locked and that is in one of `states`.

    Raises: the refusal given.
    """
    found = BusinessPlan.objects.lock().get(pk=plan.pk)
    if found.state not in states:
        raise refusal
    found.membership = membership
    return found


def refuse_overlap(plan: BusinessPlan) -> None:
    """Refuse a period in which another agreed plan of the membership counts; the membership is locked.

    Raises: Overlaps.
    """
    others = BusinessPlan.objects.counting().filter(membership=plan.membership_id).exclude(pk=plan.pk)
    other = others.filter(starts_on__lte=plan.ends_on, ends_on__gte=plan.starts_on).first()
    if other is not None:
        locale = l10n.active_locale()
        raise refusals.Overlaps(
            params={
                "title": other.title,
                "first": l10n.date_text(other.starts_on, locale),
                "last": l10n.date_text(other.ends_on, locale),
            }
        )


def today_of(membership: Membership, at: datetime) -> date:
    """Return the day it is where the program is."""
    return local_day(at, membership.program.zone)


def fingerprint(plan: BusinessPlan) -> str:
    """Return the SHA-256 of everything that is agreed on with a plan: whoever agrees sends back what was shown."""
    said = {
        "plan": plan.public_id,
        "title": plan.title,
        "from": plan.starts_on.isoformat(),
        "to": plan.ends_on.isoformat(),
        "partner_does": plan.partner_does,
        "we_do": plan.we_do,
        "goals": [
            [metric, target, due_on.isoformat()]
            for metric, target, due_on in plan.goals.order_by("due_on", "metric").values_list(
                "metric", "target", "due_on"
            )
        ],
        "checkpoints": [
            day.isoformat() for day in plan.checkpoints.order_by("due_on").values_list("due_on", flat=True)
        ],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
