"""The partner's own customers: masked, with what they came to, page by page; and who gets the credit, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from portal.credit_words import credit_answer
from portal.views.customer_rows import SIZE, Reading
from referrals import attribution_versions, ownership, tracking_settings
from referrals.attribution.settings import standard
from referrals.models import Customer, Referral
from referrals.tracking_settings import Tracking
from tests.desk import words
from tests.factories.referrals import CustomerFactory
from tests.factories.tracking import ReferralFactory
from tests.people import ada, ana, mats
from tests.portal.scene import NOW, Scene, new_partner, on

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    """Ana sold 100.00 and 50.00 to one customer, of which 30.00 came back: 120.00, of which she earns 10 %."""
    scene = new_partner()
    scene.house.sale("s-1", "100.00", "ANA10", on(5, 1))
    scene.house.sale("s-2", "50.00", "ANA10", on(5, 2))
    scene.house.refund("r-1", "30.00", "ANA10", on(5, 3), of="s-1")
    scene.house.rate(on(5, 4))
    return scene


def rows(scene: Scene, **narrowed: Any) -> list[Any]:
    reading = Reading.of(scene.room())
    return list(reading.rows(list(reading.customers(**narrowed))))


def test_a_customer_shows_masked_with_its_orders_net_revenue_and_what_it_earned(scene: Scene) -> None:
    (row,) = rows(scene)
    assert (row.name, row.orders, row.net.minor, row.earned.minor) == ("•••100", 2, 120_00, 12_00)
    assert (row.is_yours, row.until) == (True, "By your link, code, lead or deal")
    tracking_settings.change(scene.house.program, Tracking(shows_customers=True), by=ada(), at=NOW)
    assert rows(scene)[0].name == "c-100"


def test_what_is_hidden_of_a_customer_cannot_be_searched_for(scene: Scene) -> None:
    assert [row.name for row in rows(scene, q="100")] == ["•••100"]
    assert [row.name for row in rows(scene, q="•••100")] == ["•••100"]
    assert rows(scene, q="c-100") == [] and rows(scene, q="c-1") == []


def test_where_who_brought_a_customer_earns_the_day_is_told(scene: Scene) -> None:
    program = scene.house.program
    settings = replace(standard(30), precedence=(("code",), ("click",), ("customer",)))
    draft = attribution_versions.draft(program, by=ada(), at=NOW)
    attribution_versions.edit(draft, settings, by=ada(), at=NOW)
    attribution_versions.publish(draft, effective_at=NOW, by=ada(), at=NOW)
    # Twelve months after the first sale, of 1 May 2026 at 12:00 UTC.
    assert rows(scene)[0].until == "Earns until 1 May 2027"
    assert len(rows(scene, state="earning")) == 1 and rows(scene, state="over") == []


def test_a_customer_given_to_another_partner_never_tells_whose_it_is(scene: Scene, client: Client) -> None:
    other = scene.house.member("OTHER1", at=on(1, 1))
    customer = Customer.objects.get()
    ownership.transfer(customer, scene.house.program, to=other, reason="Moved.", by=mats(), at=NOW)
    (row,) = rows(scene)
    assert (row.is_yours, row.until) == (False, "Yours until 20 Jun 2026")
    assert rows(scene, state="yours") == []
    client.force_login(ana())
    page = client.get("/portal/customers/").content.decode()
    assert "•••100" in page and "OTHER1" not in page and "c-100" not in page


def test_pages_and_the_file_show_every_customer_once(scene: Scene, client: Client) -> None:
    for _each in range(SIZE):
        ReferralFactory.create(membership=scene.membership, customer=CustomerFactory.create())
    ReferralFactory.create()  # of another partner
    client.force_login(ana())
    page = client.get("/portal/customers/")
    first = page.context["page"]
    assert (first.pages.first, first.pages.last, first.pages.total) == (1, SIZE, SIZE + 1)
    last = client.get(first.pages.next_url).context["page"]
    assert [row.name for row in last.rows] == ["•••100"] and not last.pages.next_url
    assert client.get(last.pages.previous_url).context["page"].rows == first.rows
    lines = b"".join(client.get("/portal/customers/customers.csv")).decode().splitlines()  # type: ignore[arg-type]
    assert len(lines) == 1 + SIZE + 1
    assert lines[-1].startswith("•••100,France,2026-05-01,yes,,2,120.00,12.00,GBP,cus_")


def test_a_page_takes_as_many_queries_for_many_customers_as_for_one(
    scene: Scene, django_assert_num_queries: Any
) -> None:
    reading = Reading.of(scene.room())
    for number in range(10):
        scene.house.sale(f"x-{number}", "10.00", "ANA10", on(5, 5) + timedelta(hours=number))
        ReferralFactory.create(membership=scene.membership, customer=CustomerFactory.create())
    customers = list(reading.customers())
    with django_assert_num_queries(7):
        list(reading.rows(customers[-1:]))
    with django_assert_num_queries(7):
        list(reading.rows(customers))
    assert Referral.objects.count() == 11


def test_a_change_that_is_announced_is_told_with_its_day(scene: Scene, client: Client) -> None:
    program = scene.house.program
    draft = attribution_versions.draft(program, by=ada(), at=NOW)
    attribution_versions.edit(draft, replace(standard(30), model="linear"), by=ada(), at=NOW)
    begins = on(12, 1, 0)
    attribution_versions.publish(draft, effective_at=begins, by=ada(), at=NOW)
    said = credit_answer(program, at=NOW)
    assert "A click counts for 30 days." in said
    assert said.endswith(
        "From 1 December 2026 on: Several contacts of that kind share the credit equally: three get 33.3% each."
    )
    assert "From 1 December" not in credit_answer(program, at=begins)
    client.force_login(ana())
    assert "Who gets the credit" in words(client.get("/portal/rates/"))
