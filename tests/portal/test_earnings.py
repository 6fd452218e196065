"""The list of earnings: narrowed by its address, added up over the filter, sent as a file of the same rows."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from payouts.models import Commission
from portal.views.pages import EarningsPage
from referrals import conversions
from tests.house import House
from tests.portal.conftest import signed_in
from tests.portal.scene import Scene, on

pytestmark = pytest.mark.django_db


def page_of(scene: Scene, query: str = "") -> EarningsPage:
    page: EarningsPage = signed_in(scene).get(f"/portal/earnings/{query}").context["page"]
    return page


def orders(page: EarningsPage) -> list[str]:
    return [row.order for row in page.rows]


def file_of(scene: Scene, query: str = "") -> list[dict[str, str]]:
    response: Any = signed_in(scene).get(f"/portal/earnings/commissions.csv{query}")
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def many_sales(house: House, count: int) -> None:
    events = [
        house.event(f"n-{number:03d}", "10.00", "ANA10", on(6, 1, number % 24)) for number in range(count)
    ]
    conversions.record_many(events, at=on(6, 2))
    house.rate(on(6, 2))


def test_the_address_says_what_is_listed_and_the_total_is_the_sum_of_it(busy: Scene) -> None:
    # In pence; what each order earned is worked out in tests/portal/scene.py.
    wanted = {
        "": (["jun-3", "jun-2", "jun-1", "may-2", "may-1", "mar-1", "feb-1"], 665_00),
        "?stage=hold": (["jun-3", "jun-2"], 45_00),
        "?stage=ready": (["jun-1", "may-2", "may-1"], 320_00),
        "?stage=reversed": (["jun-3", "may-2"], -25_00),
        "?period=2026-05": (["may-2", "may-1"], 280_00),
        "?period=30d": (["jun-3", "jun-2", "jun-1"], 85_00),
        "?period=2026-05&stage=reversed": (["may-2"], -20_00),
        "?q=may": (["may-2", "may-1"], 280_00),
        "?start=2026-05-05&end=2026-06-02": (["jun-1", "may-2"], 20_00),
        "?start=2026-06-18": (["jun-3", "jun-2"], 45_00),
        "?code=ANA10&period=2026-03": (["mar-1"], 200_00),
        "?code=OTHER": ([], 0),
    }
    pages = {query: page_of(busy, query) for query in wanted}
    assert {query: (orders(page), page.total.minor) for query, page in pages.items()} == wanted
    sums = {query: sum(row.amount.minor for row in page.rows) for query, page in pages.items()}
    assert sums == {query: total for query, (_orders, total) in wanted.items()}


def test_the_file_holds_exactly_the_rows_and_the_sum_shown(busy: Scene) -> None:
    for query in ("", "?stage=reversed", "?period=2026-05", "?q=jun", "?q=zzz"):
        page, rows = page_of(busy, query), file_of(busy, query)
        assert [row["order"] for row in rows] == orders(page)
        assert sum((Decimal(row["commission"]) for row in rows), Decimal(0)) == page.total.decimal()
        assert page.csv_href == f"/portal/earnings/commissions.csv{query}"


def test_the_header_of_the_file_and_its_values_are_for_machines(busy: Scene) -> None:
    [row] = file_of(busy, "?q=may-2")
    assert row == {
        "date": "2026-05-05",
        "order": "may-2",
        "event": "refund",
        "customer": "•••100",
        "via": "ANA10",
        "sale": "-200.00",
        "commission": "-20.00",
        "currency": "GBP",
        "status": "on_statement",
        "ready_to_pay_from": "2026-05-19",
        "statement": "HG-2026-00005",
        "commission_id": Commission.objects.get(conversion__external_id="may-2").public_id,
        "kind": "refund",
    }


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(newcomer: Scene) -> None:
    newcomer.house.sale("=1+2", "100.00", "ANA10", on(6, 1))
    newcomer.house.rate(on(6, 2))
    assert [row["order"] for row in file_of(newcomer)] == ["'=1+2"]


def test_pages_follow_each_other_without_gap_or_repeat_forwards_and_backwards(newcomer: Scene) -> None:
    many_sales(newcomer.house, 60)
    client = signed_in(newcomer)
    seen, url, marks, forwards = [], "/portal/earnings/?stage=hold", [], []
    while url:
        page = client.get(url).context["page"]
        seen += orders(page)
        marks.append((page.pages.first, page.pages.last, page.pages.total))
        forwards.append(orders(page))
        last, url = page, page.pages.next_url
    expected = Commission.objects.order_by("-effective_at", "-pk").values_list(
        "conversion__external_id", flat=True
    )
    assert seen == list(expected)
    assert marks == [(1, 25, 60), (26, 50, 60), (51, 60, 60)]
    assert last.total.minor == 60_00  # of all rows, not of the page
    page = client.get(last.pages.previous_url).context["page"]
    assert (orders(page), page.pages.first) == (forwards[1], 26)
    page = client.get(page.pages.previous_url).context["page"]
    assert (orders(page), page.pages.previous_url) == (forwards[0], "")
    assert page.pages.next_url


def test_a_mark_that_names_nothing_is_ignored(busy: Scene) -> None:
    assert len(page_of(busy, "?after=com_nothing").rows) == 7


def test_chips_keep_the_other_filters_and_one_is_current(busy: Scene) -> None:
    chips = page_of(busy, "?q=may&stage=ready").chips
    assert [chip.label for chip in chips if chip.current] == ["Ready to pay"]
    assert chips[0].href == "/portal/earnings/?q=may"
    assert chips[2].href == "/portal/earnings/?q=may&stage=hold"
    html = signed_in(busy).get("/portal/earnings/?q=may&stage=ready").content.decode()
    assert html.count('aria-current="true"') == 1 + 1  # the chip and the language


def test_nothing_found_and_nothing_yet_are_told_apart(busy: Scene) -> None:
    html = signed_in(busy).get("/portal/earnings/?q=zzz").content.decode()
    assert "No commissions match" in html and "Clear filters" in html
    assert "No commissions yet" not in html


def test_a_newcomer_reads_how_the_first_sale_comes(newcomer: Scene) -> None:
    html = signed_in(newcomer).get("/portal/earnings/").content.decode()
    assert "No commissions yet" in html
    assert "No commissions match" not in html


def test_a_filter_that_makes_no_sense_is_named_and_narrows_nothing(busy: Scene) -> None:
    wrong = {
        "?start=2026-13-45": "Enter a valid date.",
        "?start=2026-06-10&end=2026-06-01": "The last day must not be before the first.",
        "?stage=stolen": "stolen",
        "?period=1e9d": "1e9d",
        "?q=" + "x" * 101: "101",
    }
    for query, error in wrong.items():
        response = signed_in(busy).get(f"/portal/earnings/{query}")
        html = response.content.decode()
        assert "<title>Error:" in html and error in html, query
        assert response.context["page"].pages.total > 0, query


def test_an_older_month_can_be_asked_for_though_the_list_does_not_offer_it(busy: Scene) -> None:
    page = page_of(busy, "?period=2019-01")
    assert page.pages.total == 0 and page.is_filtered
