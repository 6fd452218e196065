"""Why an amount is what it is: the rows of the calculation add up to it, and the story is told with dates past and planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from payouts.models import Commission
from portal import why
from prm.lib.money import Money
from referrals import conversions
from referrals.models import Link
from tests.factories.referrals import ClickFactory
from tests.house import open_house
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene, on

pytestmark = pytest.mark.django_db


def why_of(order: str) -> why.Why:
    line = why.readable(Commission.objects.filter(conversion__external_id=order)).get()
    return why.explain(line, at=NOW)


def figures(found: why.Why) -> list[tuple[str, int, str]]:
    return [(row.label, row.amount.minor, row.note) for row in found.found.rows if row.amount is not None]


def test_a_percentage_is_explained_by_base_rate_rule_and_version(busy: Scene) -> None:
    found = why_of("jun-2")
    assert found.found.sentence == "Customer •••100 paid £500.00 on 18 June 2026 with the code ANA10."
    assert figures(found) == [
        ("Order total", 500_00, ""),
        ("× your rate, 10%", 50_00, "Rule “Every order”, version 1, in force since 1 Jan 2026."),
    ]
    assert found.status.label == "On hold until 2 Jul"


def test_rounding_is_shown(newcomer: Scene) -> None:
    newcomer.house.sale("odd", "33.33", "ANA10", on(6, 1))
    newcomer.house.rate(on(6, 2))
    [_total, rate] = figures(why_of("odd"))
    assert rate[1] == 3_33
    assert rate[2].endswith("Rounded from 3.333.")


def test_a_flat_part_is_a_row_of_its_own_and_is_kept_on_a_refund(db: None) -> None:
    house = open_house(percent="5", flat_minor=2_00)
    house.member("CLUB")
    house.sale("s", "100.00", "CLUB", on(6, 1))
    house.refund("r", "100.00", "CLUB", on(6, 2))
    house.rate(on(6, 3))
    assert [row[:2] for row in figures(why_of("s"))] == [
        ("Order total", 100_00),
        ("× your rate, 5%", 5_00),
        ("Flat amount for each sale", 2_00),
    ]
    assert figures(why_of("r"))[-1] == ("Flat amount", 0, "You keep the £2.00 of the sale.")
    assert why_of("r").found.sentence == "Customer •••100 got £100.00 back on 2 June 2026."


def test_a_refund_that_names_its_sale_says_which_share_goes_back_and_both_lines_know_each_other(
    newcomer: Scene,
) -> None:
    newcomer.house.sale("s", "90.00", "ANA10", on(6, 1))
    newcomer.house.refund("r1", "30.00", "ANA10", on(6, 2), of="s")
    newcomer.house.refund("r2", "20.00", "ANA10", on(6, 3), of="s")
    newcomer.house.rate(on(6, 4))
    first, second = why_of("r1"), why_of("r2")
    assert figures(first)[-1][:2] == ("Taken back", -3_00)
    assert "£30.00 of a sale of £90.00 came back; the same share of £9.00 goes back." in figures(first)[-1][2]
    assert "after £30.00 earlier" in figures(second)[-1][2]
    [sale] = first.found.related
    assert sale.text == "Takes back part of what order s earned"
    assert [each.amount.minor for each in why_of("s").found.related] == [-3_00, -2_00]


def test_the_rows_add_up_to_the_amount_for_every_line(busy: Scene) -> None:
    for line in why.readable(Commission.objects.all()):
        found = why.explain(line, at=NOW)
        addends = Money.total((row.amount for row in found.found.rows if row.counts and row.amount), "GBP")
        assert addends == found.found.amount == line.amount
        assert (
            line.because["gross"] + sum(taken["amount"] for taken in line.because["deductions"])
            == (line.because["base"])
        )


def test_the_story_of_a_paid_line_is_all_past(busy: Scene) -> None:
    steps = why_of("feb-1").found.steps
    assert all(step.done for step in steps)
    assert steps[0].what == "Sale"
    assert steps[-1].what.startswith("Commission computed") or steps[-1].what.startswith("Paid, reference")


def test_the_story_of_a_line_on_hold_goes_on_with_dates(busy: Scene) -> None:
    planned = [(step.at, step.what) for step in why_of("jun-2").found.steps if not step.done]
    assert planned == [
        ("2 Jul 2026", "Ready to pay, if the customer does not ask for a refund"),
        ("31 Jul 2026", "On your July 2026 statement"),
        ("14 Aug 2026", "Payment sent, if your balance reaches £50.00"),
    ]


def test_a_sale_through_a_link_names_the_link_and_the_click(busy: Scene) -> None:
    click = ClickFactory(link=Link.objects.get(), clicked_at=on(6, 10, 8))
    event = replace(busy.house.event("by-link", "10.00", "", on(6, 11)), click_id=click.click_id)
    conversions.record(event, at=on(6, 11))
    busy.house.rate(NOW)
    found = why_of("by-link")
    assert found.found.sentence == "Customer •••100 paid £10.00 on 11 June 2026 after using testserver/r/ana."
    assert (found.found.steps[0].at, found.found.steps[0].what) == ("10 Jun, 09:00", "Click on your link")


def test_the_drawer_and_the_page_tell_the_same(busy: Scene) -> None:
    line = Commission.objects.get(conversion__external_id="jun-2")
    client, url = signed_in(busy), f"/portal/earnings/{line.public_id}/"
    page = client.get(url).content.decode()
    drawer = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" in page and "<html" not in drawer
    assert 'id="drawer-title"' in drawer
    for text in ("Why £50.00?", "in force since 1 Jan 2026", "31 Jul 2026"):
        assert text in page and text in drawer


def test_a_paused_line_says_so_with_its_reason(busy: Scene) -> None:
    Commission.objects.filter(conversion__external_id="jun-2").update(
        state="paused", pause_reason="Own purchase?"
    )
    found = why_of("jun-2")
    assert (found.status.label, found.status.help) == ("Paused", "Own purchase?")
    assert [step.what for step in found.found.steps if step.problem] == ["Paused: Own purchase?"]


def test_old_moments_carry_their_year(busy: Scene) -> None:
    line = why.readable(Commission.objects.filter(conversion__external_id="feb-1")).get()
    found = why.explain(line, at=NOW + timedelta(days=365))
    assert found.found.steps[0].at == "3 Feb 2026, 12:00"
