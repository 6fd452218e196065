"""Gather a membership's links and codes with what they brought in the last 30 days. A sale with a code counts for the code, not for
the link it may also have come through.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.models import Membership
from payouts.explained.subject import link_url, shown_url
from payouts.overview import earned_since
from portal.formats import active_locale
from portal.rooms import Room
from portal.status_links import code_word, link_word, validity_text
from portal.views.pages import CodeRow, LinkRow, LinksPage, Pages
from prm.lib import l10n
from prm.lib.money import Money
from referrals import own_visits, performance
from referrals.models import Code, Link
from referrals.performance import Figures
from referrals.share_kit import discount_text

DAYS = 30
PER_PAGE = 25


def links_page(
    membership: Membership, *, at: datetime, q: str = "", after: str = "", before: str = ""
) -> LinksPage:
    """Return one page of links with what they earned: switched-on ones first, oldest first, only those that hold `q`.

    A mark (`after`, `before`) that names no link of the list is ignored.
    """
    found = links_with_hosts(membership)
    if q:
        found = found.filter(Q(label__icontains=q) | Q(slug__icontains=q) | Q(campaign__icontains=q))
    rows, pages = _slice(found, q=q, after=after, before=before)
    since = at - timedelta(days=DAYS)
    figures = performance.per_link(membership, since=since, until=at)
    earned, _by_code = earned_since(membership, since)
    told = tuple(
        _link_row(link, figures.get(link.pk), _of(earned, link.pk, membership), at=at) for link in rows
    )
    return LinksPage(rows=told, pages=pages, q=q)


def link_row(link: Link, *, at: datetime) -> LinkRow:
    """Return one link with what it earned."""
    since = at - timedelta(days=DAYS)
    figures = performance.per_link(link.membership, since=since, until=at)
    earned, _by_code = earned_since(link.membership, since)
    return _link_row(link, figures.get(link.pk), _of(earned, link.pk, link.membership), at=at)


def marked(response: HttpResponse, room: Room) -> HttpResponse:
    """Let the reader's browser carry the note that its visits to the own links are tests."""
    own_visits.mark_browser(response, partners={each.partner_id for each in room.memberships}, at=room.at)
    return response


def links_with_hosts(membership: Membership) -> QuerySet[Link]:
    """Return the links of a membership with what their addresses are made of."""
    return Link.objects.filter(membership=membership).select_related("membership__program__tracking")


def active_links(membership: Membership, *, at: datetime, limit: int) -> tuple[LinkRow, ...]:
    """Return the oldest links that are on, without what they earned."""
    figures = performance.per_link(membership, since=at - timedelta(days=DAYS), until=at)
    links = links_with_hosts(membership).filter(is_active=True, replacement=None)
    links = links.filter(Q(expires_at=None) | Q(expires_at__gt=at)).order_by("created_at", "pk")[:limit]
    nothing = Money(0, membership.program.currency)
    return tuple(_link_row(link, figures.get(link.pk), nothing, at=at) for link in links)


def code_rows(membership: Membership, *, at: datetime) -> tuple[CodeRow, ...]:
    """Return codes, switched-on ones first and oldest first."""
    since = at - timedelta(days=DAYS)
    figures = performance.per_code(membership, since=since, until=at)
    _by_link, earned = earned_since(membership, since)
    codes = Code.objects.filter(membership=membership).select_related("membership__program")
    return tuple(
        _code_row(code, figures.get(code.pk), _of(earned, code.pk, membership), at=at)
        for code in codes.order_by("-is_active", "created_at", "pk")
    )


def active_codes(membership: Membership) -> tuple[str, ...]:
    """Return the codes that are on, as they are typed."""
    codes = Code.objects.active().filter(membership=membership).order_by("created_at", "pk")
    return tuple(codes.values_list("code", flat=True))


def _of(earned: Mapping[int, Money], key: int, membership: Membership) -> Money:
    return earned.get(key, Money(0, membership.program.currency))


def _link_row(link: Link, figures: Figures | None, earned: Money, *, at: datetime) -> LinkRow:
    clicks, sales = (figures.clicks, figures.sales) if figures else (0, 0)
    return LinkRow(
        public_id=link.public_id,
        label=link.label,
        url=link_url(link),
        shown=shown_url(link),
        destination=link.destination_url,
        campaign=link.campaign,
        is_on=link.is_active,
        status=link_word(link, at=at),
        clicks=clicks,
        sales=sales,
        earned=earned,
        note=_note(clicks, sales),
        href=reverse("portal:link", args=[link.public_id]),
        earned_href=_earnings_of("link", link.public_id),
        qr_href=reverse("portal:link_qr", args=[link.public_id]),
        switch_href=reverse("portal:link_switch", args=[link.public_id]),
    )


def _code_row(code: Code, figures: Figures | None, earned: Money, *, at: datetime) -> CodeRow:
    return CodeRow(
        code=code.code,
        is_on=code.is_active,
        status=code_word(code, at=at),
        discount=discount_text(code),
        uses=_uses(code),
        validity=validity_text(code, code.membership.program.zone),
        sales=figures.sales if figures else 0,
        earned=earned,
        earned_href=_earnings_of("code", code.code),
    )


def _uses(code: Code) -> str:
    if code.use_limit is None:
        return ""
    return _("%(uses)s of %(limit)s") % {"uses": _number(code.uses), "limit": _number(code.use_limit)}


def _slice(found: QuerySet[Link], *, q: str, after: str, before: str) -> tuple[list[Link], Pages]:
    """Return the links of one page, and where it stands: behind the link `after`, before the link `before`, or at the start."""
    total = found.count()
    edge = found.filter(public_id=after or before).first() if after or before else None
    backwards = edge is not None and not after
    if edge is not None and backwards:
        rows = list(found.filter(_ahead_of(edge)).order_by("is_active", "-created_at", "-pk")[:PER_PAGE])[
            ::-1
        ]
    else:
        rest = found.exclude(_ahead_of(edge)).exclude(pk=edge.pk) if edge is not None else found
        rows = list(rest.order_by("-is_active", "created_at", "pk")[:PER_PAGE])
    position = found.filter(_ahead_of(rows[0])).count() if rows and edge is not None else 0
    last = position + len(rows)
    return rows, Pages(
        first=position + 1 if rows else 0,
        last=last,
        total=total,
        previous_url=_links_url(q, before=rows[0].public_id) if rows and position else "",
        next_url=_links_url(q, after=rows[-1].public_id) if rows and last < total else "",
    )


def _ahead_of(edge: Link) -> Q:
    """Return which links stand before `edge` in the list."""
    older = Q(created_at__lt=edge.created_at) | Q(created_at=edge.created_at, pk__lt=edge.pk)
    alike = Q(is_active=edge.is_active) & older
    return alike if edge.is_active else alike | Q(is_active=True)


def _links_url(q: str, **mark: str) -> str:
    return f"?{urlencode({**({'q': q} if q else {}), **mark})}"


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
