"""Hold longer what one partner, one product or one category earns. The longest hold that applies when something happens counts, it is fixed on the
line with its reason, and the end of a longer hold changes nothing that was earned before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from payouts.models import Reserve
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from partners.models import Membership
    from prm.accounts.models import User
    from tiers.models import Program

LONGEST_DAYS = 730
_LONGEST_TEXT = {"reason": 200, "product": 100, "category": 100}


class AboutNothing(Refused):
    message = _("Say for which partner, product or category.")
    field = "membership"


class NoLongerThanBefore(Refused):
    message = _("The program holds for %(days)s days anyway: write more, up to %(longest)s.")
    field = "hold_days"


class NoReason(Refused):
    message = _("Write the reason, in up to 200 characters. The partner reads it.")
    field = "reason"


class TooLongAName(Refused):
    message = _("Up to 100 characters.")


class AnotherProgram(Refused):
    message = _("This partner is not in this program.")
    field = "membership"


class StartsInThePast(Refused):
    message = _("What happened already keeps its date: a longer hold begins now or later.")
    field = "starts_at"


class EndedAlready(Refused):
    message = _("This longer hold has ended already.")


@dataclass(slots=True)
class Reserves:
    """The longer holds of some programs, read once for a batch."""

    _of: dict[int, list[Reserve]] = field(default_factory=dict)

    @classmethod
    def load(cls, program_ids: Collection[int]) -> Reserves:
        """Read them all, the ended ones too: something may arrive late that happened while they were in force."""
        found: dict[int, list[Reserve]] = defaultdict(list)
        for reserve in Reserve.objects.filter(program__in=program_ids).order_by("-hold_days", "pk"):
            found[reserve.program_id].append(reserve)
        return cls(dict(found))

    def __bool__(self) -> bool:
        """Say whether anything is held longer at all."""
        return bool(self._of)

    def longest(
        self, program_id: int, memberships: Collection[int], product: str, category: str, at: datetime
    ) -> Reserve | None:
        """Return the longest hold in force at `at` for any of these memberships, the product or the category."""
        for reserve in self._of.get(program_id, ()):
            if _applies(reserve, memberships, product, category, at):
                return reserve
        return None


def facts_of(reserve: Reserve | None, program: Program) -> dict[str, Any] | None:
    """Return what a line's explanation keeps of a longer hold: how long, instead of what, and why."""
    if reserve is None:
        return None
    return {"days": reserve.hold_days, "usual_days": program.hold_days, "reason": reserve.reason}


@transaction.atomic
def hold_longer(
    program: Program,
    *,
    hold_days: int,
    reason: str,
    by: User,
    at: datetime,
    membership: Membership | None = None,
    product: str = "",
    category: str = "",
    starts_at: datetime | None = None,
) -> Reserve:
    """Hold for `hold_days` what happens from now, or from `starts_at`, on and is about all that is named.

    Raises: Forbidden, AboutNothing, AnotherProgram, NoLongerThanBefore, NoReason, TooLongAName, StartsInThePast.
    """
    policy.require(by, "adjust_balances")
    product, category = " ".join(product.split()), " ".join(category.split())
    text = " ".join(reason.split())
    if membership is None and not product and not category:
        raise AboutNothing
    if membership is not None and membership.program_id != program.pk:
        raise AnotherProgram
    if not program.hold_days < hold_days <= LONGEST_DAYS:
        raise NoLongerThanBefore(params={"days": program.hold_days, "longest": LONGEST_DAYS})
    if not text or len(text) > _LONGEST_TEXT["reason"]:
        raise NoReason
    for name, value in (("product", product), ("category", category)):
        if len(value) > _LONGEST_TEXT[name]:
            raise TooLongAName(field=name)
    if starts_at is not None and starts_at < at:
        raise StartsInThePast
    reserve = Reserve.objects.create(
        program=program,
        membership=membership,
        product=product,
        category=category,
        hold_days=hold_days,
        reason=text,
        starts_at=starts_at or at,
        set_at=at,
        set_by=by,
    )
    audit.record(by, "reserve.set", reserve, at=at, note=text, hold_days=hold_days, program=program.slug)
    return reserve


@transaction.atomic
def end(reserve: Reserve, *, by: User, at: datetime) -> Reserve:
    """Let what happens from now on wait no longer than the program says; lines that are held keep their date.

    Raises: Forbidden, EndedAlready.
    """
    policy.require(by, "adjust_balances")
    # One that has not begun ends as it begins, so that it never applies.
    ends_at = max(at, reserve.starts_at + datetime.resolution)
    open_or_later = models.Q(ends_at=None) | models.Q(ends_at__gt=at)
    if not Reserve.objects.filter(open_or_later, pk=reserve.pk).update(ends_at=ends_at):
        raise EndedAlready
    reserve.refresh_from_db()
    audit.record(by, "reserve.ended", reserve, at=at)
    return reserve


def _applies(
    reserve: Reserve, memberships: Collection[int], product: str, category: str, at: datetime
) -> bool:
    """Say whether all that a longer hold names is met."""
    return (
        reserve.starts_at <= at
        and (reserve.ends_at is None or at < reserve.ends_at)
        and (reserve.membership_id is None or reserve.membership_id in memberships)
        and (not reserve.product or reserve.product.casefold() == product.casefold())
        and (not reserve.category or reserve.category.casefold() == category.casefold())
    )
