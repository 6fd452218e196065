"""Reports for staff: sourced against organic, who brought most, stages by kind of partnership, and whose figures the address asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partners.models import Membership
from payouts.models import DailyTotal
from tests.desk import at_desk, words
from tests.factories.referrals import new_membership
from tests.factories.tracking import DailyTotalFactory
from tests.people import ada, fiona

pytestmark = pytest.mark.django_db
URL = "/admin/payouts/dailytotal/"


def kept(member: Membership | None, **told: Any) -> DailyTotal:
    nothing = {"clicks": 0, "visitors": 0, "conversions": 0, "revenue_minor": 0, "earned_minor": 0}
    program = member.program if member else None
    day = timezone.localdate() - timedelta(days=1)
    return DailyTotalFactory(membership=member, program=program, happened_on=day, **(nothing | told))


def scene() -> tuple[Membership, Membership]:
    """Two members: 300.00 and 100.00 sold; nobody brought 600.00, and in euros something else."""
    first = new_membership(name="Ana")
    second = new_membership(name="Ben", partnership_type="referral")
    kept(
        first,
        clicks=200,
        leads=30,
        qualified=10,
        conversions=6,
        from_clicks=4,
        waited_minutes=10 * 24 * 60,
        revenue_minor=300_00,
    )
    kept(second, clicks=50, conversions=2, revenue_minor=100_00, earned_minor=10_00)
    kept(first, dimension="country", key="FR", conversions=6, revenue_minor=300_00)
    kept(None, conversions=12, revenue_minor=600_00)
    kept(None, conversions=99, revenue_minor=999_00, currency="EUR")
    return first, second


def test_sourced_against_organic_in_one_currency_and_who_brought_most() -> None:
    first, _second = scene()
    beside = at_desk(ada()).get(URL).context["beside"]
    rows = [(row.conversions, row.of_conversions, row.revenue, row.of_revenue) for row in beside.sources]
    assert rows == [("8", "40%", "£400.00", "40%"), ("12", "60%", "£600.00", "60%")]
    assert [(row.name, row.cells[4]) for row in beside.top] == [("Ana", "£300.00"), ("Ben", "£100.00")]
    # 10 qualified of 20 sign-ups, 6 conversions of 30 leads, 4 of them of 200 clicks; ten days over four conversions.
    stages = {str(row.label): row for row in beside.stages}
    affiliate = stages["Affiliate"]
    assert (affiliate.qualification_rate, affiliate.close_rate, affiliate.conversion_rate) == (
        "50%",
        "20%",
        "2%",
    )
    assert affiliate.days == "2.5"
    assert stages["Referral partner"].close_rate == "–"
    assert beside.top[0].href == f"?partner={first.partner.public_id}"


def test_of_one_program_and_of_one_partner() -> None:
    first, second = scene()
    client = at_desk(fiona())
    page = client.get(f"{URL}?program={second.program.slug}").context["page"]
    assert page.total[4] == "£100.00"
    page = client.get(f"{URL}?partner={first.partner.public_id}&program={first.program.slug}")
    assert page.context["page"].total[4] == "£300.00"
    assert page.context["beside"] is None
    sent: Any = client.get(f"{URL}report.csv?partner={first.partner.public_id}&by=country")
    lines = b"".join(sent.streaming_content).decode().splitlines()
    assert lines[1] == "FR,France,0,0,0,0,0,6,0,300.00,0.00,GBP,,"
    assert f"program={first.program.slug}" in client.get(
        f"/admin/partners/partner/{first.partner_id}/change/"
    ).content.decode().replace("&amp;", "&")
    assert client.get(f"{URL}{DailyTotal.objects.first().pk}/change/").status_code == 404  # type: ignore[union-attr]


def test_empty_installations_and_odd_addresses_show_a_page() -> None:
    client = at_desk(ada())
    assert "Nothing in this time" in words(client.get(URL))
    scene()
    for query in (
        "?program=none",
        "?partner=ptn_none",
        "?currency=XXX",
        "?by=link&key=",
        "?page=99999999",
    ):
        assert client.get(URL + query).status_code == 200, query
    assert client.get(f"{URL}?start=2026-01-01&end=2031-01-01").status_code == 422


def test_the_reading_takes_at_most_eight_queries() -> None:
    first, _second = scene()
    client = at_desk(ada())
    client.get(URL)
    for query in ("?by=link", "?by=day&period=365d", f"?by=code&program={first.program.slug}"):
        with CaptureQueriesContext(connection) as queries:
            client.get(URL + query)
        own = [each for each in queries.captured_queries if "payouts_dailytotal" in each["sql"]]
        named = [each for each in queries.captured_queries if 'FROM "referrals_' in each["sql"]]
        assert len(own) + len(named) <= 6
