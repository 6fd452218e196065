"""What the referrals app removes when a person is erased: the words a partner wrote on its links. Addresses and codes stay, because they stand
on other people's pages and lead their visitors to the shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.erasure import Case, Kept, learn_eraser, learn_kept
from prm.lib.scrubbing import ERASED
from referrals.models import Link, Referral, Touch

if TYPE_CHECKING:
    from prm.accounts.models import User


def learn() -> None:
    """Name what this app removes and keeps."""
    learn_eraser("referrals", erase, removes=removes)
    learn_kept(
        Kept(
            gettext_lazy("Short addresses and codes, and the events credited by them"),
            gettext_lazy("They lead other people to the shop, and commission rests on the events."),
            ("referrals.link", "referrals.code", "referrals.conversion", "referrals.click"),
        )
    )


def removes(case: Case) -> Iterator[str]:
    """Say what would go."""
    count = Link.objects.filter(membership__partner__in=case.partner_ids).count()
    if count:
        yield _("The labels of links (%(count)s).") % {"count": count}
    told = Touch.objects.filter(membership__partner__in=case.partner_ids).exclude(note="").count()
    if told:
        yield _("The notes on deals, leads and introductions (%(count)s).") % {"count": told}


def erase(case: Case, by: User, at: datetime) -> None:
    """Remove the labels, and the words beside what was told and decided about customers."""
    own = {"membership__partner__in": case.partner_ids}
    Link.objects.filter(**own).update(label=ERASED)
    Touch.objects.filter(**own).exclude(note="").update(note=ERASED)
    Touch.objects.filter(**own).exclude(withdrawn_because="").update(withdrawn_because=ERASED)
    Referral.objects.filter(**own).exclude(reason="").update(reason=ERASED)
