"""Gather a membership's links and codes with what they brought in the last 30 days. A sale with a code counts for the code, not for
the link it may also have come through.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.models import Membership
from payouts.explained.subject import link_url, shown_url
from payouts.overview import earned_since
from portal.formats import active_locale
from portal.views.pages import CodeRow, LinkRow
from prm.lib import l10n
from prm.lib.money import Money
from referrals import performance
from referrals.models import Code, Link
from referrals.performance import Figures

DAYS = 30


def link_rows(membership: Membership, *, at: datetime) -> tuple[LinkRow, ...]:
    """Return links with what they earned, switched-on ones first and oldest first."""
    since = at - timedelta(days=DAYS)
    figures = performance.per_link(membership, since=since, until=at)
    earned, _by_code = earned_since(membership, since)
    links = Link.objects.filter(membership=membership).order_by("-is_active", "created_at", "pk")
    return tuple(_link_row(link, figures.get(link.pk), _of(earned, link.pk, membership)) for link in links)


def active_links(membership: Membership, *, at: datetime, limit: int) -> tuple[LinkRow, ...]:
    """Return the oldest links that are on, without what they earned."""
    figures = performance.per_link(membership, since=at - timedelta(days=DAYS), until=at)
    links = Link.objects.active().filter(membership=membership).order_by("created_at", "pk")[:limit]
    nothing = Money(0, membership.program.currency)
    return tuple(_link_row(link, figures.get(link.pk), nothing) for link in links)


def code_rows(membership: Membership, *, at: datetime) -> tuple[CodeRow, ...]:
    """Return codes, switched-on ones first and oldest first."""
    since = at - timedelta(days=DAYS)
    figures = performance.per_code(membership, since=since, until=at)
    _by_link, earned = earned_since(membership, since)
    codes = Code.objects.filter(membership=membership).order_by("-is_active", "created_at", "pk")
    return tuple(_code_row(code, figures.get(code.pk), _of(earned, code.pk, membership)) for code in codes)


def active_codes(membership: Membership) -> tuple[str, ...]:
    """Return the codes that are on, as they are typed."""
    codes = Code.objects.active().filter(membership=membership).order_by("created_at", "pk")
    return tuple(codes.values_list("code", flat=True))


def _of(earned: Mapping[int, Money], key: int, membership: Membership) -> Money:
    return earned.get(key, Money(0, membership.program.currency))


def _link_row(link: Link, figures: Figures | None, earned: Money) -> LinkRow:
    clicks, sales = (figures.clicks, figures.sales) if figures else (0, 0)
    return LinkRow(
        public_id=link.public_id,
        label=link.label,
        url=link_url(link),
        shown=shown_url(link),
        destination=link.destination_url,
        is_on=link.is_active,
        clicks=clicks,
        sales=sales,
        earned=earned,
        note=_note(clicks, sales),
        earned_href=_earnings_of("link", link.public_id),
        qr_href=reverse("portal:link_qr", args=[link.public_id]),
        switch_href=reverse("portal:link_switch", args=[link.public_id]),
    )


def _code_row(code: Code, figures: Figures | None, earned: Money) -> CodeRow:
    return CodeRow(
        code=code.code,
        is_on=code.is_active,
        sales=figures.sales if figures else 0,
        earned=earned,
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
