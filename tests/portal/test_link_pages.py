"""Links and codes: made where the program allows, switched on and off, drawn as QR codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partners.models import Member, Membership
from payouts.explained.subject import link_url
from portal.views.link_page import qr_svg
from prm.lib.db import suspended_triggers
from referrals import own_visits
from referrals.models import Click, Code, Link
from referrals.redirect import TEST_PARAMETER
from tests.desk import links as links_of
from tests.desk import words
from tests.factories.referrals import ClickFactory, LinkFactory
from tests.factories.tracking import TrackingSettingsFactory
from tests.pages import submit, went_on
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene, click

pytestmark = pytest.mark.django_db


def test_the_page_lists_links_and_codes_with_their_last_30_days_and_the_rows_behind_them(busy: Scene) -> None:
    click(busy, NOW - timedelta(days=3), 1)
    client = signed_in(busy)
    context = client.get("/portal/links/").context
    [link], [code] = context["links"], context["codes"]
    assert (link.clicks, link.sales, link.earned.minor) == (1, 0, 0)
    assert (code.code, code.sales, code.earned.minor) == ("ANA10", 2, 85_00)
    assert client.get(code.earned_href).context["page"].total == code.earned
    assert client.get(link.earned_href).context["page"].total == link.earned


def test_a_link_is_made_with_a_name_a_page_and_a_short_address(newcomer: Scene) -> None:
    client = signed_in(newcomer)
    data = {
        "label": "Newsletter",
        "destination_url": "https://shop.halden.example/spring",
        "slug": "ana-news",
    }
    answer = client.post("/portal/links/new/", data, follow=True)
    link = Link.objects.get(slug="ana-news")
    assert (link.label, link.destination_url, link.membership) == (
        "Newsletter",
        "https://shop.halden.example/spring",
        newcomer.membership,
    )
    assert "The link “Newsletter” is ready to share." in answer.content.decode()


def test_left_empty_the_page_and_the_address_are_chosen_for_the_partner(newcomer: Scene) -> None:
    signed_in(newcomer).post("/portal/links/new/", {"label": "Plain"})
    link = Link.objects.get(label="Plain")
    assert link.destination_url == newcomer.house.program.destination_url
    assert link.slug


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"label": "", "destination_url": ""}, "This field is required."),
        ({"label": "X", "destination_url": "https://evil.example/"}, "Links of this program may lead to"),
        ({"label": "X", "destination_url": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"label": "X", "slug": "ana"}, "taken"),
        ({"label": "X", "slug": "No Spaces"}, "lower-case"),
    ],
)
def test_what_is_wrong_with_a_link_is_said_at_its_field_and_nothing_is_made(
    newcomer: Scene, data: dict[str, str], error: str
) -> None:
    answer = signed_in(newcomer).post("/portal/links/new/", data)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error:" in html and error in html
    assert Link.objects.count() == 1


def test_a_suspended_partner_makes_no_links(newcomer: Scene) -> None:
    Membership.objects.update(state="suspended")
    answer = signed_in(newcomer).post("/portal/links/new/", {"label": "X"})
    assert answer.status_code == 422
    assert Link.objects.count() == 1


def test_a_link_is_switched_off_and_on_again(newcomer: Scene) -> None:
    client, link = signed_in(newcomer), Link.objects.get()
    url = reverse("portal:link_switch", args=[link.public_id])
    off = client.post(url, {"on": "0"}, follow=True)
    assert not Link.objects.get().is_active
    assert "Switch on" in off.content.decode()
    client.post(url, {"on": "1"})
    assert Link.objects.get().is_active
    assert client.get(url).status_code == 405


def test_a_qr_code_is_drawn_on_white_with_its_quiet_zone(newcomer: Scene) -> None:
    link = Link.objects.get()
    answer = signed_in(newcomer).get(reverse("portal:link_qr", args=[link.public_id]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content == qr_svg("http://testserver/r/ana")
    assert b"#fff" in answer.content and b"<script" not in answer.content


def test_first_use_explains_links(newcomer: Scene) -> None:
    with suspended_triggers():  # links and codes stay for ever; a program may begin without any
        Link.objects.all().delete()
        Code.objects.all().delete()
    html = signed_in(newcomer).get("/portal/links/").content.decode()
    assert "No links yet" in html
    assert "You have no code." in html


def test_a_link_has_a_page_with_sub_ids_and_what_opened_it_apart(newcomer: Scene) -> None:
    client, link = signed_in(newcomer), Link.objects.get()
    for kind in ("bot", "bot", "preview"):
        ClickFactory(link=link, kind=kind, visitor="", clicked_at=NOW - timedelta(days=1))
    address = reverse("portal:link", args=[link.public_id])
    page = words(client.get(address))
    assert "A robot 2 times" in page and "Preview of a link 1 time" in page
    html = client.get(address, {"sub1": "blog", "sub3": "top.2"}).content.decode()
    assert "http://testserver/r/ana?sub1=blog&amp;sub3=top.2" in html
    bad = client.get(address, {"sub1": "a b"})
    assert bad.status_code == 422 and not bad.context["with_subs"]


def test_a_partners_own_visit_of_a_link_is_no_click(newcomer: Scene) -> None:
    client, link = signed_in(newcomer), Link.objects.get()
    for address in ("/portal/links/", reverse("portal:link", args=[link.public_id])):
        cookie = client.get(address).cookies[own_visits.COOKIE]
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/r/", True, "Lax")
        partner = newcomer.membership.partner_id
        assert own_visits.is_own(cookie.value, "", slug="ana", partner_id=partner, at=NOW)
        assert not own_visits.is_own(cookie.value, "", slug="ana", partner_id=partner + 1, at=NOW)
    page = client.get(reverse("portal:link", args=[link.public_id]))
    assert f"/r/ana?{TEST_PARAMETER}=" in page.context["test_url"]


def test_a_link_is_changed_and_replaced_and_its_address_stays(newcomer: Scene) -> None:
    client, link = signed_in(newcomer), Link.objects.get()
    new = {"label": "Newsletter", "slug": "ana-news", "expires_at": "2099-03-31", "utm_source": "mail"}
    went_on(client.post("/portal/links/new/", new))
    other = Link.objects.get(slug="ana-news")
    # The last day counts: the end is the midnight after it, in London's summer time.
    assert (other.expires_at.isoformat(), other.utm) == ("2099-03-31T23:00:00+00:00", {"utm_source": "mail"})
    change = reverse("portal:link_change", args=[other.public_id])
    went_on(submit(client, change, label="Weekly mail", campaign="spring"))
    other.refresh_from_db()
    assert (other.label, other.campaign, other.slug) == ("Weekly mail", "spring", "ana-news")
    assert other.expires_at.isoformat() == "2099-03-31T23:00:00+00:00"
    replace = reverse("portal:link_replace", args=[link.public_id])
    went_on(submit(client, replace, by_link=other.public_id))
    page = client.get(reverse("portal:link", args=[link.public_id]))
    assert "Whoever opens it goes to “Weekly mail”." in words(page)
    went_on(client.post(reverse("portal:link_replace_end", args=[link.public_id])))
    assert not Link.objects.exclude(replacement=None).exists()
    bad = client.post(change, {"label": "x", "destination_url": "https://evil.example/"})
    assert bad.status_code == 422 and "<title>Error:" in bad.content.decode()


def test_a_hundred_links_are_read_page_by_page_and_found_by_name(newcomer: Scene) -> None:
    client, first = signed_in(newcomer), Link.objects.get()
    for number in range(60):
        LinkFactory(
            membership=newcomer.membership,
            label=f"Post {number:02}",
            campaign="spring" if number == 41 else "",
            is_active=number != 7,
        )
    seen, address, sizes = [], "/portal/links/", []
    while address:
        page = client.get(address).context["page"]
        seen += [row.public_id for row in page.rows]
        sizes.append((page.pages.first, page.pages.last, page.pages.total))
        address = f"/portal/links/{page.pages.next_url}" if page.pages.next_url else ""
    assert sizes == [(1, 25, 61), (26, 50, 61), (51, 61, 61)]
    assert len(set(seen)) == 61 and seen[-1] == Link.objects.get(label="Post 07").public_id
    back = client.get(f"/portal/links/{page.pages.previous_url}").context["page"]
    assert [row.public_id for row in back.rows] == seen[25:50]
    found = client.get("/portal/links/", {"q": "SPRING"}).context["page"]
    assert [row.label for row in found.rows] == ["Post 41"]
    assert first.public_id in seen


def test_what_is_shared_names_the_code_says_it_is_an_advertisement_and_speaks_the_language_chosen(
    newcomer: Scene,
) -> None:
    client, link = signed_in(newcomer), Link.objects.get()
    Code.objects.update(discount_percent="12.5")
    Link.objects.update(label='<b>"x"</b>')
    address = reverse("portal:link_share", args=[link.public_id])
    page = client.get(address)
    kit, html = page.context["kit"], page.content.decode()
    texts = {text.key: text.text for text in kit.texts}
    assert all("Advertisement" in texts[key] for key in ("mail", "short", "long"))
    assert "With the code ANA10 you save 12.5%." in texts["mail"] and "/r/ana" in texts["mail"]
    assert texts["html"] == (
        '<a href="http://testserver/r/ana" rel="sponsored noopener">shop.halden.example</a>'
    )
    assert "<b>" not in html and "&lt;a href=" in html
    assert kit.mailto.startswith("mailto:?subject=") and "%0A" in kit.mailto
    assert all(share.href.startswith("https://") for share in kit.networks)
    assert "http://testserver/l/ana" in html
    assert client.get(address, {"language": "xx"}).status_code == 200
    assert client.get(address, {"language": "fr"}).context["kit_language"] == "fr"


def test_qr_codes_are_downloaded_as_svg_and_png(newcomer: Scene) -> None:
    client, link = signed_in(newcomer), Link.objects.get()
    png = client.get(reverse("portal:link_qr_png", args=[link.public_id]))
    assert (png["Content-Type"], png.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert png["Content-Disposition"] == 'inline; filename="qr-ana.png"'


def test_pages_of_a_strangers_link_are_not_found_and_who_only_looks_changes_nothing(newcomer: Scene) -> None:
    theirs, client = LinkFactory.create(), signed_in(newcomer)
    own = Link.objects.get(slug="ana")
    names = ("link", "link_share", "link_change", "link_replace", "link_qr", "link_qr_png")
    for name in names:
        assert client.get(reverse(f"portal:{name}", args=[theirs.public_id])).status_code == 404, name
    for name in ("link_switch", "link_replace_end"):
        assert client.post(reverse(f"portal:{name}", args=[theirs.public_id])).status_code == 404, name
    Member.objects.update(role="read_only")
    assert client.get(reverse("portal:link", args=[own.public_id])).status_code == 200
    for name in ("link_change", "link_replace"):
        assert client.get(reverse(f"portal:{name}", args=[own.public_id])).status_code == 403, name
    assert client.post(reverse("portal:link_switch", args=[own.public_id]), {"on": "0"}).status_code == 403


def test_codes_say_what_they_give_how_often_and_when(newcomer: Scene) -> None:
    Code.objects.update(discount_minor=5_00, use_limit=100, uses=40, ends_at=datetime(2099, 1, 1, tzinfo=UTC))
    text = words(signed_in(newcomer).get("/portal/links/"))
    assert "£5" in text and "40 of 100" in text and "until 31 Dec 2098" in text


def test_on_the_programs_own_domain_links_are_short(newcomer: Scene, settings: Any) -> None:
    TrackingSettingsFactory(program=newcomer.house.program, link_host="go.halden.example")
    link = Link.objects.get()
    assert link_url(link) == "http://testserver/r/ana"  # nobody serves that domain yet
    settings.LINK_HOSTS = frozenset({"go.halden.example"})
    assert link_url(Link.objects.get()) == "https://go.halden.example/ana"


# The page behind a recommendation ------------------------------------------------------------------------------------


def test_the_landing_page_says_who_recommends_what_the_code_gives_and_leads_on_by_the_link(
    newcomer: Scene, client: Client
) -> None:
    Code.objects.update(discount_percent="10")
    page = client.get("/l/Ana")
    assert "Partner ANA10 recommends shop.halden.example" in words(page) and "10% off" in words(page)
    assert "http://testserver/r/ana" in links_of(page)
    assert page["X-Robots-Tag"] == "noindex" and not page.cookies.get("prm_visitor")
    assert not Click.objects.exists()
    Membership.objects.update(state="suspended")
    page = client.get("/l/ana")
    assert page.status_code == 200 and "ANA10" not in words(page)


@pytest.mark.parametrize(
    "values",
    [
        {"is_active": False},
        {"expires_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"destination_url": "https://elsewhere.example/"},
    ],
)
def test_a_link_that_works_no_more_has_no_landing_page(
    newcomer: Scene, client: Client, values: dict[str, Any]
) -> None:
    Link.objects.update(**values)
    for address, status in (("/l/ana", 410), ("/l/nobody", 404)):
        page = client.get(address)
        assert page.status_code == status and "This link is not available" in words(page)
        assert "ANA10" not in words(page)
