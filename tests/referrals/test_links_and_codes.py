"""Making links and codes, switching them, and the welcome that gives every membership its first."""

from __future__ import annotations

from typing import Any

import pytest

from partners.events import MembershipApproved
from prm.audit.models import AuditEvent
from prm.lib.events import announce
from referrals import codes, links, tasks, welcome
from referrals.models import Code, Link
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW, CodeFactory, LinkFactory, new_membership

pytestmark = pytest.mark.django_db


def test_a_link_is_made_with_what_was_asked_for() -> None:
    membership, ana = new_membership(), UserFactory.create()
    link = links.make(
        membership,
        label=" Spring mail ",
        slug="Spring",
        destination_url="https://shop.example/new",
        at=NOW,
        by=ana,
    )
    assert (link.label, link.slug, link.destination_url) == (
        "Spring mail",
        "spring",
        "https://shop.example/new",
    )
    assert (link.is_active, link.created_at) == (True, NOW)
    event = AuditEvent.objects.get(action="link.made")
    assert (event.actor_id, event.object_public_id) == (ana.pk, link.public_id)


def test_without_wishes_a_link_leads_to_the_programs_page_and_has_a_readable_address() -> None:
    link = links.make(new_membership(), label="Été à Paris!", at=NOW)
    assert link.destination_url == "https://shop.example/start"
    assert link.slug.startswith("ete-a-paris-")
    assert len(link.slug) == len("ete-a-paris-") + 5


def test_a_label_without_letters_still_gets_an_address() -> None:
    assert len(links.make(new_membership(), label="東京", at=NOW).slug) == 8


@pytest.mark.parametrize("slug", ["a b", "-a", "a-", "ä", "a/b", "a" * 41, "a_b", "..", "a\n"])
def test_a_short_address_has_plain_letters_only(slug: str) -> None:
    membership = new_membership()
    if slug.strip() == "a":
        assert links.make(membership, label="x", slug=slug, at=NOW).slug == "a"
        return
    with pytest.raises(links.BadSlug) as refusal:
        links.make(membership, label="x", slug=slug, at=NOW)
    assert refusal.value.field == "slug"
    assert Link.objects.count() == 0


def test_a_short_address_is_given_once() -> None:
    LinkFactory.create(slug="spring")
    with pytest.raises(links.SlugTaken):
        links.make(new_membership(), label="x", slug="SPRING", at=NOW)
    assert Link.objects.count() == 1


@pytest.mark.parametrize("label", ["", "   ", "x" * 81])
def test_a_link_has_a_name(label: str) -> None:
    with pytest.raises(links.BadLabel):
        links.make(new_membership(), label=label, at=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/",
        "javascript:alert(1)",
        "https://shop.example@evil.test/",
        "https://shop.example/" + "x" * 500,
    ],
)
def test_a_link_may_not_lead_elsewhere(url: str) -> None:
    with pytest.raises(links.DestinationNotAllowed) as refusal:
        links.make(new_membership(), label="x", destination_url=url, at=NOW)
    assert refusal.value.field == "destination_url"
    assert "shop.example" in str(refusal.value)
    assert Link.objects.count() == 0


def test_a_link_may_lead_to_the_domains_the_program_names() -> None:
    membership = new_membership(allowed_domains=["blog.example"])
    assert links.make(membership, label="x", destination_url="https://blog.example/a", at=NOW).pk


def test_a_link_may_not_lead_to_a_link_of_ours(settings: Any) -> None:
    settings.SITE_URL = "https://partners.shop.example"
    with pytest.raises(links.DestinationNotAllowed):
        links.make(
            new_membership(), label="x", destination_url="https://partners.shop.example/r/spring", at=NOW
        )


def test_only_an_active_membership_gets_links_and_codes() -> None:
    membership = new_membership(state="suspended")
    with pytest.raises(links.NotActive):
        links.make(membership, label="x", at=NOW)
    with pytest.raises(links.NotActive):
        codes.make(membership, at=NOW)
    assert (Link.objects.count(), Code.objects.count()) == (0, 0)


def test_a_link_is_switched_off_and_on_and_each_change_is_on_record_once() -> None:
    link, ana = LinkFactory.create(), UserFactory.create()
    for on in (False, False, True):
        links.switch(link, on=on, by=ana, at=NOW)
        assert Link.objects.get(pk=link.pk).is_active is on
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["link.switched_off", "link.switched_on"]


def test_a_code_is_stored_in_capitals() -> None:
    assert codes.make(new_membership(), code=" ana-10 ", at=NOW).code == "ANA-10"


def test_a_code_is_given_once_over_all_programs() -> None:
    CodeFactory.create(code="ANA-10")
    with pytest.raises(codes.CodeTaken) as refusal:
        codes.make(new_membership(), code="ana-10", at=NOW)
    assert refusal.value.field == "code"


@pytest.mark.parametrize("code", ["A B", "-A", "Ä", "A" * 41, "A_B", "A'B"])
def test_a_code_has_plain_letters_only(code: str) -> None:
    with pytest.raises(codes.BadCode):
        codes.make(new_membership(), code=code, at=NOW)


def test_a_code_from_a_name_can_be_read_aloud() -> None:
    code = codes.make(new_membership(name="Łódź & Söhne"), at=NOW).code
    head, tail = code.split("-")
    assert head.isascii() and head.isalnum() and head.isupper()
    assert len(tail) == 4 and not set(tail) & set("01IO")


def test_a_code_is_switched_off() -> None:
    code = CodeFactory.create()
    codes.switch(code, on=False, by=None, at=NOW)
    assert Code.objects.get().is_active is False


# The welcome ---------------------------------------------------------------------------------------------------------


def test_a_new_membership_gets_one_link_and_one_code_however_often_it_is_welcomed() -> None:
    membership = new_membership(name="Ana Books")
    assert welcome.first_link_and_code(membership.pk, at=NOW) is True
    assert welcome.first_link_and_code(membership.pk, at=NOW) is False
    link, code = Link.objects.get(), Code.objects.get()
    assert link.slug.startswith("ana-books-") and code.code.startswith("ANABOOKS-")


def test_what_is_there_is_not_made_again_even_when_it_is_off() -> None:
    membership = new_membership()
    LinkFactory.create(membership=membership, is_active=False)
    welcome.first_link_and_code(membership.pk, at=NOW)
    assert (Link.objects.count(), Code.objects.count()) == (1, 1)


def test_a_membership_that_is_not_active_is_not_welcomed() -> None:
    assert welcome.first_link_and_code(new_membership(state="suspended").pk, at=NOW) is False
    assert Link.objects.count() == 0


def test_the_sweep_finds_memberships_whose_bell_was_lost() -> None:
    waiting = [new_membership(), new_membership()]
    new_membership(state="ended")
    CodeFactory.create(membership=waiting[0])
    assert tasks.sweep()["welcomed"] == 2
    assert (Link.objects.count(), Code.objects.count()) == (2, 2)
    assert tasks.sweep()["welcomed"] == 0


def test_an_approval_rings_for_the_welcome(eager_tasks: Any, django_capture_on_commit_callbacks: Any) -> None:
    membership = new_membership()
    with django_capture_on_commit_callbacks(execute=True):
        announce(MembershipApproved(membership.pk))
    assert (membership.links.count(), membership.codes.count()) == (1, 1)
