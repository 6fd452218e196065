"""The door of every partner page: who is asking, for which membership, in which role. Nobody gets past it without a place in
a partner's team, and a page works only on rows of the memberships found here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from partners.models import (
    BusinessPlan,
    Certification,
    Ending,
    Member,
    Membership,
    Partner,
    ProgramResource,
    Suspension,
    TierReview,
)
from partners.terms import waiting_for
from payouts.models import Commission, RiskCase, Statement
from payouts.models.commission import CommissionQuerySet
from payouts.models.statement import StatementQuerySet
from portal import roles, standing, terms_waiting
from prm.accounts.models import User
from tiers.choices import VersionState
from tiers.models import PlanVersion, Program

P = ParamSpec("P")
_CURRENT = "portal_membership"  # session key: which program this person looked at last
_STOPPED = Suspension.objects.filter(membership=OuterRef("pk"), lifted_at=None)
_LEAVING = Ending.objects.waiting().filter(membership=OuterRef("pk"))
_REVIEWED = TierReview.objects.told().open().filter(membership=OuterRef("pk"))
_RESOURCES = ProgramResource.objects.filter(program=OuterRef("program"), removed_at=None)
_CERTIFICATIONS = Certification.objects.filter(program=OuterRef("program"), retired_at=None)
_CASES = RiskCase.objects.filter(membership=OuterRef("pk"))
_OPEN_CASES = RiskCase.objects.open().filter(membership=OuterRef("pk"))
_PLANS = BusinessPlan.objects.filter(membership=OuterRef("pk"), proposed_at__isnull=False)
_PROPOSED = PlanVersion.objects.filter(member_key=OuterRef("public_id"), state=VersionState.PROPOSED)


@dataclass(frozen=True)
class MenuEntry:
    """One program in the switcher."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Room:
    """A person in one of the own memberships, at one moment."""

    user: User
    member: Member
    membership: Membership
    memberships: tuple[Membership, ...]
    members: tuple[Member, ...]
    at: datetime

    @property
    def partner(self) -> Partner:
        return self.membership.partner

    @property
    def program(self) -> Program:
        return self.membership.program

    @property
    def zone(self) -> ZoneInfo:
        return self.program.zone

    def may(self, capability: str) -> bool:
        return roles.may(self.member.role, capability)

    def commissions(self) -> CommissionQuerySet:
        """Return the lines of the current membership."""
        return Commission.objects.visible_to(self.user).filter(membership=self.membership)

    def statements(self) -> StatementQuerySet:
        """Return the statements of the current membership."""
        return Statement.objects.visible_to(self.user).filter(membership=self.membership)

    def anywhere(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow rows that have a membership to those of all of this person's memberships."""
        return rows.filter(membership__in=[each.pk for each in self.memberships])

    def of(self, membership_id: int) -> Room:
        """Return this room with another of the own memberships current, and the role held there."""
        membership = next(each for each in self.memberships if each.pk == membership_id)
        member = next(each for each in self.members if each.partner_id == membership.partner_id)
        return replace(self, membership=membership, member=member)

    def menu(self) -> list[MenuEntry]:
        """Return the programs to switch between; the partner is named where there is more than one."""
        many = len({each.partner_id for each in self.memberships}) > 1
        return [
            MenuEntry(
                label=f"{each.partner.name}: {each.program.name}" if many else each.program.name,
                url=reverse("portal:switch", args=[each.public_id]),
                current=each.pk == self.membership.pk,
            )
            for each in self.memberships
        ]


View = Callable[Concatenate[HttpRequest, Room, P], HttpResponseBase]
Door = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def enter(capability: str = roles.LOOK) -> Callable[[View[P]], Door[P]]:
    """Return a decorator that lets a team member through who holds `capability`, and hands the view the room."""

    def wrap(view: View[P]) -> Door[P]:
        @never_cache
        @login_required
        @wraps(view)
        def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            room = find_room(request)
            if room is None:
                return render(request, "portal/no_program.html", {"nav_current": ""}, status=403)
            if not room.may(capability):
                return refuse(request, room, capability)
            with timezone.override(room.zone):
                return view(request, room, *args, **kwargs)

        return door

    return wrap


def find_room(request: HttpRequest) -> Room | None:
    """Find the memberships of the person asking; the one looked at last is current, else the first."""
    user = request.user
    if not isinstance(user, User):
        return None
    at = clock()
    members = tuple(Member.objects.current().filter(user=user).order_by("joined_at", "pk"))
    memberships = tuple(
        waiting_for(Membership.objects.visible_to(user), at=at)
        .filter(partner__in=[member.partner_id for member in members])
        .annotate(waiting_proposal=Subquery(_PROPOSED.values("public_id")[:1]))
        .annotate(has_resources=Exists(_RESOURCES), has_certifications=Exists(_CERTIFICATIONS))
        .annotate(has_plans=Exists(_PLANS))
        .annotate(is_stopped=Exists(_STOPPED), is_leaving=Exists(_LEAVING))
        .annotate(has_review=Exists(_REVIEWED))
        .annotate(has_case=Exists(_CASES), has_open_case=Exists(_OPEN_CASES))
        .select_related("partner", "program")
        .order_by("joined_at", "pk")
        .distinct()
    )
    if not memberships:
        return None
    wanted = request.session.get(_CURRENT)
    first = next((each for each in memberships if each.ended_at is None), memberships[0])
    current = next((each for each in memberships if each.public_id == wanted), first)
    member = next(each for each in members if each.partner_id == current.partner_id)
    return Room(user, member, current, memberships, members, at)


def waiting_proposal(room: Room) -> str:
    """Return the public id of the proposal that waits for the partner's answer, empty for none; it was read at the door."""
    return getattr(room.membership, "waiting_proposal", "") or ""


def clock() -> datetime:
    """Read the clock, here and nowhere below: pages are told the time."""
    return timezone.now()


def remember(request: HttpRequest, membership: Membership) -> None:
    """Keep the membership current for the rest of the session."""
    if request.session.get(_CURRENT) != membership.public_id:
        request.session[_CURRENT] = membership.public_id


def own_or_404(
    request: HttpRequest,
    room: Room,
    rows: QuerySet[Any],
    public_id: str,
    *,
    capability: str = roles.LOOK,
) -> tuple[Any, Room]:
    """Return a row of any of the own memberships, and the room of that membership.

    The role that counts is the one held there: somebody's role with one partner opens nothing of another.
    """
    row = get_object_or_404(room.anywhere(rows), public_id=public_id)
    there = room.of(row.membership_id)
    if not there.may(capability):
        raise Http404
    remember(request, row.membership)
    return row, there


def show(
    request: HttpRequest, room: Room, template: str, *, nav: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of the portal with what its frame needs."""
    frame = {
        "room": room,
        "nav_current": nav,
        "partner": room.partner,
        "memberships": room.menu(),
        "closed_rooms": _closed(room),
        "standing": [*standing.notices_of(room), *(terms_waiting.notices_of(room) if nav != "terms" else ())],
    }
    response = render(request, template, {**frame, **context}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def refuse(request: HttpRequest, room: Room, capability: str) -> HttpResponse:
    """Say which roles may enter here."""
    wanted = [role.label for role in roles.roles_with(capability)]
    return show(request, room, "portal/forbidden.html", nav="", status=403, wanted=wanted)


def _closed(room: Room) -> frozenset[str]:
    closed = set()
    if not getattr(room.membership, "has_resources", False):
        closed.add("resources")
    if not getattr(room.membership, "has_plans", False):
        closed.add("plans")
    if not getattr(room.membership, "has_case", False):
        closed.add("reviews_of_lines")
    if not getattr(room.membership, "has_certifications", False):
        closed |= {"training", "staff"}
    if not room.may(roles.SEE_STATEMENTS):
        closed.add("statements")
    if not room.may(roles.SEE_PAYMENT_DETAILS):
        closed |= {"payment_details", "tax"}
    return frozenset(closed)
