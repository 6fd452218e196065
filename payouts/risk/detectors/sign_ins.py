"""Where a partner's team signs in from, as the hashes clicks and conversions carry. The hash of a day can be made only while the key of that day
is kept; afterwards nothing matches, which is the purpose of the key."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from allauth.usersessions.models import UserSession

from partners.models import Member
from payouts.risk.detectors.base import Look
from referrals.addresses import known_hashes

LEARNED_FOR = timedelta(days=30)  # a session older than that says little about where somebody is
LATE = timedelta(days=31)  # events told late are compared as far back as keys are kept


def addresses_of(look: Look) -> dict[int, frozenset[str]]:
    """Return by membership the hashes that the known addresses of its team have on the days looked at; three queries."""
    sessions = UserSession.objects.filter(last_seen_at__gte=look.until - LEARNED_FOR)
    known: dict[int, set[str]] = defaultdict(set)
    for user_id, ip in sessions.values_list("user_id", "ip").distinct():
        known[user_id].add(ip)
    if not known:
        return {}
    since = look.until - LATE if look.conversion_ids else look.since
    hashes = known_hashes({ip for ips in known.values() for ip in ips}, since, look.until)
    found: dict[int, set[str]] = defaultdict(set)
    teams = Member.objects.current().filter(partner__memberships__program=look.program)
    for user_id, membership_id in teams.values_list("user_id", "partner__memberships"):
        for ip in known.get(user_id, ()):
            found[membership_id] |= hashes.get(ip, set())
    return {membership_id: frozenset(mine) for membership_id, mine in found.items()}
