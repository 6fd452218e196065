"""Home says where the money is, what is paid next and what brought it in, and every figure leads to its rows."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from partners import placement
from partners.choices import MembershipState
from partners.models import Membership
from payouts import pauses, release
from payouts.models import PaymentMethod
from portal.views import home
from portal.views.pages import HomePage
from prm.lib.money import Money
from tests.factories.money_rows import FxRateFactory, WithholdingFactory
from tests.factories.payouts import prepared
from tests.factories.tiering import MetricSnapshotFactory
from tests.people import fiona, mats
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene, add, charge_vat, click, on

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
    [meter] = tier.meters
    assert meter.label == "Net revenue of at least £10,000.00 in the last 12 months"
    assert (meter.value, meter.goal) == (6_650_00, 10_000_00)
    assert meter.text == "£6,650.00 of £10,000.00. £3,350.00 to go."


def test_the_tier_card_shows_the_figures_of_the_last_night_where_they_were_taken(busy: Scene) -> None:
    scheme = busy.house.program.tier_schemes.get()
    registered = busy.house.program.tiers.get(key="registered")
    figures = {"net_revenue/trailing:12": {"value": "1000000", "rows": 7}}
    MetricSnapshotFactory.create(
        membership=busy.membership, scheme=scheme, tier=registered, figures=figures, measured_at=NOW
    )
    tier = page_of(busy).tier
    assert tier is not None
    assert [meter.text for meter in tier.meters] == ["£10,000.00 of £10,000.00: enough."]
    assert tier.text == "That is enough for Silver. The next review proposes the move."


def test_on_the_highest_tier_there_is_nothing_to_measure(busy: Scene) -> None:
    silver = busy.house.program.tiers.get(key="silver")
    placement.place(busy.membership, tier=silver, by=mats(), at=on(6, 19), because="By hand")
    tier = page_of(busy).tier
    assert tier is not None
    assert (tier.title, tier.meters) == ("Silver, the highest tier", ())


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
    assert "Steps to your first sale" in text
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


def test_adjustments_and_vat_have_a_line_of_their_own_beside_the_stages(busy: Scene) -> None:
    """The stages are 665.00; with 20.00 for a campaign and 4.00 of VAT that is 689.00."""
    assert page_of(busy).beside is None
    add(busy, "20.00", at=NOW)
    charge_vat(busy, 4_00, at=NOW)
    page = page_of(busy)
    assert page.beside is not None
    assert (page.beside.amount, page.beside.text) == (
        Money(24_00, "GBP"),
        "VAT is £4.00 of it. With what is above that is £689.00.",
    )
    assert Money.total((stage.amount for stage in page.stages), "GBP") == Money(665_00, "GBP")
    client = signed_in(busy)
    assert "Adjustments and VAT: £24.00 ." in text_of(client.get("/portal/").content.decode())
    assert client.get(page.beside.href).context["total"] == Money(20_00, "GBP")


def test_a_pause_is_said_with_its_reason_and_the_day_it_is_looked_at_again(busy: Scene) -> None:
    pauses.pause_payments(
        busy.membership,
        cause="risk",
        reason="Odd orders",
        review_on=date(2026, 7, 1),
        by=fiona(),
        at=on(6, 9),
    )
    page = page_of(busy)  # late, but nobody is waiting for it
    assert [(notice.title, notice.text) for notice in page.notices] == [
        ("Payments to you are paused.", "Odd orders. We look at it again by 1 Jul 2026.")
    ]
    assert page.payment is not None
    assert page.payment.sentence == (
        "Payments to you are paused. It stays yours; we look at it again by 1 July 2026."
    )
    assert ("Paused: Odd orders", False) in [(check.text, check.ok) for check in page.payment.checks]


def test_tax_and_another_currency_are_said_before_they_are_taken(busy: Scene) -> None:
    """10 % of the 280.00 of May are 28.00; 252.00 at 1.15 are 289.80 EUR, known from the run on."""
    WithholdingFactory.create(partner=busy.membership.partner, rate=Decimal("10"), starts_on=date(2026, 6, 1))
    PaymentMethod.objects.update(payout_currency="EUR")
    before = page_of(busy, at=on(6, 10)).payment
    assert before is not None
    taxed = [("Before tax", "£280.00"), ("Tax withheld", "−£28.00"), ("After tax", "£252.00")]
    assert [(fact.label, fact.value) for fact in before.facts] == taxed
    assert before.sentence.endswith("It is converted to EUR.")
    FxRateFactory.create(rate_on=date(2026, 6, 11))
    prepared(busy.house.program.legal_entity, at=on(6, 11))
    after = page_of(busy, at=on(6, 12)).payment
    assert after is not None
    assert [(fact.label, fact.value) for fact in after.facts] == [*taxed, ("You receive", "€289.80")]
    assert "It is converted" not in after.sentence
