"""Reports in the portal: their figures, what the address narrows and sorts, the file, and how little they ask of the database."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Membership
from payouts.models import DailyTotal
from payouts.reports import keeping
from payouts.reports.page import Page
from referrals.models import Code, Link
from tests.desk import words
from tests.factories.tracking import DailyTotalFactory
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene, on

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def page_of(scene: Scene, query: str = "") -> Page:
    page: Page = signed_in(scene).get(f"/portal/reports/{query}").context["page"]
    return page


def file_of(scene: Scene, query: str = "") -> list[dict[str, str]]:
    response: Any = signed_in(scene).get(f"/portal/reports/report.csv{query}")
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def kept(member: Membership, days_ago: int, **told: Any) -> DailyTotal:
    """Keep a day's row that counts nothing but what is told."""
    nothing = {"clicks": 0, "visitors": 0, "conversions": 0, "revenue_minor": 0, "earned_minor": 0}
    return DailyTotalFactory(
        membership=member, happened_on=TODAY - timedelta(days=days_ago), **(nothing | told)
    )


def test_thirty_days_beside_the_thirty_before(busy: Scene) -> None:
    keeping.work(until=lambda: False)
    page = page_of(busy)
    tiles = {str(tile.label): (tile.value, tile.note) for tile in page.tiles}
    # From 22 May: 400.00 and 500.00 sold, 50.00 back, 10 % of it earned. From 22 April: 3,000.00 and 200.00 back.
    assert tiles["Revenue"] == ("£850.00", "Before: £2,800.00 (−70%)")
    assert tiles["Earnings"] == ("£85.00", "Before: £280.00 (−70%)")
    assert tiles["Conversions"] == ("2", "Before: 1 (+100%)")
    assert tiles["Earnings per click"] == ("–", "Before: –")
    assert [line.label for line in page.lines] == ["19 Jun 2026", "18 Jun 2026", "2 Jun 2026"]
    assert page.total[4:6] == ("£850.00", "£85.00")


def test_by_code_and_narrowed_to_one_of_its_values(busy: Scene) -> None:
    keeping.work(until=lambda: False)
    code = Code.objects.get(code="ANA10")
    page = page_of(busy, "?by=code&period=year")
    assert [(line.label, line.cells[5]) for line in page.lines] == [("ANA10", "£665.00")]
    narrowed = page_of(busy, page.lines[0].href)
    assert narrowed.narrowed == "ANA10"
    assert len(narrowed.lines) == 7
    assert code.public_id in page.lines[0].href


def test_rates_order_and_pages_are_in_the_address(newcomer: Scene) -> None:
    scene = newcomer
    for number, (clicks, sold, earned) in enumerate([(100, 5, 1000), (10, 2, 500), (0, 1, 100)]):
        # As many again came by a code: they are no part of the rate.
        told = {"clicks": clicks, "conversions": sold * 2, "from_clicks": sold}
        told |= {"earned_minor": earned, "revenue_minor": earned * 10}
        kept(scene.membership, number, dimension="campaign", key=f"c{number}", **told)
        kept(scene.membership, number, **told)
    by_rate = page_of(scene, "?by=campaign&sort=-rate").lines
    # 2 of 10, 5 of 100, and one without a click, which has no rate.
    assert [(line.label, line.cells[7]) for line in by_rate] == [("c1", "20%"), ("c0", "5%"), ("c2", "–")]
    by_epc = page_of(scene, "?by=campaign&sort=-epc").lines
    assert [(line.label, line.cells[6]) for line in by_epc] == [("c1", "£0.50"), ("c0", "£0.10"), ("c2", "–")]
    assert page_of(scene, "?sort=clicks").lines[0].cells[0] == "0"
    # Whatever makes no sense shows the usual.
    assert len(page_of(scene, "?by=weather&sort=up&period=ever&page=0&show=x").lines) == 3
    wrong = signed_in(scene).get("/portal/reports/?start=2026-06-10&end=2026-06-01")
    assert wrong.status_code == 422
    assert "The last day must not be before the first." in words(wrong)


def test_the_file_holds_every_row_and_no_formula(busy: Scene) -> None:
    kept(busy.membership, 3, dimension="campaign", key="=HYPERLINK(1)", clicks=4, revenue_minor=12_34)
    for number in range(60):
        kept(busy.membership, 3, dimension="campaign", key=f"c{number}", clicks=1)
    assert len(page_of(busy, "?by=campaign").lines) == 50
    assert page_of(busy, "?by=campaign").next_url == "?by=campaign&page=2"
    rows = file_of(busy, "?by=campaign")
    assert len(rows) == 61
    assert rows[0]["campaign"] == "'=HYPERLINK(1)"
    assert (rows[0]["revenue"], rows[0]["clicks"], rows[0]["currency"]) == ("12.34", "4", "GBP")


def test_nobody_sees_rows_of_others(busy: Scene) -> None:
    other = busy.house.member("BEN10")
    kept(
        other,
        1,
        dimension="link",
        key=Link.objects.filter(membership=busy.membership).get().public_id,
        clicks=999,
    )
    kept(other, 1, clicks=999)
    assert "999" not in words(signed_in(busy).get("/portal/reports/?by=link"))


def test_what_is_said_when_there_is_nothing(busy: Scene) -> None:
    client = signed_in(busy)
    assert "Nothing in this time" in words(client.get("/portal/reports/?start=2025-01-01&end=2025-01-31"))
    link = Link.objects.get(membership=busy.membership)
    link.membership = busy.house.member("BEN10")
    link.save()
    assert "Nothing to report yet" in words(client.get("/portal/reports/"))


def test_a_year_of_rows_takes_no_more_queries_than_a_day(busy: Scene) -> None:
    client = signed_in(busy)
    client.get("/portal/earnings/")
    taken = []
    for number in (2, 300):
        DailyTotal.objects.all().delete()
        member, program = busy.membership, busy.membership.program
        DailyTotal.objects.bulk_create(
            DailyTotal(
                membership=member,
                program=program,
                happened_on=on(6, 20).date() - timedelta(days=day % 300),
                dimension=dimension,
                key=f"{dimension}{day}" if dimension == "link" else "",
                clicks=day + 1,
                currency="GBP",
            )
            for day in range(number)
            for dimension in ("all", "link")
        )
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/portal/reports/?by=link&period=365d&sort=-epc").status_code == 200
        taken.append([query["sql"] for query in queries])
    assert len(taken[0]) == len(taken[1])
    own = [sql for sql in taken[1] if "payouts_dailytotal" in sql or "referrals_link" in sql]
    assert len(own) == 3
    assert not [sql for sql in taken[1] if "referrals_click" in sql or "referrals_conversion" in sql]
