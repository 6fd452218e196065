"""Read what surrounds applications: partners, other applications, blocks, references and prospects that share something with them. The
number of questions to the database does not depend on the number of applications, and each is answered from an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from partners import keys
from partners.choices import ApplicationState, MembershipState
from partners.models import Application, Blocked, Member, Membership, Partner, Prospect, Reference
from partners.screening_words import (
    PLATFORMS,
    PUBLIC_MAIL,
    domain_of,
    host_of,
    name_key,
    phone_key,
    place_key,
)

MOST = 5  # how many of a kind are worth listing
TRAITS = ("name", "site", "mail", "phone", "vat", "place")
_USUAL_HOSTS = ("", "shop.", "store.", "blog.")


@dataclass(frozen=True)
class Traits:
    """What of a partner or an application may be another's too."""

    pk: int
    text: str
    name: str
    site: str
    mail: str
    phone: str
    vat: str
    place: str
    mailbox: str = ""

    def shared(self, other: Traits) -> set[str]:
        """Return which traits both have."""
        return {
            trait
            for trait in TRAITS
            if getattr(self, trait) and getattr(self, trait) == getattr(other, trait)
        }


@dataclass
class Around:
    """What is known about the surroundings of some applications."""

    places: dict[str, list[Member]] = field(default_factory=dict)
    same_mailbox: dict[str, list[Application]] = field(default_factory=dict)
    ended_by_us: dict[str, list[Membership]] = field(default_factory=dict)
    partners: list[Traits] = field(default_factory=list)
    applications: list[Traits] = field(default_factory=list)
    addresses: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    references: dict[int, list[Reference]] = field(default_factory=dict)
    prospects: dict[str, list[Prospect]] = field(default_factory=dict)
    introducers: dict[int, Membership] = field(default_factory=dict)
    _near: dict[tuple[int, str, str], list[Traits]] = field(default_factory=dict)

    def alike(self, application: Application, *, partners: bool) -> list[tuple[Traits, set[str]]]:
        """Return partners, or applications of other people, that share traits with `application`."""
        own, rows = traits_of(application), self.partners if partners else self.applications
        index = self._index(rows)
        near: dict[int, Traits] = {}
        for trait in TRAITS:
            others = index.get((id(rows), trait, getattr(own, trait)), [])
            kept = (other for other in others if partners or _is_other(own, other))
            near.update((other.pk, other) for other in islice(kept, MOST))
        return [(other, own.shared(other)) for _pk, other in sorted(near.items())]

    def _index(self, rows: list[Traits]) -> dict[tuple[int, str, str], list[Traits]]:
        if (id(rows), "", "") not in self._near:
            self._near[(id(rows), "", "")] = []
            for row in sorted(rows, key=lambda each: each.pk):
                for trait in TRAITS:
                    if getattr(row, trait):
                        self._near.setdefault((id(rows), trait, getattr(row, trait)), []).append(row)
        return self._near


def look_around(applications: Sequence[Application]) -> Around:
    """Read the surroundings of `applications` in a fixed number of queries."""
    mailboxes = {each.email_folded for each in applications if each.email_folded}
    pks = {each.pk for each in applications}
    places = (
        Member.objects.current().filter(user__email_folded__in=mailboxes).select_related("partner", "user")
    )
    same = Application.objects.exclude(state=ApplicationState.DRAFT).filter(email_folded__in=mailboxes)
    prospects = Prospect.objects.exclude(email_folded="").filter(email_folded__in=mailboxes)
    references = Reference.objects.filter(application__in=pks).order_by("pk")
    introducers = {each.introducer_id for each in applications if each.introducer_id}
    return Around(
        places=_by(places.order_by("pk"), lambda row: row.user.email_folded),
        same_mailbox=_by(
            same.select_related("program").order_by("-created_at", "-pk"), lambda row: row.email_folded
        ),
        ended_by_us=_ended(mailboxes),
        partners=_partners(applications),
        applications=_applications(applications),
        addresses=_addresses(applications),
        blocked=list(Blocked.objects.filter(ended_at=None).order_by("pk")),
        references=_by(references, lambda row: row.application_id),
        prospects=_by(prospects.order_by("pk"), lambda row: row.email_folded),
        introducers=Membership.objects.select_related("partner").in_bulk(introducers),
    )


def traits_of(application: Application) -> Traits:
    """Return what of an application may be another's too."""
    return _traits(
        application.pk,
        str(application),
        name=application.company,
        website=application.website,
        email=application.email,
        phone=application.phone,
        vat=application.vat_number,
        street=application.street,
        postcode=application.postcode,
        mailbox=application.email_folded,
    )


def _traits(
    pk: int,
    text: str,
    *,
    name: str,
    website: str,
    email: str,
    phone: str,
    vat: str,
    street: str,
    postcode: str,
    mailbox: str = "",
) -> Traits:
    site = domain_of(website) if website else ""
    mail = domain_of(email) if email else ""
    digits = phone_key(phone)
    return Traits(
        pk,
        text,
        name=name_key(name),
        site="" if site in PLATFORMS else site,
        mail="" if mail in PUBLIC_MAIL else mail,
        phone=digits if len(digits) >= 7 else "",
        vat=keys.squashed(vat),
        place=place_key(street, postcode),
        mailbox=mailbox,
    )


def _is_other(own: Traits, other: Traits) -> bool:
    return other.pk != own.pk and other.mailbox != own.mailbox


def _by(rows: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def _ended(mailboxes: set[str]) -> dict[str, list[Membership]]:
    people = Member.objects.filter(user__email_folded__in=mailboxes)
    ended = [MembershipState.BANNED, MembershipState.TERMINATED]
    out = people.filter(partner__memberships__state__in=ended)
    pairs = sorted(set(out.values_list("user__email_folded", "partner__memberships")))
    memberships = Membership.objects.filter(state__in=ended).select_related("program")
    rows = memberships.in_bulk({pk for _mailbox, pk in pairs})
    return _pairs((mailbox, rows[pk]) for mailbox, pk in pairs if pk in rows)


def _pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, row in pairs:
        found[key].append(row)
    return dict(found)


def _wanted(applications: Sequence[Application]) -> dict[str, set[str]]:
    """Return the values of each key that would make a neighbour."""
    wanted: dict[str, set[str]] = {name: set() for name in keys.KEYS}
    for each in applications:
        own = traits_of(each)
        wanted["key_name"].add(keys.squashed(each.company)[: keys.NAME_LENGTH] if own.name else "")
        if own.site:
            wanted["key_host"].update(f"{usual}{own.site}" for usual in _USUAL_HOSTS)
            wanted["key_host"].add(host_of(each.website))
        wanted["key_mail"].add(own.mail)
        wanted["key_phone"].update((own.phone, f"00{own.phone}") if own.phone else ())
        wanted["key_vat"].add(own.vat)
        wanted["key_place"].add(keys.squashed(each.postcode) if own.place else "")
    return {name: values - {""} for name, values in wanted.items()}


def _near(rows: QuerySet[Any], wanted: dict[str, set[str]], key: Any) -> QuerySet[Any]:
    """Narrow a table to the rows that share a key, one indexed expression after the other."""
    asked = {name: values for name, values in wanted.items() if values}
    if not asked:
        return rows.none()
    rows = rows.alias(**{name: key(name) for name in asked})
    return rows.filter(reduce(or_, (Q(**{f"{name}__in": sorted(values)}) for name, values in asked.items())))


def _partners(applications: Sequence[Application]) -> list[Traits]:
    known = Partner.objects.filter(merged_into=None, erased_at=None)
    columns = ("pk", "name", "website", "email", "phone", "vat_number", "street", "postcode")
    rows = _near(known, _wanted(applications), keys.of_partner).values_list(*columns)
    return [
        _traits(
            pk,
            name,
            name=name,
            website=website,
            email=email,
            phone=phone,
            vat=vat,
            street=street,
            postcode=postcode,
        )
        for pk, name, website, email, phone, vat, street, postcode in rows
    ]


def _applications(applications: Sequence[Application]) -> list[Traits]:
    sent = Application.objects.exclude(state=ApplicationState.DRAFT).filter(erased_at=None)
    wanted = _wanted(applications) | {"key_name": set(), "key_host": set()}
    return [
        traits_of(row) for row in _near(sent, wanted, keys.of_application).defer("answers", "how_promote")
    ]


def _addresses(applications: Sequence[Application]) -> dict[str, list[tuple[datetime, str]]]:
    addresses = {each.address for each in applications if each.address}
    seen = Application.objects.filter(address__in=addresses).exclude(state=ApplicationState.DRAFT)
    rows = seen.values_list("address", "created_at", "email_folded")
    return _pairs((str(address), (created_at, mailbox)) for address, created_at, mailbox in rows)
