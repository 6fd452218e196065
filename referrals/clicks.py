"""Answer visits to tracked links and write down the clicks that count. A visitor is sent on even when the click cannot be written."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from django.db import DatabaseError

from partners.choices import MembershipState
from prm.lib.ids import ulid
from referrals import redirect
from referrals.models import Click, Link
from referrals.redirect import Answer, Target, Visit

log = logging.getLogger(__name__)


def open_link(slug: str, visit: Visit, *, at: datetime) -> Answer:
    """Return what a visit to the link `slug` is answered with, its click written down before."""
    target = find(slug)
    decided = redirect.answer(target, visit, new_click=ulid(), new_visitor=ulid())
    if target is None or not decided.click_id:
        return decided
    try:
        Click.objects.create(
            click_id=decided.click_id,
            link_id=target.link_id,
            visitor=decided.visitor,
            clicked_at=at,
            referrer_host=decided.referrer_host,
            sub_id=decided.sub,
        )
    except DatabaseError:
        # Losing a click is bad, keeping a customer from the shop is worse; an id nobody knows must not be handed on.
        log.exception("A click on link %s could not be written.", target.link_id)
        return replace(decided, location=target.url, click_id="", cookie_seconds=0)
    return decided


def find(slug: str) -> Target | None:
    """Return the link at a short address, in one query."""
    row = (
        Link.objects.filter(slug=slug)
        .values_list(
            "pk",
            "destination_url",
            "is_active",
            "membership__state",
            "membership__program__destination_url",
            "membership__program__allowed_domains",
            "membership__program__cookie_days",
        )
        .first()
    )
    if row is None:
        return None
    pk, url, is_active, state, destination, domains, days = row
    return Target(
        link_id=pk,
        url=url,
        is_active=is_active,
        counts=state == MembershipState.ACTIVE,
        hosts=redirect.allowed_hosts(destination, domains),
        cookie_days=days,
    )
