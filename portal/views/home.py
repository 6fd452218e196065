"""Home: where the partner's money is, what is paid next, and what brought it in. Every figure leads to the rows it is made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from partners import checklists
from partners.choices import MembershipState
from partners.models import Membership
from payouts import next_payments, overview
from portal import lines, roles
from portal.charts import Column, EarningsChart, earnings_chart
from portal.formats import active_locale, date_text
from portal.notices import Notice
from portal.rooms import Room, enter, remember, show, waiting_proposal
from portal.steps import steps_for
from portal.tier_story import open_review
from portal.views import money_path, next_payment, tier
from portal.views.link_rows import active_codes, active_links
from portal.views.pages import HomePage
from prm.lib import l10n
from prm.lib.periods import local_day

FIRST_TIME = timedelta(days=90)
LATEST = 7
LINKS = 3


@require_safe
@enter()
def home(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the partner's Home."""
    return show(request, room, "portal/home/home.html", nav="home", page=home_page(room))


@require_GET
@enter()
def switch(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Make another of the own memberships current and go to its Home."""
    own = (
        Membership.objects.visible_to(room.user)
        .filter(pk__in=[each.pk for each in room.memberships])
        .distinct()
    )
    remember(request, get_object_or_404(own, public_id=public_id))
    return redirect("portal:home")


def home_page(room: Room) -> HomePage:
    """Gather everything Home shows."""
    membership, at, zone = room.membership, room.at, room.zone
    money = overview.money_of(membership, at=at)
    payments = overview.payments_of(membership)
    coming = next_payments.next_payment(membership, payments, at=at)
    latest = lines.readable(room.commissions()).order_by("-effective_at", "-pk")[:LATEST]
    standing = tier.standing(membership, at=at)
    steps = _open_checklist(room, is_new=not money.count)
    may_open_money = room.may(roles.SEE_PAYMENT_DETAILS)
    return HomePage(
        greeting=_greeting(room),
        lede=_lede(room, standing.tier.name if standing else ""),
        stages=money_path.stages(
            money,
            overview.payments_so_far(payments),
            coming,
            at=at,
            zone=zone,
            review_days=room.program.decision_days,
        ),
        paused=_paused_text(money),
        beside=money_path.beside(money, coming.beside),
        chart=_chart(money) if money.count else None,
        payment=next_payment.card(coming, zone=zone, may_open_money=may_open_money),
        tier=tier.card(membership, standing, at=at),
        links=active_links(membership, at=at, limit=LINKS),
        codes=active_codes(membership),
        rows=tuple(lines.rows(latest, zone, payments)),
        notices=(
            *_membership_notices(room),
            *_proposal_notices(room),
            *_review_notices(room),
            *next_payment.notices(coming, may_open_money=may_open_money),
        ),
        is_new=not money.count,
        steps=steps,
        steps_done=sum(step.done for step in steps),
    )


def _open_checklist(room: Room, *, is_new: bool) -> tuple[checklists.StepState, ...]:
    """Return the steps of a newcomer that has not done everything needed; nothing once it has, or has left.

    Whoever has earned for months knows the way: what is missing then is said where it matters, and the list has its own page.
    """
    membership = room.membership
    if membership.ended_at is not None or (not is_new and room.at - membership.joined_at > FIRST_TIME):
        return ()
    steps = steps_for(room)
    return () if checklists.is_complete(steps) else tuple(steps)


def _chart(money: overview.MoneyOverview) -> EarningsChart:
    columns = [
        Column(month.month, dict(month.stages), f"{reverse('portal:earnings')}?period={month.month}")
        for month in money.months
    ]
    return earnings_chart(columns, money.currency, active_locale())


def _paused_text(money: overview.MoneyOverview) -> str:
    if not money.paused.count:
        return ""
    return _("Of what is in review, %(amount)s is paused: %(count)s.") % {
        "amount": l10n.money_text(money.paused.amount, active_locale()),
        "count": money_path.commissions_text(money.paused.count),
    }


def _greeting(room: Room) -> str:
    name = {"name": room.user.get_short_name()}
    hour = room.at.astimezone(room.zone).hour
    if hour < 12:
        return _("Good morning, %(name)s") % name
    if hour < 18:
        return _("Good afternoon, %(name)s") % name
    return _("Good evening, %(name)s") % name


def _lede(room: Room, tier_name: str) -> str:
    params: dict[str, Any] = {
        "partner": room.partner.name,
        "tier": tier_name,
        "moment": moment_text(room.at, room),
    }
    if tier_name:
        return _("%(partner)s, %(tier)s tier. Figures up to %(moment)s.") % params
    return _("%(partner)s. Figures up to %(moment)s.") % params


def moment_text(instant: datetime, room: Room) -> str:
    """Return an instant in the program's time zone, which is named."""
    local = instant.astimezone(room.zone)
    day = l10n.date_text(local.date(), active_locale(), "long")
    return f"{day}, {local:%H:%M} ({room.program.time_zone})"


def _proposal_notices(room: Room) -> list[Notice]:
    proposal = waiting_proposal(room)
    if not proposal:
        return []
    return [
        Notice(
            "info",
            _("They wait for an answer."),
            title=_("Own terms are proposed to you."),
            href=reverse("portal:proposal", args=[proposal]),
            action=_("Read the proposal"),
        )
    ]


def _review_notices(room: Room) -> list[Notice]:
    # That there is one was seen at the door.
    found = open_review(room.membership) if getattr(room.membership, "has_review", False) else None
    return [found] if found is not None else []


def _membership_notices(room: Room) -> list[Notice]:
    state, ended_at = room.membership.state, room.membership.ended_at
    if state == MembershipState.SUSPENDED and not getattr(room.membership, "is_stopped", False):
        text = _("Links and codes earn nothing now. What you have earned stays yours.")
        return [Notice("warn", text, title=_("Your membership is suspended."))]
    if ended_at is not None:
        day = {"date": date_text(local_day(ended_at, room.zone))}
        text = _("It ended on %(date)s. What is still owed to you is paid as usual.") % day
        return [Notice("info", text, title=_("You have left this program."))]
    return []
