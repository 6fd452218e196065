"""Let payments wait while new terms are not accepted, when that is what was announced, and let them go on once they are. The pause is the
product's own: a person may end it, and it does not come back for the same notice."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners import terms_asking
from partners.models import Membership
from payouts import pauses
from payouts.choices import PauseCause
from payouts.models import Pause
from prm.lib.periods import local_day

LOOK_AGAIN = timedelta(days=30)
REASON = _(
    "The new terms have not been accepted. Payments go on as soon as an owner of the team accepts them."
)
OUTCOME = _("The terms are accepted.")


def carry_out(*, at: datetime, membership_id: int | None = None) -> int:
    """Pause and resume what is due, for one membership or for all; return how many pauses began or ended."""
    return _pause(at=at, membership_id=membership_id) + _resume(at=at, membership_id=membership_id)


def _pause(*, at: datetime, membership_id: int | None) -> int:
    since = Pause.objects.of_payments().filter(
        membership=OuterRef("membership"), cause=PauseCause.TERMS, paused_at__gte=OuterRef("overdue_at")
    )
    open_one = (
        Pause.objects.of_payments().open().filter(membership=OuterRef("membership"), cause=PauseCause.TERMS)
    )
    due = terms_asking.payments_wait().exclude(Exists(since)).exclude(Exists(open_one))
    if membership_id is not None:
        due = due.filter(membership=membership_id)
    count = 0
    wanted = Membership.objects.filter(pk__in=due.values("membership")).select_related("program", "partner")
    for membership in wanted.order_by("pk"):
        with translation.override(membership.partner.language):
            reason = str(REASON)
        try:
            pauses.pause_payments(
                membership,
                cause=PauseCause.TERMS,
                reason=reason,
                review_on=local_day(at + LOOK_AGAIN, membership.program.zone),
                by=None,
                at=at,
            )
        except pauses.PausedAlready:
            continue  # another worker was faster
        count += 1
    return count


def _resume(*, at: datetime, membership_id: int | None) -> int:
    waits = terms_asking.payments_wait().filter(membership=OuterRef("membership"))
    over = Pause.objects.open().of_payments().filter(cause=PauseCause.TERMS).exclude(Exists(waits))
    if membership_id is not None:
        over = over.filter(membership=membership_id)
    count = 0
    for pause in over.select_related("membership__partner").order_by("membership_id", "pk"):
        with translation.override(pause.membership.partner.language):
            outcome = str(OUTCOME)
        try:
            pauses.resume(pause, outcome=outcome, by=None, at=at)
        except pauses.PauseEnded:
            continue
        count += 1
    return count
