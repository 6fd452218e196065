"""Read which memberships have used a first link or code: somebody clicked, or bought with the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from partners.checklists import Progress
from partners.models import Membership
from referrals.models import Click, Credit


def first_link(memberships: Sequence[Membership], _at: datetime) -> Mapping[int, Progress]:
    """Return who has a first click or a first credit, and since when; two queries."""
    pks = [each.pk for each in memberships]
    clicked = dict(
        Click.objects.of_people()
        .filter(link__membership__in=pks)
        .order_by()
        .values_list("link__membership_id")
        .annotate(first=Min("clicked_at"))
    )
    credited = dict(
        Credit.objects.filter(membership__in=pks)
        .order_by()
        .values_list("membership_id")
        .annotate(first=Min("occurred_at"))
    )
    found = {}
    for pk in pks:
        when = min((at for at in (clicked.get(pk), credited.get(pk)) if at is not None), default=None)
        found[pk] = Progress(
            when is not None,
            when,
            _("Put your link where your audience is. Your first sale shows within 5 minutes."),
        )
    return found
