"""What is said to be paid next is what a run then pays: with adjustments, tax and another currency, and it names what stands against it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.choices import MembershipState
from payouts import next_payments, overview, pauses, pay_runs
from payouts.models import Payment, PaymentMethod, Statement
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.money_rows import FxRateFactory, WithholdingFactory
from tests.factories.payouts import close_months, exported, give_account, prepared
from tests.people import fiona
from tests.portal.scene import NOW, Scene, add, busy_partner, charge_vat, new_partner, on

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return busy_partner()


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


def next_of(scene: Scene, *, at: datetime) -> next_payments.NextPayment:
    scene.membership.refresh_from_db()
    return next_payments.next_payment(scene.membership, overview.payments_of(scene.membership), at=at)


def in_february() -> Scene:
    """Return a partner with 100.00 on the statement of February, and an account."""
    scene = new_partner()
    give_account(scene.membership, at=on(2, 10))
    scene.house.sale("s", "1000.00", "ANA10", on(2, 3))
    scene.house.rate(on(2, 4))
    close_months(scene.house.program, Month(2026, 1), at=on(2, 5))
    return scene


def run_pays(scene: Scene, *, at: datetime) -> Payment:
    prepared(scene.house.program.legal_entity, at=at)
    return Payment.objects.get(state="queued")


def test_the_next_payment_is_the_waiting_statement(scene: Scene) -> None:
    coming = next_of(scene, at=on(6, 10))
    assert coming.statement is not None
    assert (str(coming.statement.period), coming.amount) == ("2026-05", gbp(280_00))
    assert coming.due_on == date(2026, 6, 14)
    assert coming.is_method_usable and coming.is_above_minimum and not coming.is_late


def test_a_statement_not_paid_on_its_day_is_late(scene: Scene) -> None:
    assert next_of(scene, at=on(6, 15)).is_late


def test_without_a_waiting_statement_what_is_ready_is_expected_on_the_day_of_the_month_after() -> None:
    scene = new_partner()
    add(scene, "31.40", at=on(12, 20))
    coming = next_of(scene, at=on(12, 20))
    assert coming.statement is None
    assert (coming.amount, coming.due_on, coming.closes_on) == (
        gbp(31_40),
        date(2027, 1, 14),
        date(2026, 12, 31),
    )
    assert not coming.is_above_minimum and coming.method is None and not coming.is_late


def test_the_minimum_itself_is_enough() -> None:
    scene = new_partner()
    add(scene, "49.99", at=NOW)
    assert not next_of(scene, at=NOW).is_above_minimum
    add(scene, "0.01", at=NOW)
    assert next_of(scene, at=NOW).is_above_minimum


def test_what_is_on_its_way_is_no_longer_next(scene: Scene) -> None:
    exported(scene.house.program.legal_entity, at=on(6, 13))  # the 280.00 of May
    coming = next_of(scene, at=NOW)
    assert (coming.statement, coming.amount, coming.due_on) == (None, gbp(40_00), date(2026, 7, 14))


def test_a_payment_the_bank_sent_back_is_named_until_another_attempt_leaves() -> None:
    scene = new_partner()
    give_account(scene.membership, at=on(2, 10))
    scene.house.sale("s", "1000.00", "ANA10", on(2, 3))
    scene.house.rate(on(2, 4))
    close_months(scene.house.program, Month(2026, 1), Month(2026, 2), at=on(3, 2))
    exported(scene.house.program.legal_entity, at=on(3, 13))
    payment = Payment.objects.get()
    pay_runs.fail(payment, reason="Account closed", by=fiona(), at=on(3, 15))
    coming = next_of(scene, at=on(3, 16))
    assert coming.failure == payment
    assert coming.statement == Statement.objects.get(period__month=2)


def test_a_new_account_is_shown_before_it_may_be_paid_to() -> None:
    scene = new_partner()
    method = give_account(scene.membership, at=NOW + timedelta(hours=80))
    coming = next_of(scene, at=NOW)
    assert coming.method == method
    assert not coming.is_method_usable


def test_adjustments_and_vat_are_part_of_the_amount_and_stand_beside_the_stages() -> None:
    """100.00 of commission, 20.00 for a campaign, 5.00 taken and 21.00 of VAT are 136.00."""
    scene = in_february()
    add(scene, "20.00", at=on(2, 20), kind="bonus")
    add(scene, "-5.00", at=on(2, 21))
    charge_vat(scene, 21_00, at=on(2, 22))
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    coming = next_of(scene, at=on(3, 3))
    assert (coming.amount, coming.beside.adjustments, coming.beside.vat) == (
        gbp(136_00),
        gbp(15_00),
        gbp(21_00),
    )
    money = overview.money_of(scene.membership, at=on(3, 3))
    assert money.lifetime == gbp(100_00)
    assert money.stages["ready"].amount + coming.beside.total == coming.amount
    assert run_pays(scene, at=on(3, 13)).amount == coming.amount


def test_what_is_adjusted_after_a_statement_waits_for_the_next_one() -> None:
    scene = in_february()
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    add(scene, "20.00", at=on(3, 5))
    assert next_of(scene, at=on(3, 6)).amount == gbp(100_00)
    assert run_pays(scene, at=on(3, 13)).amount == gbp(100_00)


def test_a_payment_that_left_after_the_month_is_taken_off_its_statement() -> None:
    """February's 100.00 leave in April, when March is closed: the statement of March still says 100.00."""
    scene = in_february()
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    close_months(scene.house.program, Month(2026, 3), at=on(4, 2))
    assert next_of(scene, at=on(4, 3)).amount == gbp(100_00)
    exported(scene.house.program.legal_entity, at=on(4, 13))
    assert next_of(scene, at=on(4, 14)).amount == gbp(0)
    Statement.objects.filter(period__month=3).update(state="paid")
    pay_runs.fail(Payment.objects.get(), reason="Account closed", by=fiona(), at=on(4, 15))
    assert next_of(scene, at=on(4, 16)).amount == gbp(100_00)


def test_tax_is_said_beforehand_as_the_run_withholds_it() -> None:
    """12.5 % of 100.00 are 12.50."""
    scene = in_february()
    WithholdingFactory.create(
        partner=scene.membership.partner, rate=Decimal("12.5"), starts_on=date(2026, 3, 1)
    )
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    coming = next_of(scene, at=on(3, 3))
    assert (coming.amount, coming.withheld, coming.net) == (gbp(100_00), gbp(12_50), gbp(87_50))
    payment = run_pays(scene, at=on(3, 13))
    assert (payment.amount, payment.withheld, payment.sent) == (coming.amount, coming.withheld, coming.sent)


def test_nothing_is_withheld_from_the_vat_of_a_payment() -> None:
    """121.00 are 21.00 of VAT and 100.00, of which 12.50 are withheld."""
    scene = in_february()
    WithholdingFactory.create(
        partner=scene.membership.partner, rate=Decimal("12.5"), starts_on=date(2026, 2, 1)
    )
    charge_vat(scene, 21_00, at=on(2, 22))
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    coming = next_of(scene, at=on(3, 3))
    assert (coming.amount, coming.withheld, coming.net) == (gbp(121_00), gbp(12_50), gbp(108_50))
    payment = run_pays(scene, at=on(3, 13))
    assert (payment.amount, payment.withheld) == (coming.amount, coming.withheld)


def test_a_share_that_is_set_after_the_statement_counts() -> None:
    scene = in_february()
    charge_vat(scene, 21_00, at=on(2, 22))
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    WithholdingFactory.create(
        partner=scene.membership.partner, rate=Decimal("10"), starts_on=date(2026, 3, 1)
    )
    assert next_of(scene, at=on(3, 3)).withheld == gbp(10_00)
    assert run_pays(scene, at=on(3, 13)).withheld == gbp(10_00)


def test_what_arrives_in_another_currency_is_said_once_it_is_known() -> None:
    """100.00 GBP at 1.15 of the day of the run are 115.00 EUR; before it nobody knows."""
    scene = in_february()
    PaymentMethod.objects.update(payout_currency="EUR")
    close_months(scene.house.program, Month(2026, 2), at=on(3, 2))
    assert next_of(scene, at=on(3, 3)).sent is None
    FxRateFactory.create(rate_on=date(2026, 3, 12))
    assert run_pays(scene, at=on(3, 13)).sent == Money(115_00, "EUR")
    assert next_of(scene, at=on(3, 13)).sent == Money(115_00, "EUR")


def test_a_rate_frozen_with_the_statement_is_what_arrives() -> None:
    scene = in_february()
    program = scene.house.program
    program.fx_moment = "statement"
    program.save()
    PaymentMethod.objects.update(payout_currency="EUR")
    FxRateFactory.create(rate_on=date(2026, 2, 27))
    close_months(program, Month(2026, 2), at=on(3, 2))
    assert next_of(scene, at=on(3, 3)).sent == Money(115_00, "EUR")


def test_every_pause_of_payments_is_named_until_it_ends(scene: Scene) -> None:
    pause = partial(
        pauses.pause_payments, scene.membership, review_on=date(2026, 7, 1), by=fiona(), at=on(6, 9)
    )
    first = pause(cause="risk", reason="Odd orders.")
    pause(cause="missing_data", reason="No address.")
    assert [stop.reason for stop in next_of(scene, at=on(6, 10)).stops] == ["Odd orders.", "No address."]
    pauses.resume(first, outcome="They are real.", by=fiona(), at=on(6, 11))
    coming = next_of(scene, at=on(6, 12))
    assert coming.stops == (next_payments.Stop("No address.", date(2026, 7, 1)),)
    assert coming.amount == gbp(280_00)


def test_a_line_that_is_paused_does_not_pause_payments(scene: Scene) -> None:
    line = scene.membership.commissions.get(conversion__external_id="jun-2")
    pauses.pause_line(line, cause="risk", reason="Odd.", review_on=date(2026, 7, 1), by=fiona(), at=on(6, 19))
    assert next_of(scene, at=NOW).stops == ()


def test_who_has_left_is_paid_the_rest_however_little_it_is() -> None:
    scene = new_partner()
    add(scene, "3.00", at=NOW)
    assert not next_of(scene, at=NOW).is_above_minimum
    type(scene.membership).objects.update(state=MembershipState.ENDED, ended_at=NOW)
    assert next_of(scene, at=NOW).is_above_minimum


def test_everything_is_read_in_three_queries(scene: Scene) -> None:
    payments = overview.payments_of(scene.membership)
    with CaptureQueriesContext(connection) as queries:
        next_payments.next_payment(scene.membership, payments, at=NOW)
    assert len(queries) == 3  # the statement, the account, and what the books say
