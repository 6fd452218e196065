"""Links and codes: made where the program allows, switched on and off, drawn as QR codes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from partners.models import Membership
from portal.views.link_page import qr_svg
from prm.lib.db import suspended_triggers
from referrals.models import Code, Link
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
