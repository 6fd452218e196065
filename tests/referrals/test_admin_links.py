"""The back office's pages of links and codes: made for one or for many, taken from lists, handed out as a file."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from referrals.models import Code, Link
from tests.desk import at_desk, words
from tests.house import House, open_house
from tests.pages import submit, went_on
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
PAGES = (
    ("admin:referrals_link_choose", ()),
    ("admin:referrals_link_many_of", ()),
    ("admin:referrals_link_list", ()),
    ("admin:referrals_code_choose", ()),
    ("admin:referrals_code_list", ()),
    ("admin:referrals_code_export_of", ()),
)


def a_house() -> House:
    """Return a house with two partners."""
    house = open_house()
    house.member("K1")
    house.member("K2")
    return house


def test_a_link_is_made_changed_replaced_and_switched_for_a_partner() -> None:
    house, client = a_house(), at_desk(mats())
    member = house.members["K1"]
    assert "Partner K1" in words(client.get(reverse("admin:referrals_link_choose"), {"q": "K1"}))
    page = reverse("admin:referrals_link_new", args=[member.pk])
    went_on(submit(client, page, label="Home", slug="home-k1", utm_source="staff", expires_at="2099-01-31"))
    went_on(submit(client, page, label="Other"))
    one, two = Link.objects.order_by("pk")
    assert (one.membership, one.slug, one.utm) == (member, "home-k1", {"utm_source": "staff"})
    went_on(submit(client, reverse("admin:referrals_link_edit", args=[one.pk]), label="Front", campaign="c"))
    went_on(submit(client, reverse("admin:referrals_link_replace", args=[one.pk]), by_link=str(two.pk)))
    one.refresh_from_db()
    assert (one.label, one.campaign, one.replacement, one.slug) == ("Front", "c", two, "home-k1")
    text = words(client.get(reverse("admin:referrals_link_change", args=[one.pk])))
    assert "31 Jan 2099" in text and "Replaced by" in text
    bad = client.post(page, {"label": "x", "destination_url": "https://evil.test/"})
    assert bad.status_code == 422 and "these domains only: shop.halden.example" in words(bad)


def test_many_partners_get_a_link_in_two_steps_and_once() -> None:
    house, client = a_house(), at_desk(mats())
    page = reverse("admin:referrals_link_many", args=[house.program.pk])
    assert "Tick at least one partner" in words(submit(client, page, label="Spring", who="chosen"))
    for made, said in ((2, "Make 2 links"), (2, "There already")):
        look = submit(client, page, label="Spring", who="all")
        assert said in words(look)
        done = _apply(client, look, "admin:referrals_link_list_apply")
        assert done.status_code == 200 and Link.objects.filter(label="Spring").count() == made


def test_a_list_of_links_is_shown_with_its_faults_before_anything_is_made() -> None:
    house, client = a_house(), at_desk(mats())
    text = "partner,label,slug\nk1@x.example,Home,home-k1\nk1@x.example,Home,admin\n"
    look = submit(client, reverse("admin:referrals_link_list"), program=str(house.program.pk), text=text)
    assert "slug: This short address is reserved." in words(look) and not Link.objects.exists()
    _apply(client, look, "admin:referrals_link_list_apply")
    assert Link.objects.get().slug == "home-k1"
    stale = client.post(reverse("admin:referrals_link_list_apply"), {"list": "forged"}, follow=True)
    assert "This page is too old" in words(stale) and Link.objects.count() == 1


def test_codes_are_made_changed_retired_imported_and_handed_out() -> None:
    house, client = a_house(), at_desk(ada())
    member = house.members["K1"]
    page = reverse("admin:referrals_code_new", args=[member.pk])
    went_on(submit(client, page, code="spring", discount_percent="10", use_limit="5", ends_at="2099-12-31"))
    assert "not both" in words(submit(client, page, code="X", discount_percent="10", discount_amount="5"))
    code = Code.objects.get(code="SPRING")
    went_on(submit(client, reverse("admin:referrals_code_edit", args=[code.pk]), use_limit="7"))
    text = f"code,partner,discount_amount\nNEW5,{member.public_id},5.00\nK2,{member.public_id},5.00\n"
    look = submit(client, reverse("admin:referrals_code_list"), program=str(house.program.pk), text=text)
    assert "code: This code names another partner." in words(look)
    _apply(client, look, "admin:referrals_code_list_apply")
    assert Code.objects.get(code="NEW5").discount_minor == 500
    went_on(client.post(reverse("admin:referrals_code_retire", args=[code.pk])))
    code.refresh_from_db()
    assert (code.use_limit, code.is_active, code.retired_by) == (7, False, ada())
    assert "Retired" in words(client.get(reverse("admin:referrals_code_change", args=[code.pk])))
    assert "was used before" in words(submit(client, page, code="SPRING"))
    file = client.get(reverse("admin:referrals_code_export", args=[house.program.pk]))
    body = b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    assert "deactivate,SPRING," in body and "create,NEW5," in body
    assert 'filename="codes-affiliates.csv"' in file["Content-Disposition"]


def test_finance_looks_at_links_and_codes_and_opens_no_page_that_changes_them() -> None:
    house, client = a_house(), at_desk(fiona())
    member, code = house.members["K1"], Code.objects.get(code="K1")
    link = Link.objects.create(
        membership=member,
        slug="k",
        label="K",
        destination_url="https://shop.halden.example/",
        created_at=code.created_at,
    )
    closed = [
        *PAGES,
        ("admin:referrals_link_new", (member.pk,)),
        ("admin:referrals_link_edit", (link.pk,)),
        ("admin:referrals_link_replace", (link.pk,)),
        ("admin:referrals_link_many", (house.program.pk,)),
        ("admin:referrals_code_new", (member.pk,)),
        ("admin:referrals_code_edit", (code.pk,)),
        ("admin:referrals_code_retire", (code.pk,)),
        ("admin:referrals_code_export", (house.program.pk,)),
    ]
    for name, given in closed:
        assert client.get(reverse(name, args=given)).status_code == 403, name
    for row in (link, code):
        address = reverse(f"admin:referrals_{row._meta.model_name}_change", args=[row.pk])
        assert client.get(address).status_code == 200
        assert "Switch off" not in words(client.get(address))
        assert client.post(address, {"on": "0"}).status_code == 403
    for name in ("list", "apply"):
        address = reverse(f"admin:referrals_code_list{'_apply' if name == 'apply' else ''}")
        assert client.post(address, {}).status_code == 403


def _apply(client: Client, look: object, name: str) -> object:
    kept = look.context["kept"]  # type: ignore[attr-defined]
    return client.post(reverse(name), {"list": kept})
