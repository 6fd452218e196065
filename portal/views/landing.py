"""The page behind a partner's recommendation: what the code gives, and a button that is the link itself. It counts nothing, sets nothing, and
says nothing of a link that is off, over or unknown."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partners.choices import MembershipState
from payouts.explained.subject import link_url
from portal.status_links import link_works
from referrals.models import Link
from referrals.redirect import allowed_hosts, leads_outside
from referrals.share_kit import best_code, discount_text, shop_of

STEPS = 5  # so often one link may stand for another


@require_safe
def landing(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a partner's recommendation, or the neutral page."""
    at = timezone.now()
    link, is_known = _find(slug.lower(), at=at)
    if link is None:
        response = render(request, "public/link_unavailable.html", status=410 if is_known else 404)
    else:
        response = render(request, "public/landing.html", _context(link, at=at))
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    return response


def _context(link: Link, *, at: datetime) -> dict[str, object]:
    membership = link.membership
    # Who is suspended or has left recommends nothing any more; where the link leads is still to be had.
    is_active = membership.state == MembershipState.ACTIVE
    code = best_code(membership, at=at) if is_active else None
    return {
        "program": membership.program.name,
        "shop": shop_of(link),
        "recommender": membership.partner.name if is_active else "",
        "code": code,
        "discount": discount_text(code) if code is not None else "",
        "href": link_url(link),
    }


def _find(slug: str, *, at: datetime) -> tuple[Link | None, bool]:
    """Return the link that works for a short address, and whether the address is known at all."""
    rows = Link.objects.select_related("membership__program__tracking", "membership__partner")
    link = rows.filter(slug=slug).first()
    is_known = link is not None
    for _step in range(STEPS):
        if link is None or link.replacement_id is None:
            break
        link = rows.get(pk=link.replacement_id)
    if link is None or not link_works(link, at=at):
        return None, is_known
    program = link.membership.program
    hosts = allowed_hosts(program.destination_url, program.allowed_domains)
    return (None if leads_outside(link.destination_url, hosts) else link), is_known
