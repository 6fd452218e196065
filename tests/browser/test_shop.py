"""A visitor follows a partner's link to a shop and buys there; the partner signs in and sees the sale, and why it is theirs."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import time_machine
from celery import Celery
from django.urls import reverse
from playwright.sync_api import expect

from demo.programs import SHOP
from referrals.models import Click, Conversion, Credit, Link
from tests.browser.conftest import POLICY, Opener, Watch
from tests.browser.hands import assert_accessible, assert_no_sideways_scroll, sign_in
from tests.house import open_house
from tests.people import ana

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# The name this browser gives itself without a screen is a robot's, and robots do not count.
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BUYS = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def test_a_link_leads_to_the_shop_and_the_sale_to_the_partner(
    open_page: Opener, travel: time_machine.Traveller, eager_tasks: Celery, watch: Watch, site: str
) -> None:
    travel.move_to(BUYS)
    house = open_house(percent="10")
    membership = house.member("ANA10", owner=ana())
    program = house.program
    program.destination_url, program.allowed_domains = SHOP, ["localhost", "127.0.0.1"]
    program.save()
    Link.objects.create(
        membership=membership,
        slug="hearts",
        label="Hearts",
        destination_url=f"{site}{reverse('demo_shop')}?colour=white",
        created_at=BUYS,
    )

    visitor = open_page(user_agent=AGENT)
    visitor.goto("/r/hearts")
    click = Click.objects.get()
    expect(visitor).to_have_url(re.compile(rf"/demo/shop/\?colour=white&prm_click={click.click_id}$"))
    assert visitor.evaluate("prm.clickId()") == click.click_id
    kept = {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies()}
    assert kept["prm_click"] == click.click_id
    visitor.goto("/demo/shop/")  # the address says nothing any more; the shop remembers
    assert visitor.locator("input[name=prm_click]").input_value() == click.click_id
    assert_accessible(visitor)
    assert_no_sideways_scroll(visitor)
    visitor.get_by_role("button", name="Buy it").click()
    expect(visitor.get_by_role("heading", name="Thank you")).to_be_visible()
    order = Conversion.objects.get()
    expect(visitor.get_by_text(order.external_id)).to_be_visible()
    credit = Credit.objects.get()
    assert (credit.membership_id, credit.reason, order.click_id) == (
        membership.pk,
        "last_click",
        click.click_id,
    )

    partner = open_page()
    sign_in(partner, ana())
    partner.goto("/portal/earnings/")
    line = partner.get_by_role("row").filter(has_text=re.compile("2.40"))
    expect(line.first).to_be_visible()
    line.first.get_by_role("link").first.click()
    expect(partner.get_by_text(re.compile("[Cc]lick")).first).to_be_visible()


def test_the_snippet_waits_for_consent_and_keeps_nothing_without(
    open_page: Opener, eager_tasks: Celery, site: str
) -> None:
    """The script stands in a page that is not ours, under a content policy as strict as ours."""
    script = "/static/prm.min.js"
    page = open_page()
    page.route(
        "**/shop-of-another*",
        lambda route: route.fulfill(
            content_type="text/html",
            headers={"Content-Security-Policy": "; ".join(sorted(POLICY))},
            body=f'<!doctype html><html lang="en"><title>Shop</title><input name="prm_click">'
            f'<script src="{script}" data-consent="required" data-inlet="/px/inl_none.gif"></script>',
        ),
    )
    click = "01JD8Z0M6V4R2K8T9Q3W5X7Y1A"
    page.goto(f"/shop-of-another?prm_click={click}")
    assert page.evaluate("[prm.clickId(), document.cookie, localStorage.length]") == [click, "", 0]
    page.goto("/shop-of-another")
    assert page.evaluate("prm.clickId()") == ""
    page.goto(f"/shop-of-another?prm_click={click}")
    page.evaluate("prm.consent(true)")
    page.goto("/shop-of-another")
    assert page.evaluate("prm.consent(true) || prm.clickId()") == click
    assert page.locator("input").input_value() == click
    with page.expect_request("**/px/inl_none.gif*") as asked:
        assert page.evaluate("prm.convert({event_id: 'a b', kind: 'sale'})") is True
    assert asked.value.url.endswith(f"?click_id={click}&event_id=a%20b&kind=sale")
    page.evaluate("prm.consent(false)")
    assert page.evaluate("[prm.clickId(), document.cookie, localStorage.length]") == ["", "", 0]
    for wrong in ("javascript:alert(1)", "x" * 27, "%3Cscript%3E"):
        page.goto(f"/shop-of-another?prm_click={wrong}")
        assert page.evaluate("prm.clickId()") == ""
