"""Name who recruited a partner, which plans with overrides pay from then on. It is named once and never changes, so that what was booked
by it can be rated again; no chain of recruiters comes back to where it began."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.models import Membership
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User


class AlreadyRecruited(Refused):
    message = _("Who recruited this partner is named already, and cannot be changed.")
    field = "recruiter"


class ItsOwnRecruiter(Refused):
    message = _("A partner cannot recruit itself.")
    field = "recruiter"


class RecruiterElsewhere(Refused):
    message = _("The recruiter is in another program: it earns by another plan.")
    field = "recruiter"


class NotActive(Refused):
    message = _("Both memberships must be active.")
    field = "recruiter"


class RecruitedBelow(Refused):
    message = _("This partner was itself recruited below the one it would recruit.")
    field = "recruiter"


def candidates(membership: Membership) -> QuerySet[Membership]:
    """Return the memberships that may have recruited this one; those below it are refused by the verb."""
    found = Membership.objects.active().filter(program=membership.program_id, ended_at=None)
    return found.exclude(pk=membership.pk).select_related("partner").order_by("partner__name", "pk")


@transaction.atomic
def name_recruiter(
    membership: Membership, recruiter: Membership, *, by: User | None, at: datetime
) -> Membership:
    """Name who recruited `membership`; what happens from `at` on counts. Nobody is `by` when an introduction says so.

    Raises: Forbidden, AlreadyRecruited, ItsOwnRecruiter, RecruiterElsewhere, NotActive, RecruitedBelow.
    """
    if by is not None:
        policy.require(by, "manage_partners")
    rows = {row.pk: row for row in Membership.objects.filter(pk__in=[membership.pk, recruiter.pk]).lock()}
    recruit, above = rows[membership.pk], rows[recruiter.pk]
    _refuse_pair(recruit, above)
    # Memberships first, then the program, as accrual does: recruits of one program are named one after the other,
    # or four at once could each see no ring and close one.
    Program.objects.select_for_update(no_key=True).get(pk=recruit.program_id)
    if recruit.pk in _chain(above):
        raise RecruitedBelow
    recruit.recruiter, recruit.recruited_at = above, at
    recruit.save(update_fields=["recruiter", "recruited_at"])
    audit.record(by, "membership.recruiter_named", recruit, at=at, recruiter=above.public_id)
    return recruit


def _refuse_pair(recruit: Membership, above: Membership) -> None:
    if recruit.recruiter_id is not None:
        raise AlreadyRecruited
    if recruit.pk == above.pk:
        raise ItsOwnRecruiter
    if recruit.program_id != above.program_id:
        raise RecruiterElsewhere
    if not (_is_active(recruit) and _is_active(above)):
        raise NotActive


def _is_active(membership: Membership) -> bool:
    return membership.state == MembershipState.ACTIVE and membership.ended_at is None


def _chain(membership: Membership) -> Iterator[int]:
    """Yield who recruited a membership, who recruited that one, and so on to the top."""
    above, seen = membership.recruiter_id, {membership.pk}
    while above is not None and above not in seen:
        yield above
        seen.add(above)
        above = Membership.objects.values_list("recruiter_id", flat=True).get(pk=above)
