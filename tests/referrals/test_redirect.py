"""The decision about a visit to a link, as tables; then the door itself."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError
from django.test import Client

from prm.lib.ids import ulid
from referrals.models import Click
from referrals.redirect import Answer, Target, Visit, allowed_hosts, answer, leads_outside, with_click
from tests.factories.referrals import LinkFactory, new_membership

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"}
SHOP = frozenset({"shop.example"})
TARGET = Target(7, "https://shop.example/a?b=c#d", is_active=True, counts=True, hosts=SHOP, cookie_days=30)
KNOWN = "01k" + "a" * 23


def ask(
    target: Target | None = TARGET, *, method: str = "GET", visitor: str = "", sub: str = "", **headers: str
) -> Answer:
    named = BROWSER | {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(target, Visit(method, named, visitor, sub), new_click="CLICK", new_visitor="NEW")


def test_a_visit_is_sent_on_with_its_click_id_and_a_cookie_for_the_window() -> None:
    assert ask() == Answer(
        302,
        "https://shop.example/a?b=c&prm_click=CLICK#d",
        "CLICK",
        visitor="NEW",
        cookie_seconds=30 * 86_400,
    )


def test_a_known_visitor_keeps_the_number() -> None:
    assert ask(visitor=KNOWN).visitor == KNOWN


@pytest.mark.parametrize(
    "forged", ["", "x", "a" * 27, "<script>", "01K" + "a" * 23, "01k" + "u" * 23, KNOWN + "\n"]
)
def test_a_forged_visitor_gets_a_new_number(forged: str) -> None:
    assert ask(visitor=forged).visitor == "NEW"


def test_an_unknown_link_is_not_found_and_one_switched_off_is_gone() -> None:
    assert ask(None) == Answer(404)
    off = Target(7, "https://shop.example/", is_active=False, counts=True, hosts=SHOP, cookie_days=30)
    assert ask(off) == Answer(410)


def test_a_link_whose_domain_is_no_longer_allowed_is_gone() -> None:
    moved = Target(7, "https://elsewhere.example/", is_active=True, counts=True, hosts=SHOP, cookie_days=30)
    assert ask(moved) == Answer(410)


def test_the_link_of_a_membership_that_does_not_earn_still_leads_to_the_shop() -> None:
    silent = Target(7, "https://shop.example/", is_active=True, counts=False, hosts=SHOP, cookie_days=30)
    assert ask(silent) == Answer(302, "https://shop.example/")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x_moz": "prefetch"},
        {"sec_fetch_dest": "image"},
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_dest": "script"},
        {"user_agent": ""},
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"user_agent": "facebookexternalhit/1.1"},
    ],
)
def test_what_is_no_person_opening_a_page_is_sent_on_uncounted(headers: dict[str, str]) -> None:
    assert ask(**headers) == Answer(302, TARGET.url)


def test_a_head_request_is_sent_on_uncounted() -> None:
    assert ask(method="HEAD") == Answer(302, TARGET.url)


@pytest.mark.parametrize("wish", [{"sec_gpc": "1"}, {"dnt": "1"}])
def test_whoever_asks_not_to_be_tracked_gets_no_cookie_no_number_and_no_click_id(
    wish: dict[str, str],
) -> None:
    assert ask(visitor=KNOWN, sub="spring", referer="https://blog.example/", **wish) == Answer(
        302, TARGET.url, click_id="CLICK"
    )


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        ("https://Blog.Example/post?id=1", "blog.example"),
        ("", ""),
        ("nonsense", ""),
        ("http://[::1", ""),
    ],
)
def test_only_the_host_of_the_referring_page_is_kept(referer: str, host: str) -> None:
    assert ask(referer=referer).referrer_host == host


@pytest.mark.parametrize(
    ("sub", "kept"), [("spring-sale_1.2~x", "spring-sale_1.2~x"), ("a b", ""), ("x" * 65, ""), ("<i>", "")]
)
def test_a_sub_id_is_kept_when_it_is_a_plain_word(sub: str, kept: str) -> None:
    assert ask(sub=sub).sub == kept


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", "https://shop.example?prm_click=C"),
        ("https://shop.example/?a=1", "https://shop.example/?a=1&prm_click=C"),
        ("https://shop.example/?a=%20b&prm_click=OLD#x", "https://shop.example/?a=%20b&prm_click=C#x"),
        ("https://shop.example/?", "https://shop.example/?prm_click=C"),
    ],
)
def test_the_click_id_joins_the_query_and_leaves_the_rest_as_it_was(url: str, expected: str) -> None:
    assert with_click(url, "C") == expected


@pytest.mark.parametrize(
    ("url", "outside"),
    [
        ("https://shop.example/", False),
        ("http://SHOP.example:8443/x", False),
        ("https://eu.shop.example/", False),
        ("https://notshop.example/", True),
        ("https://shop.example.evil.test/", True),
        ("https://shop.example@evil.test/", True),
        ("https://user:pw@shop.example/", True),
        ("https://evil.test/?https://shop.example/", True),
        ("//shop.example/", True),
        ("/path", True),
        ("javascript:alert(1)", True),
        ("data:text/html,x", True),
        ("ftp://shop.example/", True),
        ("https://shop.example\\@evil.test/", True),
        ("https://shop.example/\r\nSet-Cookie: a=b", True),
        ("https://shop.example/a b", True),
        ("https://shop.example:x/", True),
        ("https://[shop.example/", True),
        ("", True),
    ],
)
def test_links_lead_to_web_addresses_at_allowed_hosts_only(url: str, outside: bool) -> None:
    assert leads_outside(url, SHOP) is outside


def test_the_hosts_of_a_program_are_its_destinations_own_and_those_it_names() -> None:
    assert allowed_hosts("https://Shop.example/x", ["Blog.example.", " ", "a.test"]) == {
        "shop.example",
        "blog.example",
        "a.test",
    }


# The door ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def visitor() -> Client:
    return Client(headers=BROWSER)


@pytest.mark.django_db
def test_opening_a_link_writes_the_click_and_sends_the_visitor_on(visitor: Client) -> None:
    link = LinkFactory.create(slug="spring")
    response = visitor.get("/r/Spring?sub=mail", headers={"referer": "https://blog.example/p"})
    click = Click.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == f"https://shop.example/start?prm_click={click.click_id}"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer-when-downgrade"
    assert (click.link_id, click.referrer_host, click.sub_id) == (link.pk, "blog.example", "mail")
    cookie = response.cookies["prm_visitor"]
    assert cookie.value == click.visitor
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/r/")
    assert cookie["max-age"] == 30 * 86_400


@pytest.mark.django_db
def test_two_visits_of_one_browser_have_one_number(visitor: Client) -> None:
    LinkFactory.create(slug="spring")
    visitor.get("/r/spring")
    visitor.get("/r/spring")
    clicks = list(Click.objects.order_by("pk"))
    assert len(clicks) == 2
    assert clicks[0].visitor == clicks[1].visitor
    assert clicks[0].click_id < clicks[1].click_id


@pytest.mark.django_db
def test_the_cookie_is_secure_where_the_site_is(visitor: Client, settings: Any) -> None:
    settings.IS_HTTPS = True
    LinkFactory.create(slug="spring")
    assert visitor.get("/r/spring").cookies["prm_visitor"]["secure"] is True


@pytest.mark.django_db
def test_whoever_asks_not_to_be_tracked_is_counted_and_not_known(visitor: Client) -> None:
    LinkFactory.create(slug="spring")
    response = visitor.get("/r/spring", headers={"sec-gpc": "1"})
    assert response.headers["Location"] == "https://shop.example/start"
    assert not response.cookies
    assert Click.objects.get().visitor == ""


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["nothing", "off"])
def test_an_unknown_link_and_one_that_is_off_read_alike(visitor: Client, slug: str) -> None:
    LinkFactory.create(slug="off", is_active=False)
    response = visitor.get(f"/r/{slug}")
    assert response.status_code == (410 if slug == "off" else 404)
    assert "This link is not available" in response.content.decode()
    assert response.headers["Cache-Control"] == "no-store"
    assert not response.cookies
    assert Click.objects.count() == 0


@pytest.mark.django_db
def test_a_head_request_and_other_methods_write_nothing(visitor: Client) -> None:
    LinkFactory.create(slug="spring")
    assert visitor.head("/r/spring").status_code == 302
    assert visitor.post("/r/spring").status_code == 405
    assert Click.objects.count() == 0


@pytest.mark.django_db
def test_the_destination_comes_from_the_row_and_never_from_the_address(visitor: Client) -> None:
    LinkFactory.create(slug="spring")
    response = visitor.get("/r/spring?url=https://evil.test/&prm_click=forged&next=//evil.test")
    assert response.headers["Location"].startswith("https://shop.example/start?prm_click=")
    assert "evil" not in response.headers["Location"] and "forged" not in response.headers["Location"]


@pytest.mark.django_db
def test_a_click_that_cannot_be_written_does_not_stop_the_visitor(visitor: Client) -> None:
    LinkFactory.create(slug="spring")
    with mock.patch.object(Click.objects, "create", side_effect=DatabaseError):
        response = visitor.get("/r/spring")
    assert (response.status_code, response.headers["Location"]) == (302, "https://shop.example/start")
    assert not response.cookies


@pytest.mark.django_db
def test_opening_a_link_takes_one_read_and_one_write(visitor: Client, django_assert_num_queries: Any) -> None:
    LinkFactory.create(slug="spring", membership=new_membership(allowed_domains=["blog.example"]))
    with django_assert_num_queries(2):
        visitor.get("/r/spring", headers={"cookie": f"prm_visitor={ulid()}"})
