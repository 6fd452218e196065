"""Links that carry more than where they lead: what they may say, how they change, and which other one takes their place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from referrals import links
from referrals.link_facts import RESERVED, BadCampaign, BadUtm, EndsInThePast, Facts, ReservedSlug, UnknownUtm
from referrals.models import Link
from tests.factories.referrals import NOW, LinkFactory, new_membership
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=30)


def test_a_link_carries_its_campaign_its_parameters_and_its_end() -> None:
    link = links.make(
        new_membership(),
        label="Spring",
        campaign=" spring-26 ",
        utm={"utm_medium": " mail ", "utm_source": "blog", "utm_term": ""},
        expires_at=LATER,
        at=NOW,
    )
    assert (link.campaign, link.expires_at) == ("spring-26", LATER)
    assert link.utm == {"utm_source": "blog", "utm_medium": "mail"}


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"campaign": "x" * 65}, BadCampaign),
        ({"campaign": "two\nlines"}, BadCampaign),
        ({"utm": {"utm_source": "x" * 101}}, BadUtm),
        ({"utm": {"utm_source": "a\u202eb"}}, BadUtm),
        ({"utm": {"utm_id": "7"}}, UnknownUtm),
        ({"expires_at": NOW}, EndsInThePast),
        ({"slug": "admin"}, ReservedSlug),
        ({"slug": "R"}, ReservedSlug),
        ({"destination_url": "https://shop.example/" + "x" * 480}, links.DestinationNotAllowed),  # 501
        ({"destination_url": "https://sh\u043ep.example/"}, links.DestinationNotAllowed),  # a Cyrillic o
        ({"destination_url": "https://b\u00fccher.shop.example/"}, links.DestinationNotAllowed),
        ({"destination_url": "https://shop.example@evil.test/"}, links.DestinationNotAllowed),
        ({"destination_url": "https://me:pw@shop.example/"}, links.DestinationNotAllowed),
        ({"destination_url": "JavaScript:alert(1)//shop.example"}, links.DestinationNotAllowed),
        ({"destination_url": "https://shop.example.evil.test/"}, links.DestinationNotAllowed),
        ({"destination_url": "https://shop.example%2eevil.test/"}, links.DestinationNotAllowed),
    ],
)
def test_what_a_link_may_not_say_is_refused_and_nothing_is_made(
    facts: dict[str, Any], refusal: type[Exception]
) -> None:
    membership = new_membership()
    with pytest.raises(refusal):
        links.make(membership, label="x", at=NOW, **facts)
    assert not Link.objects.exists()


def test_a_destination_of_500_characters_is_the_longest() -> None:
    url = "https://shop.example/" + "x" * 479
    assert len(url) == 500
    assert links.make(new_membership(), label="x", destination_url=url, at=NOW).destination_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://partners.shop.example/r/spring",
        "https://partners.shop.example:443/r/spring",
        "https://partners.shop.example/x/../r/spring",
        "https://partners.shop.example/%72/spring",
        "https://partners.shop.example/l/spring",
        "https://go.shop.example/spring",
    ],
)
def test_a_link_may_not_lead_to_a_link_of_ours_however_it_is_written(settings: Any, url: str) -> None:
    settings.SITE_URL, settings.LINK_HOSTS = "https://partners.shop.example", frozenset({"go.shop.example"})
    with pytest.raises(links.DestinationNotAllowed):
        links.make(new_membership(), label="x", destination_url=url, at=NOW)
    assert links.make(
        new_membership(), label="x", destination_url="https://partners.shop.example/about", at=NOW
    ).pk


def test_the_first_words_of_our_own_addresses_are_reserved() -> None:
    words = {str(each.pattern).strip("^").split("/")[0] for each in _first_level(get_resolver().url_patterns)}
    plain = {word for word in words if word and links.slug_words(word) == word}
    assert plain <= RESERVED, sorted(plain - RESERVED)


def test_a_link_changes_what_it_says_and_never_its_address() -> None:
    link, by = (
        LinkFactory.create(slug="spring", membership=new_membership(allowed_domains=["blog.example"])),
        mats(),
    )
    facts = Facts("Autumn", "https://blog.example/a", "autumn", {"utm_source": "blog"}, LATER)
    for _time in range(2):
        links.change(link, facts, by=by, at=NOW)
    link.refresh_from_db()
    assert (link.slug, link.label, link.destination_url) == ("spring", "Autumn", "https://blog.example/a")
    assert (link.campaign, link.utm, link.expires_at) == ("autumn", {"utm_source": "blog"}, LATER)
    event = AuditEvent.objects.get(action="link.changed")  # the second time changed nothing
    assert event.details["before"] == "https://shop.example/start"
    assert event.details["fields"] == ["campaign", "destination_url", "expires_at", "label", "utm"]


def test_a_change_may_not_lead_elsewhere_and_keeps_an_end_that_is_past() -> None:
    link = LinkFactory.create(expires_at=NOW - timedelta(days=1))
    with pytest.raises(links.DestinationNotAllowed):
        links.change(link, Facts("x", "https://evil.test/", expires_at=link.expires_at), by=None, at=NOW)
    assert links.change(link, Facts("x", expires_at=link.expires_at), by=None, at=NOW).label == "x"
    with pytest.raises(EndsInThePast):
        links.change(link, Facts("x", expires_at=NOW - timedelta(hours=1)), by=None, at=NOW)


def test_visits_go_to_the_replacement_straight_and_back_again() -> None:
    membership = new_membership()
    old, middle, new = LinkFactory.create_batch(3, membership=membership)
    links.replace(old, middle, by=None, at=NOW)
    links.replace(middle, new, by=None, at=NOW)
    chain = {link.pk: link.replacement_id for link in Link.objects.all()}
    assert chain == {old.pk: new.pk, middle.pk: new.pk, new.pk: None}
    links.replace(middle, None, by=None, at=NOW)
    chain = {link.pk: link.replacement_id for link in Link.objects.all()}
    assert chain == {old.pk: new.pk, middle.pk: None, new.pk: None}
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["link.replaced"] * 3 + ["link.replacement_ended"]


def test_a_link_is_not_replaced_in_a_circle_by_a_strangers_or_by_one_that_is_off() -> None:
    membership = new_membership()
    one, two = LinkFactory.create_batch(2, membership=membership)
    off = LinkFactory.create(membership=membership, is_active=False)
    over = LinkFactory.create(membership=membership, expires_at=NOW)
    links.replace(one, two, by=None, at=NOW)
    for target, refusal in (
        (two, links.InACircle),
        (one, links.InACircle),
        (LinkFactory.create(), links.OtherMembership),
        (off, links.ReplacementOff),
        (over, links.ReplacementOff),
    ):
        with pytest.raises(refusal):
            links.replace(two, target, by=None, at=NOW)
    assert Link.objects.exclude(replacement=None).count() == 1


def test_of_the_staff_only_those_who_keep_links_do() -> None:
    link, by = LinkFactory.create(), fiona()
    for act in (
        lambda: links.make(link.membership, label="x", by=by, at=NOW),
        lambda: links.change(link, Facts("x"), by=by, at=NOW),
        lambda: links.replace(link, None, by=by, at=NOW),
        lambda: links.switch(link, on=False, by=by, at=NOW),
    ):
        with pytest.raises(Forbidden):
            act()
    assert Link.objects.filter(is_active=True, label="Newsletter").count() == 1


def _first_level(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    found: list[URLPattern | URLResolver] = []
    for each in patterns:
        if isinstance(each, URLResolver) and str(each.pattern) in ("", "^"):
            found += _first_level(each.url_patterns)
        else:
            found.append(each)
    return found
