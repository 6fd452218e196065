"""What becomes of links, codes and customers when two partners become one: those of a membership that ends count for the one that goes on.
Clicks and credits from before stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm import audit
from referrals import marks, ownership
from referrals.models import Click, Code, Link, Referral

if TYPE_CHECKING:
    from partners.merging import Merge
    from partners.models import Membership


def foretell(merge: Merge) -> list[str]:
    """Return how many links and codes would count for another membership."""
    return [sentence for ended, _goes_on in merge.pairs for sentence in _said(merge, ended)]


def move(merge: Merge) -> list[str]:
    """Let links and codes of memberships that end count for those that go on."""
    done: list[str] = []
    for ended, goes_on in merge.pairs:
        done.extend(_said(merge, ended))
        _mark_clicks(ended)
        for kind, rows in (("link", Link.objects), ("code", Code.objects)):
            for row in rows.filter(membership=ended).lock():
                row.membership = goes_on
                row.save(update_fields=["membership"])
                audit.record(merge.by, f"{kind}.moved", row, at=merge.at, before=ended, after=goes_on)
        ownership.pass_on(ended, goes_on, reason=_because(), by=merge.by, at=merge.at)
    return done


def _because() -> str:
    return _("Two rows of one partner became one.")


def _mark_clicks(ended: Membership) -> None:
    """Mark the days of clicks on links that move: from now on reports count them for the other membership."""
    day = TruncDate("clicked_at", tzinfo=ended.program.zone)
    days = (
        Click.objects.filter(link__membership=ended)
        .order_by()
        .annotate(day=day)
        .values_list("day", flat=True)
    )
    marks.mark((ended.program_id, each) for each in days.distinct())


def _said(merge: Merge, ended: Membership) -> list[str]:
    links = Link.objects.filter(membership=ended).count()
    codes = Code.objects.filter(membership=ended).count()
    values = {"program": ended.program.name, "into": merge.into.name}
    said = []
    if links:
        text = ngettext(
            "In %(program)s %(count)s link of the duplicate goes on working and counts for %(into)s.",
            "In %(program)s %(count)s links of the duplicate go on working and count for %(into)s.",
            links,
        )
        said.append(text % {**values, "count": links})
    if codes:
        text = ngettext(
            "In %(program)s %(count)s code of the duplicate goes on working and counts for %(into)s.",
            "In %(program)s %(count)s codes of the duplicate go on working and count for %(into)s.",
            codes,
        )
        said.append(text % {**values, "count": codes})
    owned = Referral.objects.open().filter(membership=ended).count()
    if owned:
        text = ngettext(
            "In %(program)s %(count)s customer of the duplicate belongs to %(into)s from then on.",
            "In %(program)s %(count)s customers of the duplicate belong to %(into)s from then on.",
            owned,
        )
        said.append(text % {**values, "count": owned})
    if said:
        text = _(
            "What was credited stays credited. Sales from before that we are told of later count for %(into)s."
        )
        said.append(text % values)
    return said
