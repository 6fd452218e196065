"""A month becomes a frozen, numbered statement whose bridge meets the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from partners.models import Membership
from payouts import ledger, numbers, periods, statement_facts, statements
from payouts.calendar import month_of
from payouts.choices import AccountKind, CommissionState, StatementState, TransactionKind
from payouts.models import Commission, NumberSeries, Statement, StatementLine
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.payouts import close_months
from tests.house import House, open_house
from tests.people import ana, fiona

pytestmark = pytest.mark.django_db

MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_20 = datetime(2026, 3, 20, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=datetime(2026, 3, 1, tzinfo=UTC))
    return house


def closed(house: House, code: str, month: Month, at: datetime) -> Statement:
    [statement] = [
        each for each in close_months(house.program, month, at=at) if each.membership == house.members[code]
    ]
    return statement


def bridge_of(statement: Statement) -> tuple[int, ...]:
    return (
        statement.opening_minor,
        statement.earned_minor,
        statement.reversed_minor,
        statement.adjusted_minor,
        statement.paid_minor,
        statement.closing_minor,
    )


def test_a_statement_lists_what_became_ready_to_pay_in_its_month(house: House) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)  # 80.00, ready on 16 March
    house.sale("s2", "500.00", "ANA10", MARCH_20)  # 40.00, ready on 3 April
    house.refund("r1", "139.12", "ANA10", MARCH_2)  # 8 % of 139.12 is 11.1296
    house.rate(APRIL_3)
    march = closed(house, "ANA10", MARCH, APRIL_3)
    assert bridge_of(march) == (0, 80_00, -11_13, 0, 0, 68_87)
    assert [
        (line.position, line.order_id, line.amount_minor) for line in march.lines.order_by("position")
    ] == [
        (1, "s1", 80_00),
        (2, "r1", -11_13),
    ]
    assert march.state == StatementState.ISSUED
    assert march.due_on == date(2026, 4, 14)
    on_it = Commission.objects.filter(statement=march).values_list("state", flat=True)
    assert set(on_it) == {CommissionState.ON_STATEMENT}


def test_the_next_statement_opens_with_the_last_closing_balance_and_marks_lines_of_an_earlier_month(
    house: House,
) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.sale("s2", "500.00", "ANA10", MARCH_20)
    house.rate(APRIL_3)
    closed(house, "ANA10", MARCH, APRIL_3)
    april = closed(house, "ANA10", APRIL, MAY_4)
    assert bridge_of(april) == (80_00, 40_00, 0, 0, 0, 120_00)
    assert [line.from_earlier_period for line in april.lines.all()] == [True]


def test_an_unpaid_statement_is_carried_over_when_the_next_one_takes_its_balance(house: House) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    march = closed(house, "ANA10", MARCH, APRIL_3)
    assert march.state == StatementState.ISSUED
    closed(house, "ANA10", APRIL, MAY_4)
    march.refresh_from_db()
    assert march.state == StatementState.CARRIED_OVER


def test_a_month_without_anything_gets_a_statement_too_and_nobody_a_mail(house: House) -> None:
    march = closed(house, "ANA10", MARCH, APRIL_3)
    assert bridge_of(march) == (0, 0, 0, 0, 0, 0)
    assert march.state == StatementState.CARRIED_OVER
    assert march.due_on is None
    assert not OutgoingMail.objects.filter(kind="statement_ready").exists()


@pytest.mark.parametrize(
    ("sale", "state"),
    [
        ("624.87", StatementState.CARRIED_OVER),  # 8 % = 49.9896, so 49.99
        ("625.00", StatementState.ISSUED),  # 8 % = 50.00: the minimum itself is paid
    ],
)
def test_a_balance_below_the_minimum_is_carried_over(house: House, sale: str, state: str) -> None:
    house.sale("s1", sale, "ANA10", MARCH_2)
    house.rate(APRIL_3)
    assert closed(house, "ANA10", MARCH, APRIL_3).state == state


def test_a_negative_balance_is_carried_over(house: House) -> None:
    house.refund("r1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    march = closed(house, "ANA10", MARCH, APRIL_3)
    assert (march.closing_minor, march.state) == (-80_00, StatementState.CARRIED_OVER)


def test_an_adjustment_is_a_term_of_the_bridge(house: House) -> None:
    membership = house.members["ANA10"]
    payable = ledger.partner_account(membership, AccountKind.PAYABLE)
    expense = ledger.program_account(house.program, AccountKind.EXPENSE)
    ledger.post(
        key="adjustment:1",
        kind=TransactionKind.ADJUSTMENT,
        period=month_of(house.program, MARCH),
        effective_at=MARCH_2,
        at=MARCH_2,
        moves=[ledger.Move(debit=expense, credit=payable, amount=Money(7_50, "GBP"))],
    )
    assert bridge_of(closed(house, "ANA10", MARCH, APRIL_3)) == (0, 0, 0, 7_50, 0, 7_50)


def test_numbers_run_without_gaps_per_entity_and_year_of_issue(house: House) -> None:
    house.member("BEN10", at=MARCH_2)
    issued = [*close_months(house.program, MARCH, at=APRIL_3), *close_months(house.program, APRIL, at=MAY_4)]
    numbers = [f"HG-2026-{place:05d}" for place in range(1, 5)]
    assert [statement.number for statement in issued] == numbers
    assert NumberSeries.objects.get().last == 4


def test_a_number_drawn_in_a_transaction_that_fails_is_drawn_again(house: House) -> None:
    class Interrupted(Exception):
        pass

    with pytest.raises(Interrupted), transaction.atomic():
        assert numbers.draw(house.program.legal_entity, series="statement", year=2026) == 1
        raise Interrupted
    assert numbers.draw(house.program.legal_entity, series="statement", year=2026) == 1


def test_issuing_twice_answers_with_the_first_statement(house: House) -> None:
    first = closed(house, "ANA10", MARCH, APRIL_3)
    again = statements.issue(house.members["ANA10"], period=first.period, at=MAY_4)
    assert again == first
    assert Statement.objects.count() == 1


def test_a_bridge_that_misses_the_ledger_is_not_issued(house: House) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    period = month_of(house.program, MARCH)
    membership = house.members["ANA10"]
    _release_without_its_line(membership, period)
    with pytest.raises(statements.DisagreesWithLedger):
        statements.issue(membership, period=period, at=APRIL_3)
    assert not Statement.objects.exists()
    assert not NumberSeries.objects.filter(last__gt=0).exists()


def _release_without_its_line(membership: Membership, period: object) -> None:
    ledger.post(
        key="release:wrong",
        kind=TransactionKind.RELEASE,
        period=period,  # type: ignore[arg-type]
        effective_at=MARCH_20,
        at=MARCH_20,
        moves=[
            ledger.Move(
                debit=ledger.partner_account(membership, AccountKind.PENDING),
                credit=ledger.partner_account(membership, AccountKind.PAYABLE),
                amount=Money(80_00, "GBP"),
            )
        ],
    )


def test_the_hash_tells_whether_a_statement_still_says_what_was_issued(house: House) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    march = closed(house, "ANA10", MARCH, APRIL_3)
    march.refresh_from_db()
    assert statement_facts.is_unchanged(march)
    march.facts["partner"]["name"] = "Somebody else"
    assert not statement_facts.is_unchanged(march)


def test_facts_freeze_the_parties_the_tier_and_the_minimum(house: House) -> None:
    facts = closed(house, "ANA10", MARCH, APRIL_3).facts
    assert facts["issuer"] == {
        "name": "Halden Giftware Ltd",
        "street": "Orchard Lane 14",
        "place": "LE1 5XY Leicester",
        "country": "GB",
        "vat_number": "",
        "email": "",
    }
    assert facts["partner"]["name"] == "Partner ANA10"
    assert (facts["tier"], facts["minimum_minor"], facts["period"]) == (house.tier.name, 50_00, "2026-03")


@pytest.mark.parametrize(
    "change",
    [{"closing_minor": 1}, {"earned_minor": 1}, {"facts": {}}, {"number": "HG-2026-99999"}, {"due_on": None}],
)
def test_the_database_refuses_to_change_an_issued_statement(house: House, change: dict[str, object]) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    march = closed(house, "ANA10", MARCH, APRIL_3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Statement.objects.filter(pk=march.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Statement.objects.filter(pk=march.pk)._raw_delete(Statement.objects.db)
    march.refresh_from_db()
    assert march.closing_minor == 80_00


def test_the_database_refuses_to_change_add_or_remove_lines(house: House) -> None:
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.sale("s2", "500.00", "ANA10", MARCH_20)
    house.rate(APRIL_3)
    march = closed(house, "ANA10", MARCH, APRIL_3)
    other = Commission.objects.get(conversion__external_id="s2")
    with pytest.raises(IntegrityError), transaction.atomic():
        march.lines.update(amount_minor=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        march.lines.all()._raw_delete(StatementLine.objects.db)
    with pytest.raises(IntegrityError, match="no more lines"), transaction.atomic():
        march.lines.create(
            position=2,
            commission=other,
            occurred_at=MARCH_20,
            order_id="s2",
            kind="earned",
            base_minor=1,
            rate=8,
            amount_minor=40_00,
        )
    assert march.lines.count() == 1


def test_the_database_refuses_a_bridge_that_does_not_add_up(house: House) -> None:
    march = closed(house, "ANA10", MARCH, APRIL_3)
    copy = Statement.objects.get(pk=march.pk)
    copy.pk, copy.public_id, copy.sequence, copy.number = None, "stm_x", 99, "X"
    copy.period, copy.closing_minor = month_of(house.program, APRIL), 1
    with pytest.raises(IntegrityError, match="bridge_adds_up"), transaction.atomic():
        copy.save(force_insert=True)


def test_owners_hear_of_a_new_statement_once_and_in_its_figures() -> None:
    house = open_house()
    house.member("ANA10", at=datetime(2026, 3, 1, tzinfo=UTC), owner=ana())
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    closed(house, "ANA10", MARCH, APRIL_3)
    mail = OutgoingMail.objects.get(kind="statement_ready")
    assert mail.to == ana().email
    assert mail.subject == "Your March 2026 statement: £80.00"
    assert "It will be paid on 14 Apr 2026." in mail.text


def test_history_brought_in_late_tells_nobody() -> None:
    house = open_house()
    house.member("ANA10", at=datetime(2026, 3, 1, tzinfo=UTC), owner=ana())
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    closed(house, "ANA10", MARCH, MARCH_2 + timedelta(days=400))
    assert not OutgoingMail.objects.filter(kind="statement_ready").exists()


def test_closing_again_changes_nothing(house: House) -> None:
    closed(house, "ANA10", MARCH, APRIL_3)
    period = periods.close(house.program, MARCH, by=fiona(), at=MAY_4)
    assert period.closed_at == APRIL_3
    assert Statement.objects.count() == 1
