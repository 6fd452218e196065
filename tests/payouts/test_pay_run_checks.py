"""What a run asks people to look at, what it takes off for tax and converts, and what voids its approval."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.choices import MembershipState
from partners.models import Membership, Partner
from payouts import ledger, pauses, pay_runs
from payouts.choices import AccountKind, CheckKind, LeftOut, PaymentState, PayRunState
from payouts.models import Entry, Payment, PaymentMethod, PayRun, PayRunCheck, Statement
from payouts.pay_runs import checks, common
from prm.accounts.policy import Forbidden
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.money_rows import (
    AccountSignalFactory,
    FxRateFactory,
    TaxFormFactory,
    TaxProfileFactory,
    WithholdingFactory,
)
from tests.factories.payouts import IBANS, close_months, exported, give_account, looked_at, prepared
from tests.factories.tiers import LegalEntityFactory
from tests.house import House, open_house
from tests.people import felix, fiona, mats
from tiers.choices import FxMoment
from tiers.models import LegalEntity, Program

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_7 = datetime(2026, 4, 7, 9, tzinfo=UTC)
MAY_5 = datetime(2026, 5, 5, 9, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)


def a_house(*codes: str, amount: str = "1000.00", entity: LegalEntity | None = None) -> House:
    """Return a house whose members each have 8 % of one sale on the statement of March, and an account."""
    house = open_house(entity=entity, slug=f"p{len(codes)}")
    for place, code in enumerate(codes):
        give_account(house.member(code, at=MARCH_1), at=APRIL_3, iban=IBANS[place % len(IBANS)])
        house.sale(f"s-{code}", amount, code, MARCH_2)
    house.rate(APRIL_3)
    close_months(house.program, MARCH, at=APRIL_3)
    return house


def run_of(house: House, *, at: datetime = APRIL_7) -> PayRun:
    return prepared(house.program.legal_entity, at=at)


def kinds(run: PayRun) -> list[tuple[str, str | None]]:
    rows = run.checks.select_related("membership__partner").order_by("kind", "pk")
    return [(row.kind, row.membership.partner.name if row.membership else None) for row in rows]


def paid_in(house: House, currency: str, rate: str, *, on: date = date(2026, 4, 7)) -> None:
    """Let the house's accounts receive another currency, and enter its rate."""
    PaymentMethod.objects.update(payout_currency=currency)
    FxRateFactory.create(base="GBP", quote=currency, rate=Decimal(rate), rate_on=on)


def balance(program: Program, kind: AccountKind, currency: str) -> int:
    return ledger.balance(ledger.program_account(program, kind, currency=currency)).minor


def sums_by_currency() -> dict[str, int]:
    found: dict[str, int] = {}
    for (_kind, currency), total in ledger.trial_balance().items():
        found[currency] = found.get(currency, 0) + total.minor
    return found


# Tax and currencies


def test_tax_is_taken_off_the_payment_once_and_kept_in_its_own_account() -> None:
    house = a_house("ANA10", amount="1109.63")  # 8 % is 88.7704, hence 88.77
    WithholdingFactory.create(partner=house.members["ANA10"].partner, rate=Decimal("10"))
    run = exported(house.program.legal_entity, at=APRIL_7)
    payment = run.payments.get()
    assert (payment.amount_minor, payment.withheld_minor, payment.sent_minor) == (88_77, 8_88, 79_89)
    assert run.total_minor == 88_77
    entries = Entry.objects.filter(transaction__kind="payment_instructed").order_by("pk")
    assert [(each.debit.kind, each.credit.kind, each.amount_minor) for each in entries] == [
        ("payable", "in_payment", 79_89),
        ("payable", "tax_withheld", 8_88),
    ]
    assert ledger.balance(ledger.partner_account(house.members["ANA10"], AccountKind.PAYABLE)).minor == 0
    pay_runs.settle(run, by=fiona(), at=APRIL_7)
    assert balance(house.program, AccountKind.CASH, "GBP") == 79_89
    assert balance(house.program, AccountKind.TAX_WITHHELD, "GBP") == 8_88
    assert sums_by_currency() == {"GBP": 0}
    assert "paid £79.89 to" in OutgoingMail.objects.get(kind="payment_sent").text


def test_a_payment_that_fails_brings_the_tax_back_too() -> None:
    house = a_house("ANA10", amount="1109.63")
    WithholdingFactory.create(partner=house.members["ANA10"].partner, rate=Decimal("10"))
    run = exported(house.program.legal_entity, at=APRIL_7)
    pay_runs.fail(run.payments.get(), reason="Account closed", by=fiona(), at=APRIL_7)
    assert ledger.balance(ledger.partner_account(house.members["ANA10"], AccountKind.PAYABLE)).minor == 88_77
    assert balance(house.program, AccountKind.TAX_WITHHELD, "GBP") == 0


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "withheld"),
    [
        (date(2026, 4, 8), None, 8_00),  # holds from the day of payment on
        (date(2026, 4, 9), None, 0),  # begins the day after
        (date(2026, 1, 1), date(2026, 4, 8), 0),  # ended with the day before
    ],
)
def test_tax_goes_by_the_day_of_payment(starts_on: date, ends_on: date | None, withheld: int) -> None:
    house = a_house("ANA10")
    WithholdingFactory.create(partner=house.members["ANA10"].partner, starts_on=starts_on, ends_on=ends_on)
    run = prepared(house.program.legal_entity, at=APRIL_7, execute_on=date(2026, 4, 8))
    assert run.payments.get().withheld_minor == withheld


def test_nothing_is_paid_when_all_of_it_is_tax() -> None:
    house = a_house("ANA10", "BEN10")
    WithholdingFactory.create(partner=house.members["ANA10"].partner, rate=Decimal("100"))
    run = run_of(house)
    assert run.exceptions.get().reason == LeftOut.NOTHING_AFTER_TAX


@pytest.mark.parametrize(
    ("currency", "rate", "sent_minor"),
    [
        ("EUR", "1.15", 92_00),  # 80.00 x 1.15
        ("JPY", "190.255", 15_220),  # 15,220.4, no decimals
        ("KWD", "0.3875555555", 31_004),  # 31.00444444, three decimals
    ],
)
def test_what_is_left_is_converted_once_to_the_decimals_of_the_currency(
    currency: str, rate: str, sent_minor: int
) -> None:
    house = a_house("ANA10")
    paid_in(house, currency, rate)
    payment = run_of(house).payments.get()
    assert payment.fx_rate is not None
    assert (payment.amount_minor, payment.sent_minor, payment.sent_currency) == (80_00, sent_minor, currency)
    assert payment.fx_rate.rate == Decimal(rate)


def test_a_payment_in_another_currency_passes_through_clearing_and_balances_in_both() -> None:
    house = a_house("ANA10")
    WithholdingFactory.create(partner=house.members["ANA10"].partner)
    PaymentMethod.objects.update(kind="other", details='{"instructions": "by cheque"}', iban="")
    paid_in(house, "EUR", "1.15")
    run = exported(house.program.legal_entity, at=APRIL_7)
    # 80.00 less 8.00 of tax is 72.00; 72.00 x 1.15 is 82.80.
    entries = Entry.objects.filter(transaction__kind="payment_instructed").order_by("pk")
    assert [
        (each.debit.kind, each.debit.currency, each.credit.kind, each.credit.currency, each.amount_minor)
        for each in entries
    ] == [
        ("payable", "GBP", "fx_clearing", "GBP", 72_00),
        ("fx_clearing", "EUR", "in_payment", "EUR", 82_80),
        ("payable", "GBP", "tax_withheld", "GBP", 8_00),
    ]
    assert (run.total_minor, sums_by_currency()) == (80_00, {"GBP": 0, "EUR": 0})
    pay_runs.settle(run, by=fiona(), at=APRIL_7)
    assert balance(house.program, AccountKind.CASH, "EUR") == 82_80
    assert balance(house.program, AccountKind.FX_CLEARING, "GBP") == 72_00
    assert balance(house.program, AccountKind.FX_CLEARING, "EUR") == -82_80
    payment = run.payments.get()
    pay_runs.fail(payment, reason="Returned", by=fiona(), at=MAY_5)
    assert {ledger.trial_balance()[kind, "EUR"].minor for kind in ("cash", "fx_clearing", "in_payment")} == {
        0
    }
    assert ledger.balance(ledger.partner_account(payment.membership, AccountKind.PAYABLE)).minor == 80_00
    assert sums_by_currency() == {"GBP": 0, "EUR": 0}


def test_without_a_rate_nobody_is_paid_and_the_pair_and_day_are_named() -> None:
    house = a_house("ANA10", "BEN10")
    PaymentMethod.objects.filter(partner=house.members["ANA10"].partner).update(payout_currency="EUR")
    left_out = run_of(house).exceptions.get()
    assert (left_out.reason, left_out.detail) == (LeftOut.NO_FX_RATE, "GBP/EUR 2026-04-07")


def test_the_rate_a_statement_froze_is_used_when_its_balance_is_paid() -> None:
    house = open_house()
    Program.objects.update(fx_moment=FxMoment.STATEMENT)
    house.program.refresh_from_db()
    give_account(house.member("ANA10", at=MARCH_1), at=APRIL_3)
    paid_in(house, "EUR", "1.20", on=date(2026, 3, 31))
    FxRateFactory.create(base="GBP", quote="EUR", rate=Decimal("1.15"), rate_on=date(2026, 4, 7))
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    [statement] = close_months(house.program, MARCH, at=APRIL_3)
    assert statement.facts["fx"]["rate"] == "1.2000000000"
    assert run_of(house).payments.get().sent_minor == 96_00  # 80.00 x 1.20, not x 1.15


# Who is left out


def test_exactly_the_minimum_pays_and_one_penny_less_does_not() -> None:
    house = open_house(minimum_minor=50_00)
    for place, (code, amount) in enumerate((("ENOUGH", "625.00"), ("LITTLE", "624.88"))):
        give_account(house.member(code, at=MARCH_1), at=APRIL_3, iban=IBANS[place])
        house.sale(f"s-{code}", amount, code, MARCH_2)  # 50.00, and 49.9904
    house.rate(APRIL_3)
    close_months(house.program, MARCH, at=APRIL_3)
    run = run_of(house)
    assert [payment.membership for payment in run.payments.all()] == [house.members["ENOUGH"]]
    left_out = run.exceptions.get()
    assert (left_out.reason, left_out.amount_minor, left_out.detail) == (
        LeftOut.BELOW_MINIMUM,
        49_99,
        "50.00 GBP",
    )


@pytest.mark.parametrize(
    ("state", "is_paid"),
    [(MembershipState.ENDED, True), (MembershipState.TERMINATED, True), (MembershipState.BANNED, False)],
)
def test_the_last_payment_of_who_has_left_needs_no_minimum(state: str, is_paid: bool) -> None:
    house = a_house("ANA10", "BEN10")
    small = house.member("SMALL", at=MARCH_1)
    give_account(small, at=APRIL_3, iban=IBANS[2])
    house.sale("s-small", "100.00", "SMALL", datetime(2026, 4, 1, 12, tzinfo=UTC))  # 8.00
    house.rate(MAY_5)
    close_months(house.program, APRIL, at=MAY_5)
    Membership.objects.filter(pk=small.pk).update(state=state, ended_at=MAY_5)
    run = run_of(house, at=MAY_5)
    assert run.payments.filter(membership=small).exists() == is_paid


def test_a_pause_stops_the_payment_and_says_why() -> None:
    house = a_house("ANA10", "BEN10")
    pauses.pause_payments(
        house.members["ANA10"],
        cause="risk",
        reason="Several orders from one address.",
        review_on=date(2026, 4, 20),
        by=fiona(),
        at=APRIL_7,
    )
    left_out = run_of(house).exceptions.get()
    assert (left_out.reason, left_out.detail) == (LeftOut.PAUSED, "Several orders from one address.")


def test_a_pause_after_the_run_was_prepared_stops_approval_and_export() -> None:
    house = a_house("ANA10", "BEN10")
    run = pay_runs.approve(looked_at(run_of(house), at=APRIL_7), by=felix(), at=APRIL_7)
    pauses.pause_payments(
        house.members["ANA10"],
        cause="risk",
        reason="Several orders from one address.",
        review_on=date(2026, 4, 20),
        by=fiona(),
        at=APRIL_7,
    )
    with pytest.raises(pay_runs.PausedSince, match="Partner ANA10"):
        pay_runs.export(run, by=fiona(), at=APRIL_7)
    run = pay_runs.leave_out(
        run.payments.get(membership=house.members["ANA10"]), reason="Paused.", by=fiona(), at=APRIL_7
    )
    run = pay_runs.approve(looked_at(run, at=APRIL_7), by=felix(), at=APRIL_7)
    pay_runs.export(run, by=fiona(), at=APRIL_7)
    assert ledger.balance(ledger.partner_account(house.members["ANA10"], AccountKind.PAYABLE)).minor == 80_00


@pytest.mark.parametrize("state", [MembershipState.SUSPENDED, MembershipState.BANNED])
def test_who_is_suspended_after_the_run_was_prepared_stops_approval_and_export(state: str) -> None:
    house = a_house("ANA10", "BEN10")
    ana10 = house.members["ANA10"]
    run = looked_at(run_of(house), at=APRIL_7)
    Membership.objects.filter(pk=ana10.pk).update(state=state)
    with pytest.raises(pay_runs.PausedSince, match="Partner ANA10"):
        pay_runs.approve(run, by=felix(), at=APRIL_7)
    Membership.objects.filter(pk=ana10.pk).update(state=MembershipState.ACTIVE)
    run = pay_runs.approve(run, by=felix(), at=APRIL_7)
    Membership.objects.filter(pk=ana10.pk).update(state=state)
    with pytest.raises(pay_runs.PausedSince, match="Partner ANA10"):
        pay_runs.export(run, by=fiona(), at=APRIL_7)
    assert ledger.balance(ledger.partner_account(ana10, AccountKind.PAYABLE)).minor == 80_00


def test_who_needs_a_tax_form_is_paid_with_one_that_is_valid_on_the_day() -> None:
    house = a_house("NONE", "OLD", "GOOD")
    for code in house.members:
        TaxProfileFactory.create(partner=house.members[code].partner, needs_form=True, starts_at=MARCH_1)
    TaxFormFactory.create(partner=house.members["OLD"].partner, expires_on=date(2026, 4, 7))
    TaxFormFactory.create(partner=house.members["GOOD"].partner, expires_on=date(2026, 4, 8))
    run = prepared(house.program.legal_entity, at=APRIL_7, execute_on=date(2026, 4, 8))
    assert [payment.membership for payment in run.payments.all()] == [house.members["GOOD"]]
    assert set(run.exceptions.values_list("reason", flat=True)) == {LeftOut.NO_TAX_FORM}


# Checks


def test_a_first_payment_is_shown_until_one_has_arrived() -> None:
    house = a_house("ANA10")
    Partner.objects.update(street="Orchard Lane", town="Leicester")
    run = exported(house.program.legal_entity, at=APRIL_7)
    assert kinds(run) == [("new_payee", "Partner ANA10")]
    pay_runs.settle(run, by=fiona(), at=APRIL_7)
    house.sale("s2", "1000.00", "ANA10", APRIL_3)
    house.rate(MAY_5)
    close_months(house.program, APRIL, at=MAY_5)
    assert kinds(run_of(house, at=MAY_5)) == []


def test_what_is_unusual_is_shown_with_its_figures() -> None:
    house = a_house("ANA10")
    run = exported(house.program.legal_entity, at=APRIL_7)
    pay_runs.settle(run, by=fiona(), at=APRIL_7)
    give_account(house.members["ANA10"], at=MAY_5, iban=IBANS[1])
    house.sale("s2", "3000.13", "ANA10", APRIL_3)  # 240.01: more than three times 80.00
    house.rate(MAY_5)
    close_months(house.program, APRIL, at=MAY_5)
    found = {check.kind: check.facts for check in run_of(house, at=MAY_5).checks.order_by("pk")}
    assert set(found) == {"changed_account", "unusual_amount", "missing_data", "total_changed"}
    assert (found["changed_account"]["before"], found["changed_account"]["now"]) == ("5555", "6819")
    assert found["unusual_amount"] == {"amount_minor": 240_01, "sum_minor": 80_00, "payments": 1}
    assert found["missing_data"] == {"missing": ["address"]}
    assert found["total_changed"] == {
        "total_minor": 240_01,
        "last_minor": 80_00,
        "last_run": run.message_id,
    }


def test_three_times_the_usual_is_not_yet_unusual() -> None:
    house = a_house("ANA10")
    pay_runs.settle(exported(house.program.legal_entity, at=APRIL_7), by=fiona(), at=APRIL_7)
    house.sale("s2", "3000.00", "ANA10", APRIL_3)
    house.rate(MAY_5)
    close_months(house.program, APRIL, at=MAY_5)
    assert CheckKind.UNUSUAL_AMOUNT not in dict(kinds(run_of(house, at=MAY_5)))


def test_a_shared_account_a_debt_and_a_missing_number_are_shown() -> None:
    house = a_house("ANA10", "BEN10")
    house.member("MINUS", at=MARCH_1)
    house.refund("r1", "100.00", "MINUS", APRIL_3)
    house.rate(MAY_5)
    close_months(house.program, APRIL, at=MAY_5)
    Partner.objects.update(street="Orchard Lane", town="Leicester")
    mine, other = PaymentMethod.objects.order_by("pk")
    AccountSignalFactory.create(method=mine, other=other)
    TaxProfileFactory.create(
        partner=house.members["BEN10"].partner,
        vat_mode="reverse_charge",
        vat_rate=Decimal(0),
        vat_number="",
        starts_at=MARCH_1,
    )
    run = run_of(house, at=MAY_5)
    assert kinds(run) == [
        ("missing_data", "Partner BEN10"),
        ("negative", "Partner MINUS"),
        ("new_payee", "Partner ANA10"),
        ("new_payee", "Partner BEN10"),
        ("shared_account", "Partner ANA10"),
        ("shared_account", "Partner BEN10"),
    ]
    shared = run.checks.get(kind="shared_account", membership=house.members["ANA10"])
    assert shared.facts == {"partners": ["Partner BEN10"]}
    assert run.checks.get(kind="negative").facts == {"amount_minor": -8_00}


def test_an_approval_waits_until_every_check_is_acknowledged_with_a_note() -> None:
    run = run_of(a_house("ANA10"))
    with pytest.raises(pay_runs.NotLookedAt, match="2 checks"):
        pay_runs.approve(run, by=felix(), at=APRIL_7)
    first, second = run.checks.order_by("pk")
    with pytest.raises(pay_runs.NoteMissing):
        pay_runs.acknowledge(first, note="  ", by=fiona(), at=APRIL_7)
    with pytest.raises(Forbidden):
        pay_runs.acknowledge(first, note="Called them.", by=mats(), at=APRIL_7)
    pay_runs.acknowledge(first, note="Called them.", by=fiona(), at=APRIL_7)
    pay_runs.acknowledge(first, note="Somebody else.", by=felix(), at=MAY_5)
    first.refresh_from_db()
    assert (first.note, first.acknowledged_by) == ("Called them.", fiona())
    with pytest.raises(pay_runs.NotLookedAt, match="1 checks"):
        pay_runs.approve(run, by=felix(), at=APRIL_7)
    pay_runs.acknowledge_kind(run, second.kind, note="Asked for it.", by=fiona(), at=APRIL_7)
    assert pay_runs.approve(run, by=felix(), at=APRIL_7).state == PayRunState.APPROVED
    with pytest.raises(pay_runs.NotInState):
        pay_runs.acknowledge(second, note="Late.", by=fiona(), at=APRIL_7)


# Leaving out


def test_leaving_a_payment_out_voids_the_approval_and_binds_the_next_to_what_is_left() -> None:
    house = a_house("ANA10", "BEN10")
    run = pay_runs.approve(looked_at(run_of(house), at=APRIL_7), by=felix(), at=APRIL_7)
    before, payment = run.sha256, run.payments.get(membership=house.members["BEN10"])
    run = pay_runs.leave_out(payment, reason="Under review.", by=fiona(), at=APRIL_7)
    assert (run.state, run.approved_at, run.approved_by) == (PayRunState.CHECKED, None, None)
    assert (run.total_minor, run.payment_count) == (80_00, 1)
    assert run.sha256 != before
    assert run.sha256 == common.content_hash(run, common.payments_of(run))
    held = run.exceptions.get()
    assert (held.reason, held.amount_minor, held.detail) == (LeftOut.HELD_BACK, 80_00, "Under review.")
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert {name for _kind, name in kinds(run)} == {"Partner ANA10"}
    exported_run = pay_runs.approve(looked_at(run, at=APRIL_7), by=felix(), at=APRIL_7)
    pay_runs.export(exported_run, by=fiona(), at=APRIL_7)
    assert [each.state for each in exported_run.payments.order_by("pk")] == ["sent", "cancelled"]
    again = run_of(house, at=MAY_5)
    assert [each.membership for each in again.payments.all()] == [house.members["BEN10"]]


def test_leaving_out_is_refused_without_a_reason_for_the_last_payment_and_after_the_export() -> None:
    house = a_house("ANA10", "BEN10")
    run = run_of(house)
    first, second = run.payments.order_by("pk")
    with pytest.raises(pay_runs.ReasonMissing):
        pay_runs.leave_out(first, reason=" ", by=fiona(), at=APRIL_7)
    with pytest.raises(Forbidden):
        pay_runs.leave_out(first, reason="x", by=mats(), at=APRIL_7)
    pay_runs.leave_out(first, reason="Under review.", by=fiona(), at=APRIL_7)
    with pytest.raises(pay_runs.NotInTheRun):
        pay_runs.leave_out(first, reason="Again.", by=fiona(), at=APRIL_7)
    with pytest.raises(pay_runs.OnlyPayment):
        pay_runs.leave_out(second, reason="Too.", by=fiona(), at=APRIL_7)
    run.refresh_from_db()
    assert (run.state, run.payment_count) == (PayRunState.CHECKED, 1)
    run = pay_runs.approve(looked_at(run, at=APRIL_7), by=felix(), at=APRIL_7)
    pay_runs.export(run, by=fiona(), at=APRIL_7)
    with pytest.raises(pay_runs.NotInState):
        pay_runs.leave_out(second, reason="Late.", by=fiona(), at=APRIL_7)


# Opening and computing


def test_a_draft_is_stored_when_it_is_opened_and_there_is_one_at_a_time() -> None:
    entity = a_house("ANA10").program.legal_entity
    run = pay_runs.open(entity, currency="GBP", execute_on=date(2026, 4, 8), by=fiona(), at=APRIL_7)
    assert (run.state, run.payment_count, run.sha256) == (PayRunState.DRAFT, 0, "")
    with pytest.raises(pay_runs.OneAtATime, match=run.message_id):
        pay_runs.open(entity, currency="GBP", execute_on=date(2026, 4, 8), by=felix(), at=APRIL_7)
    with pytest.raises(pay_runs.NotInState):
        pay_runs.approve(run, by=felix(), at=APRIL_7)
    pay_runs.cancel(run, by=fiona(), at=APRIL_7)
    assert pay_runs.open(entity, currency="GBP", execute_on=date(2026, 4, 8), by=felix(), at=APRIL_7) != run


def test_a_computation_that_was_interrupted_goes_on_to_the_same_set(monkeypatch: pytest.MonkeyPatch) -> None:
    house = a_house("ANA10", "BEN10", "CY10")
    PaymentMethod.objects.filter(partner=house.members["ANA10"].partner).update(usable_at=MAY_5)
    entity = house.program.legal_entity
    run = pay_runs.open(entity, currency="GBP", execute_on=date(2026, 4, 8), by=fiona(), at=APRIL_7)
    # The package has a verb of the module's name.
    monkeypatch.setattr(sys.modules["payouts.pay_runs.compute"], "BATCH", 1)

    def stop(done: int, total: int) -> None:
        assert total == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pay_runs.compute(run, by=fiona(), at=APRIL_7, progress=stop)
    run.refresh_from_db()
    assert (run.state, run.payments.count(), run.exceptions.count()) == (PayRunState.DRAFT, 1, 1)
    first = run.payments.get().end_to_end_id
    done = pay_runs.compute(run, by=fiona(), at=APRIL_7)
    assert (done.state, done.total_minor, done.exceptions.count()) == (PayRunState.CHECKED, 160_00, 1)
    assert done.payments.order_by("pk").first().end_to_end_id == first  # type: ignore[union-attr]
    assert pay_runs.compute(run, by=felix(), at=MAY_5).prepared_by == fiona()
    assert Payment.objects.count() == 2


def test_a_run_of_many_takes_as_many_queries_as_one_of_few() -> None:
    few, many = _queries(3), _queries(30)
    assert few == many


def _queries(count: int) -> int:
    entity = LegalEntityFactory.create(iban="GB94BARC10201530093459")
    a_house(*(f"M{count}X{number}" for number in range(count)), entity=entity)
    run = pay_runs.open(entity, currency="GBP", execute_on=date(2026, 4, 8), by=fiona(), at=APRIL_7)
    with CaptureQueriesContext(connection) as asked:
        pay_runs.compute(run, by=fiona(), at=APRIL_7)
    return len(asked)


def test_the_hash_covers_tax_rate_kind_and_details() -> None:
    run = run_of(a_house("ANA10"))
    [payment] = common.payments_of(run)
    hashes = {run.sha256}
    for name, value in (
        ("withheld_minor", 1),
        ("sent_minor", 1),
        ("sent_currency", "EUR"),
        ("kind", "wise"),
        ("details", '{"email": "a@example.com"}'),
        ("fx_rate", FxRateFactory.build()),
    ):
        before = getattr(payment, name)
        setattr(payment, name, value)
        hashes.add(common.content_hash(run, [payment]))
        setattr(payment, name, before)
    assert len(hashes) == 7
    assert common.content_hash(run, [payment]) == run.sha256


def test_the_run_before_is_the_last_one_that_was_approved() -> None:
    house = a_house("ANA10")
    first = exported(house.program.legal_entity, at=APRIL_7)
    house.sale("s2", "1000.00", "ANA10", APRIL_3)
    house.rate(MAY_5)
    close_months(house.program, APRIL, at=MAY_5)
    second = run_of(house, at=MAY_5)
    pay_runs.cancel(second, by=fiona(), at=MAY_5)
    third = run_of(house, at=MAY_5 + timedelta(hours=1))
    assert checks.last_run(third) == first
    assert Statement.objects.count() == 2
    assert not PayRunCheck.objects.filter(kind="total_changed").exists()
    assert Money(third.total_minor, "GBP") == Money(first.total_minor, "GBP")
