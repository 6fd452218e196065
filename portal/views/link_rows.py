"""Gather a membership's links and codes with what they brought in the last 30 days. A sale with a code counts for the code, not for
the link it may also have come through.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.models import Membership
from payouts.overview import Earned, clicks_since, earned_since
from portal import lines
from portal.formats import active_locale
from portal.views.pages import CodeRow, LinkRow
from prm.lib import l10n
from prm.lib.money import Money
from referrals.models import Code, Link

DAYS = 30
_NOTHING = Earned(0, 0)


def link_and_code_rows(
    membership: Membership, *, at: datetime
) -> tuple[tuple[LinkRow, ...], tuple[CodeRow, ...]]:
    """Return links, switched-on ones first and oldest first, and codes likewise."""
    since = at - timedelta(days=DAYS)
    by_link, by_code = earned_since(membership, since)
    clicks = clicks_since(membership, since)
    links = Link.objects.filter(membership=membership).order_by("-is_active", "created_at", "pk")
    codes = Code.objects.filter(membership=membership).order_by("-is_active", "created_at", "pk")
    currency = membership.program.currency
    return (
        tuple(
            _link_row(link, clicks.get(link.pk, 0), by_link.get(link.pk, _NOTHING), currency)
            for link in links
        ),
        tuple(_code_row(code, by_code.get(code.pk, _NOTHING), currency) for code in codes),
    )


def _link_row(link: Link, clicks: int, earned: Earned, currency: str) -> LinkRow:
    return LinkRow(
        public_id=link.public_id,
        label=link.label,
        url=lines.link_url(link),
        shown=lines.shown_url(link),
        destination=link.destination_url,
        is_on=link.is_active,
        clicks=clicks,
        sales=earned.sales,
        earned=Money(earned.minor, currency),
        note=_note(clicks, earned.sales),
        earned_href=_earnings_of("link", link.public_id),
        qr_href=reverse("portal:link_qr", args=[link.public_id]),
        switch_href=reverse("portal:link_switch", args=[link.public_id]),
    )


def _code_row(code: Code, earned: Earned, currency: str) -> CodeRow:
    return CodeRow(
        code=code.code,
        is_on=code.is_active,
        sales=earned.sales,
        earned=Money(earned.minor, currency),
        earned_href=_earnings_of("code", code.code),
    )


def _note(clicks: int, sales: int) -> str:
    params = {
        "clicks": ngettext("%(n)s click", "%(n)s clicks", clicks) % {"n": _number(clicks)},
        "sales": ngettext("%(n)s sale", "%(n)s sales", sales) % {"n": _number(sales)},
    }
    return _("%(clicks)s, %(sales)s in 30 days.") % params


def _earnings_of(kind: str, value: str) -> str:
    return f"{reverse('portal:earnings')}?{urlencode({kind: value, 'period': f'{DAYS}d'})}"


def _number(count: int) -> str:
    return l10n.number_text(count, active_locale())
