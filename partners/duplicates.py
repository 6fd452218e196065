"""Find partners that may be the same as one: equal VAT number, website, phone or name. It is a hint for a person and joins nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partners import keys
from partners.models import Partner
from partners.screening_words import PLATFORMS, domain_of, name_key

MOST = 10
_LOOKED_AT = 200
_SHORTEST_PHONE = 6


@dataclass(frozen=True)
class Candidate:
    """A partner that may be the same, and what is equal."""

    partner: Partner
    reasons: tuple[str | Promise, ...]


def candidates(partner: Partner) -> list[Candidate]:
    """Return partners that share something with `partner`, those with most in common first; one query narrowed by indexes."""
    near = _near(partner)
    if near is None or partner.merged_into_id is not None:
        return []
    rows = (
        Partner.objects.alias(**{name: keys.of_partner(name) for name in keys.KEYS})
        .filter(near, merged_into=None, erased_at=None)
        .exclude(pk=partner.pk)
        .order_by("pk")[:_LOOKED_AT]
    )
    found = [Candidate(other, tuple(_reasons(partner, other))) for other in rows]
    found = [each for each in found if each.reasons]
    return sorted(found, key=lambda each: (-len(each.reasons), each.partner.name))[:MOST]


def _near(partner: Partner) -> Q | None:
    """Return what the database narrows down by; the exact comparison is made here."""
    tests = []
    if partner.vat_number:
        tests.append(Q(key_vat=keys.squashed(partner.vat_number)))
    if len(keys.squashed(partner.phone)) >= _SHORTEST_PHONE:
        tests.append(Q(key_phone=keys.squashed(partner.phone)))
    host = _host(partner.website)
    if host and domain_of(host) not in PLATFORMS:
        tests.append(Q(key_host=host))
    begins = keys.squashed(partner.name)[: keys.NAME_LENGTH]
    if begins:
        tests.append(Q(key_name=begins))
    if not tests:
        return None
    found = tests[0]
    for each in tests[1:]:
        found |= each
    return found


def _reasons(partner: Partner, other: Partner) -> Iterator[str | Promise]:
    if partner.vat_number and keys.squashed(partner.vat_number) == keys.squashed(other.vat_number):
        yield _("same VAT number")
    site = domain_of(partner.website) if partner.website else ""
    if site and site not in PLATFORMS and other.website and domain_of(other.website) == site:
        yield _("same website")
    phone = keys.squashed(partner.phone)
    if len(phone) >= _SHORTEST_PHONE and phone == keys.squashed(other.phone):
        yield _("same phone number")
    key = name_key(partner.name)
    if key and name_key(other.name) == key:
        yield _("same name")


def _host(address: str) -> str:
    text = address.lower()
    for part in ("https://", "http://", "www."):
        text = text.replace(part, "")
    return text.split("/")[0]
