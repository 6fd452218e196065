"""Count the warnings of many applications at once, for the queue. Each count is the number of warnings `screening.signals` gives for that
application; the surroundings are read in a handful of queries whatever the length of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from partners import screening
from partners.choices import ApplicationState, MembershipState
from partners.models import Application, Member, Membership, Partner

_MOST = 5  # how many of a kind `signals` lists


@dataclass
class _Around:
    """What is known about the mailboxes, companies and addresses of a page of applications."""

    places: Counter[str] = field(default_factory=Counter)
    applications: Counter[str] = field(default_factory=Counter)
    ended_by_us: Counter[str] = field(default_factory=Counter)
    partners: list[tuple[str, str]] = field(default_factory=list)
    addresses: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)


def warning_counts(applications: Sequence[Application]) -> dict[int, int]:
    """Return the number of warnings of each undecided application, by its id."""
    undecided = [each for each in applications if each.state in ApplicationState.undecided()]
    if not undecided:
        return {}
    around = _look_around(undecided)
    return {each.pk: _count(each, around) for each in undecided}


def _look_around(applications: Sequence[Application]) -> _Around:
    mailboxes = {each.email_folded for each in applications}
    around = _Around()
    current = Member.objects.current().filter(user__email_folded__in=mailboxes)
    around.places.update(current.values_list("user__email_folded", flat=True))
    same = Application.objects.filter(email_folded__in=mailboxes)
    around.applications.update(same.values_list("email_folded", flat=True))
    out = Membership.objects.filter(
        partner__members__user__email_folded__in=mailboxes,
        state__in=[MembershipState.BANNED, MembershipState.TERMINATED],
    )
    around.ended_by_us.update(
        mailbox for _pk, mailbox in out.values_list("pk", "partner__members__user__email_folded").distinct()
    )
    for name, website in Partner.objects.values_list("name", "website").iterator():
        site = screening.domain_of(website) if website else ""
        around.partners.append((screening.name_key(name), site))
    addresses = {each.address for each in applications if each.address}
    seen = Application.objects.filter(address__in=addresses).values_list(
        "address", "created_at", "email_folded"
    )
    for address, created_at, mailbox in seen:
        around.addresses.setdefault(str(address), []).append((created_at, mailbox))
    return around


def _count(application: Application, around: _Around) -> int:
    alone = (screening._confirmed, screening._mailbox, screening._text)
    count = sum(signal.level == screening.WARN for check in alone for signal in check(application))
    mailbox = application.email_folded
    count += min(around.places[mailbox], _MOST)
    count += min(around.applications[mailbox] - 1, _MOST)
    count += min(around.ended_by_us[mailbox], _MOST)
    return count + _same_company(application, around) + _same_address(application, around)


def _same_company(application: Application, around: _Around) -> int:
    key = screening.name_key(application.company)
    site = screening.domain_of(application.website) if application.website else ""
    site = "" if site in screening._PLATFORMS else site
    return sum(bool(key and name == key) or bool(site and site == other) for name, other in around.partners)


def _same_address(application: Application, around: _Around) -> int:
    since = application.created_at - screening._NEAR
    others = around.addresses.get(str(application.address), [])
    return int(any(at >= since and mailbox != application.email_folded for at, mailbox in others))
