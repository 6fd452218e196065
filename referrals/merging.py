"""What becomes of links and codes when two partners become one: those of a membership that ends count for the one that goes on. Clicks and
credits from before stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm import audit
from referrals.models import Code, Link

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
        for kind, rows in (("link", Link.objects), ("code", Code.objects)):
            for row in rows.filter(membership=ended).lock():
                row.membership = goes_on
                row.save(update_fields=["membership"])
                audit.record(merge.by, f"{kind}.moved", row, at=merge.at, before=ended, after=goes_on)
    return done


def _said(merge: Merge, ended: Membership) -> list[str]:
    links, codes = (
        Link.objects.filter(membership=ended).count(),
        Code.objects.filter(membership=ended).count(),
    )
    if not links and not codes:
        return []
    values = {
        "links": ngettext("%(count)s link", "%(count)s links", links) % {"count": links},
        "codes": ngettext("%(count)s code", "%(count)s codes", codes) % {"count": codes},
        "program": ended.program.name,
        "into": merge.into.name,
    }
    return [
        _(
            "In %(program)s the duplicate's %(links)s and %(codes)s go on working and count for the membership of %(into)s,"
            " also for sales from before that we are told of later. What was credited stays credited."
        )
        % values
    ]
