"""What two partners share: a bank account, or a device. Each of the two gets a signal of its own that names the other by its id for staff only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

from allauth.usersessions.models import UserSession
from django.db.models import Q

from partners.models import Member, Membership
from payouts.choices import RiskKind
from payouts.models import AccountSignal
from payouts.risk.detectors.base import MEDIUM, SHOWN, Look, Signal
from referrals.choices import ClickKind

ACCOUNT = RiskKind.SHARED_ACCOUNT.value
DEVICE = RiskKind.SHARED_DEVICE.value


def shared_account(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner that is paid to the account of another, while nobody has cleared it."""
    members = _members_of(look)
    rows = AccountSignal.objects.open().filter(
        Q(method__partner__memberships__program=look.program)
        | Q(other__partner__memberships__program=look.program)
    )
    found = rows.values_list("pk", "public_id", "method__partner_id", "other__partner_id").distinct()
    for pk, public_id, one, two in found.order_by("pk"):
        for partner_id in (one, two):
            if partner_id in members:
                yield Signal(members[partner_id], ACCOUNT, MEDIUM, (pk,), {"account_signal": public_id})


def shared_device(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner whose own tests or sign-ins come from the device of another."""
    members = _members_of(look)
    least = look.of(DEVICE)["visits"]
    pairs: Counter[tuple[int, int]] = Counter()
    for visits in (_own_tests(look), _sign_ins(look, members)):
        for counts in visits.values():
            often = sorted(member for member, n in counts.items() if n >= least)
            pairs.update(combinations(often[:SHOWN], 2))
    for (one, two), devices in sorted(pairs.items()):
        for mine, other in ((one, two), (two, one)):
            evidence = {"devices": devices, "other_membership": other, "thresholds": look.of(DEVICE)}
            yield Signal(mine, DEVICE, MEDIUM, (other,), evidence)


def _members_of(look: Look) -> dict[int, int]:
    """Return the program's memberships by partner."""
    rows = Membership.objects.filter(program=look.program).order_by("pk")
    return dict(rows.values_list("partner_id", "pk"))


def _own_tests(look: Look) -> dict[object, Counter[int]]:
    """Return how often each partner tried its own links, by address and browser of one day."""
    found: dict[object, Counter[int]] = defaultdict(Counter)
    rows = look.clicks().filter(kind=ClickKind.OWN).exclude(address_hash="").exclude(agent_hash="")
    for address, agent, membership_id in rows.values_list(
        "address_hash", "agent_hash", "link__membership_id"
    ).iterator(chunk_size=2000):
        found[address, agent][membership_id] += 1
    return found


def _sign_ins(look: Look, members: dict[int, int]) -> dict[object, Counter[int]]:
    """Return how often each partner's team signed in, by address and browser; who is in both teams is no sign of anything."""
    teams: dict[int, set[int]] = defaultdict(set)
    for user_id, partner_id in (
        Member.objects.current().filter(partner__in=members).values_list("user_id", "partner_id")
    ):
        teams[user_id].add(members[partner_id])
    found: dict[object, Counter[int]] = defaultdict(Counter)
    rows = UserSession.objects.filter(
        last_seen_at__gte=look.since, user__in=Member.objects.current().values("user_id")
    )
    for user_id, ip, agent in rows.values_list("user_id", "ip", "user_agent").iterator(chunk_size=2000):
        if agent and len(teams.get(user_id, ())) == 1:
            found[ip, agent][next(iter(teams[user_id]))] += 1
    return found
