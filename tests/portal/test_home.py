"""Home says where the money is, what is paid next and what brought it in, and every figure leads to its rows."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from partners.choices import MembershipState
from partners.models import Membership, Placement
from payouts import release
from payouts.models import PaymentMethod
from portal.views import home
from portal.views.pages import HomePage
from prm.lib.money import Money
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene, click, on

pytestmark = pytest.mark.django_db


def page_of(scene: Scene, **kwargs: object) -> HomePage:
    return home.home_page(scene.room(**kwargs))  # type: ignore[arg-type]


def text_of(html: str) -> str:
    """Return what a reader sees, with blanks folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_path_shows_each_stage_with_its_sum_its_date_and_its_count(busy: Scene) -> None:
    shown = [(stage.label, stage.amount.minor, stage.lines) for stage in page_of(busy).stages]
    assert shown == [
        ("In review", 0, ("Checked within 5 working days", "0 commissions")),
        ("On hold", 45_00, ("Next release 2 Jul", "2 commissions")),
        ("Ready to pay", 320_00, ("On your May statement", "3 commissions")),
        ("On its way", 200_00, ("Sent 13 Apr", "1 payment")),
        ("Paid", 100_00, ("Last payment 16 Mar", "1 payment")),
    ]


def test_the_stage_nearest_to_being_paid_is_marked(busy: Scene) -> None:
    assert [stage.key for stage in page_of(busy).stages if stage.current] == ["ready"]


def test_a_stage_opens_the_rows_it_is_the_sum_of(busy: Scene) -> None:
    client = signed_in(busy)
    for stage in page_of(busy).stages:
        listed = client.get(stage.href).context["page"]
        assert listed.total == stage.amount
        assert Money.total((row.amount for row in listed.rows), "GBP") == stage.amount


def test_a_column_of_the_chart_opens_the_rows_it_is_the_sum_of(busy: Scene) -> None:
    chart = page_of(busy).chart
    assert chart is not None
    client = signed_in(busy)
    sums = [(row.total, client.get(row.href).context["page"].total) for row in chart.rows]
    assert len(sums) == 12
    assert [column for column, _listed in sums] == [listed for _column, listed in sums]
    assert Money.total((column for column, _listed in sums), "GBP") == Money(665_00, "GBP")


def test_the_next_payment_names_amount_day_account_and_conditions(busy: Scene) -> None:
    card = page_of(busy, at=on(6, 10)).payment
    assert card is not None
    assert card.amount == Money(280_00, "GBP")
    assert card.sentence == "Planned for 14 June 2026, by bank transfer to IBAN ending 5555."
    assert [(check.text, check.ok) for check in card.checks] == [
        ("Above the £50.00 minimum", True),
        ("Payment details in use since 10 February 2026", True),
    ]
    assert card.statement_text == "See the May statement"


def test_a_late_payment_is_said_to_be_late(busy: Scene) -> None:
    [notice] = page_of(busy).notices
    assert (notice.title, notice.text) == ("This payment is late.", "It was due on 14 Jun 2026.")


def test_below_the_minimum_the_money_stays_the_partners(newcomer: Scene) -> None:
    newcomer.house.sale("s", "314.00", "ANA10", on(6, 1))
    newcomer.house.rate(on(6, 1))
    release.release_due(at=NOW)
    page = page_of(newcomer)
    assert page.payment is not None
    assert page.payment.sentence == "£31.40 of £50.00. It stays yours and moves to the next statement."
    assert page.stages[2].lines[0] == "Below the £50.00 minimum, carried over"


def test_without_bank_details_the_page_says_what_to_do_by_when(busy: Scene) -> None:
    PaymentMethod.objects.update(replaced_at=NOW, replaced_by=busy.ana)
    notices = page_of(busy, at=on(6, 10)).notices
    assert [notice.title + " " + notice.text for notice in notices] == [
        "We cannot pay you yet. £280.00 is ready. Add payment details by 14 Jun 2026 to be paid on 14 Jun 2026."
    ]


def test_the_tier_card_measures_revenue_of_twelve_months_against_the_next_tier(busy: Scene) -> None:
    tier = page_of(busy).tier
    assert tier is not None
    assert tier.title == "Registered, on the way to Silver"
    assert (tier.value, tier.goal) == (6_650_00, 10_000_00)
    assert tier.text == "£6,650.00 of £10,000.00. £3,350.00 to go."


def test_on_the_highest_tier_there_is_nothing_to_measure(busy: Scene) -> None:
    silver = busy.house.program.tiers.get(key="silver")
    Placement.objects.update(tier=silver)
    tier = page_of(busy).tier
    assert tier is not None
    assert (tier.title, tier.goal) == ("Silver, the highest tier", 0)


def test_latest_conversions_mask_the_customer_and_link_each_amount_to_its_reason(busy: Scene) -> None:
    rows = page_of(busy).rows
    assert [(row.order, row.amount.minor, row.sale.minor) for row in rows][:3] == [
        ("jun-3", -5_00, -50_00),
        ("jun-2", 50_00, 500_00),
        ("jun-1", 40_00, 400_00),
    ]
    assert {row.customer for row in rows} == {"Customer •••100"}
    assert rows[1].detail == "Sale, via code ANA10"
    assert [row.status.label for row in rows][:3] == ["Reversed", "On hold until 2 Jul", "Ready to pay"]
    html = signed_in(busy).get("/portal/").content.decode()
    assert "c-100" not in html
    assert all(f'href="{row.href}"' in html for row in rows)


def test_links_show_their_last_30_days(busy: Scene) -> None:
    for number, days in enumerate((1, 29, 31)):
        click(busy, NOW - timedelta(days=days), number)
    page = page_of(busy)
    [link] = page.links
    assert link.note == "2 clicks, 0 sales in 30 days."
    assert link.url == "http://testserver/r/ana"
    assert page.codes == ("ANA10",)


def test_a_newcomer_is_told_the_first_steps_instead_of_an_empty_chart(newcomer: Scene) -> None:
    response = signed_in(newcomer).get("/portal/")
    page, text = response.context["page"], text_of(response.content.decode())
    assert page.is_new and page.chart is None
    assert "Three steps to your first sale" in text
    assert "Latest conversions" not in text
    assert "Your first sale shows here within 5 minutes." in text


def test_the_page_says_up_to_when_its_figures_go_and_in_which_time_zone(busy: Scene) -> None:
    assert page_of(busy).greeting == "Good morning, Ana"
    assert page_of(busy).lede == (
        "Partner ANA10, Registered tier. Figures up to 20 June 2026, 10:12 (Europe/London)."
    )


def test_a_suspended_partner_reads_what_that_means(busy: Scene) -> None:
    Membership.objects.update(state=MembershipState.SUSPENDED)
    busy.membership.refresh_from_db()
    assert page_of(busy).notices[0].title == "Your membership is suspended."


def test_amounts_and_dates_follow_the_readers_language(busy: Scene) -> None:
    client = signed_in(busy)
    client.cookies["django_language"] = "fr"
    html = client.get("/portal/").content.decode()
    assert "320,00\N{NO-BREAK SPACE}£" in html or "320,00\N{NO-BREAK SPACE}£GB" in html
    client.cookies["django_language"] = "pl"
    assert "320,00\N{NO-BREAK SPACE}GBP" in client.get("/portal/").content.decode()


def test_pages_with_money_are_kept_by_no_cache(busy: Scene) -> None:
    response = signed_in(busy).get("/portal/")
    assert "no-store" in response["Cache-Control"]
    assert "HX-Request" in response["Vary"]


def test_a_stranger_is_sent_to_sign_in(client: Client, busy: Scene) -> None:
    response = client.get("/portal/")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
