"""The accrual pack: its sums are the trial balance's, its ages are worked by hand, claw-backs are exact shares, and a past month stays as
it was."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from payouts import accrual_pack, adjustments, release
from payouts.accrual_pack import BUCKETS, NotBegun, Pack, xlsx
from payouts.accrual_pack.reading import left_by_age
from payouts.models import AccountCode
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.desk import at_desk, words
from tests.factories.payouts import close_months
from tests.house import House, open_house
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db

MARCH = Month(2026, 3)
APRIL_1 = datetime(2026, 4, 1, 12, tzinfo=UTC)


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    """10 %, 14 days of hold; two partners. Commission: January 100.00, less 10.00 in February; February 200.00; March 100.00."""
    made = open_house(percent="10")
    made.member("ANA")
    made.member("BEN")
    made.sale("jan", "1000.00", "ANA", on(1, 10))
    made.refund("back", "100.00", "ANA", on(2, 20), of="jan")
    made.sale("feb", "2000.00", "BEN", on(2, 10))
    made.sale("mar", "1000.00", "ANA", on(3, 25))
    made.rate(on(3, 25))
    release.release_due(at=on(3, 31))
    return made


def pack(house: House, month: Month = MARCH, *, at: datetime = APRIL_1) -> Pack:
    return accrual_pack.make(house.program.legal_entity, month, at=at)


def figures(found: Pack) -> dict[str, dict[str, int]]:
    return {row.kind: {"total": row.total_minor, **row.minor} for row in found.totals}


def summed_in_sql(month: Month) -> dict[tuple[str, str], int]:
    """Add up credits less debits of all months up to one, in SQL that shares nothing with the product."""
    sql = """
        SELECT kind, currency, SUM(minor) FROM (
            SELECT a.kind, e.currency, e.amount_minor AS minor, p.year, p.month
              FROM payouts_entry e JOIN payouts_account a ON a.id = e.credit_id
              JOIN payouts_transaction t ON t.id = e.transaction_id JOIN payouts_period p ON p.id = t.period_id
            UNION ALL
            SELECT a.kind, e.currency, -e.amount_minor, p.year, p.month
              FROM payouts_entry e JOIN payouts_account a ON a.id = e.debit_id
              JOIN payouts_transaction t ON t.id = e.transaction_id JOIN payouts_period p ON p.id = t.period_id
        ) AS sides WHERE year * 12 + month <= %s GROUP BY kind, currency
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [month.year * 12 + month.month])
        return {(kind, currency): int(minor) for kind, currency, minor in cursor.fetchall()}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_sum_is_the_trial_balance_of_that_month(house: House, number: int) -> None:
    month = Month(2026, number)
    found = pack(house, month)
    told = summed_in_sql(month)
    assert told and found.trial == dict(sorted(told.items()))
    partner_kinds = {"pending", "payable", "in_payment"}
    assert {(row.kind, row.currency): row.total_minor for row in found.totals} == {
        key: minor for key, minor in told.items() if key[0] in partner_kinds
    }
    assert sum(told.values()) == 0


def test_balances_stand_under_the_age_of_what_is_left_of_them(house: House) -> None:
    # Released: 100.00 of January on 24 January (66 days before 31 March), 200.00 of February on 24 February (35 days), and
    # the refund's 10.00 on 6 March, which is set against January's. On hold: 100.00 since 25 March (6 days).
    assert figures(pack(house)) == {
        "pending": {"total": 100_00, "over_90": 0, "61_90": 0, "31_60": 0, "0_30": 100_00},
        "payable": {"total": 290_00, "over_90": 0, "61_90": 90_00, "31_60": 200_00, "0_30": 0},
    }


@pytest.mark.parametrize(
    ("came", "went", "left"),
    [
        ({"over_90": 5, "0_30": 7}, {"0_30": 6}, (0, 0, 0, 6)),  # the oldest is used first
        ({"over_90": 5, "61_90": 5}, {"over_90": 5}, (0, 5, 0, 0)),
        (
            {"0_30": 5},
            {"over_90": 2, "0_30": 5},
            (0, 0, 0, -2),
        ),  # more went than came: a debt, of its own age
        ({"over_90": 3}, {"31_60": 10}, (0, 0, -7, 0)),
        ({"31_60": 4}, {"0_30": 4}, (0, 0, 0, 0)),
    ],
)
def test_what_went_is_set_against_the_oldest(
    came: dict[str, int], went: dict[str, int], left: tuple[int, ...]
) -> None:
    assert tuple(left_by_age(came, went)[bucket] for bucket in BUCKETS) == left
    assert sum(left) == sum(came.values()) - sum(went.values())


@pytest.mark.parametrize(
    ("day", "bucket"),
    [(1, "0_30"), (28, "31_60")],  # 1 March is 30 days before 31 March, 28 February 31 days
)
def test_an_age_turns_with_the_local_day(day: int, bucket: str) -> None:
    made = open_house(percent="10", hold_days=0)
    made.member("ANA")
    made.sale("s", "100.00", "ANA", on(3 if day == 1 else 2, day))
    made.rate(on(3, 2))
    release.release_due(at=on(3, 3))
    [row] = [row for row in pack(made).totals if row.total_minor]
    # A release takes effect when the hold is over, which here is the sale itself.
    assert row.kind == "payable" and row.minor[bucket] == 10_00


def test_a_past_month_gives_the_same_figures_when_more_has_happened(house: House) -> None:
    before = accrual_pack.as_json(pack(house, Month(2026, 2)))
    close_months(house.program, Month(2026, 1), Month(2026, 2), at=APRIL_1)
    house.refund("late", "50.00", "BEN", on(2, 27), of="feb")
    house.rate(APRIL_1)
    after = accrual_pack.as_json(pack(house, Month(2026, 2), at=on(6, 1)))
    assert after["is_final"] and not before["is_final"]
    changing = {"is_final", "programs"}
    assert {k: v for k, v in before.items() if k not in changing} == {
        k: v for k, v in after.items() if k not in changing
    }
    assert before["programs"][0]["balances"] == after["programs"][0]["balances"]
    assert before["programs"][0]["expected_claw_backs"] == after["programs"][0]["expected_claw_backs"]


def test_what_partners_owe_is_told_beside_what_is_owed_to_them(house: House) -> None:
    house.program.second_person_above_minor = 1_000_00
    house.program.save()
    member = house.members["BEN"]
    adjustments.propose(
        member,
        kind="adjustment",
        amount=Money(-250_00, "GBP"),
        reason="duplicate",
        note="Paid twice.",
        by=fiona(),
        at=on(3, 30),
    )
    [payable] = [row for row in pack(house).totals if row.kind == "payable"]
    # Ana 90.00, Ben 200.00 less 250.00.
    assert (payable.total_minor, payable.owed_to_us_minor, payable.accounts) == (40_00, -50_00, 2)


def test_expected_claw_backs_are_exact_shares_of_what_was_earned(house: House) -> None:
    [each] = pack(house).programs
    [found] = each.expected
    # Age 0: nothing of 400.00. Age 1: 10.00 of the 300.00 that are at least a month old. Age 2: nothing of January's 100.00.
    assert [share.share for share in found.shares] == [Fraction(0), Fraction(10, 300), Fraction(0)]
    # March has ages 1 and 2 to come: 100.00 x 1/30 = 3.33. February only age 2, January none.
    assert [(str(c.month), c.earned_minor, c.share, c.expected_minor) for c in found.cohorts] == [
        ("2026-01", 100_00, Fraction(0), 0),
        ("2026-02", 200_00, Fraction(0), 0),
        ("2026-03", 100_00, Fraction(1, 30), 3_33),
    ]
    assert (found.expected_minor, found.sample_lines) == (3_33, 3)
    assert (found.sample_earned.minor, found.sample_taken.minor) == (400_00, 10_00)


def test_refunds_that_name_no_sale_are_told_and_lead_to_nothing(house: House) -> None:
    house.refund("unnamed", "50.00", "BEN", on(3, 27))
    house.rate(on(3, 27))
    [found] = pack(house).programs[0].expected
    assert (found.unnamed_minor, found.sample_taken.minor, found.expected_minor) == (5_00, 10_00, 3_33)


def test_without_history_nothing_is_expected_and_it_says_so(house: House) -> None:
    [each] = pack(house, Month(2026, 1)).programs
    assert (each.expected, each.without_history) == ((), ("GBP",))


def test_the_journal_balances_and_uses_the_operator_s_own_codes(house: House) -> None:
    entity = house.program.legal_entity
    AccountCode.objects.create(legal_entity=entity, account_kind="expense", code="6222", name="Commissions")
    AccountCode.objects.create(legal_entity=entity, account_kind="payable", code="4671")
    rows = [(row.code, row.debit, row.credit) for row in pack(house).journal]

    def pounds(minor: int) -> Money:
        return Money(minor, "GBP")

    assert rows == [
        ("6222", pounds(390_00), None),
        ("pending", None, pounds(100_00)),
        ("4671", None, pounds(290_00)),
        ("pending", pounds(3_33), None),
        ("6222", None, pounds(3_33)),
    ]
    assert sum(row[1].minor for row in rows if row[1]) == sum(row[2].minor for row in rows if row[2])


def test_programs_in_two_currencies_are_never_added_up(house: House) -> None:
    yen = open_house(
        percent="10", currency="JPY", slug="japan", zone="Asia/Tokyo", entity=house.program.legal_entity
    )
    yen.member("CHO")
    yen.sale("y", "12345", "CHO", on(3, 20))
    yen.rate(on(3, 20))
    found = pack(house)
    totals = {(row.kind, row.currency): row.total_minor for row in found.totals}
    # 10 % of 12,345 yen is 1,234.5, rounded away from zero.
    assert totals == {("pending", "GBP"): 100_00, ("payable", "GBP"): 290_00, ("pending", "JPY"): 1235}
    sides: dict[str, int] = {}
    for row in found.journal:
        sides[row.currency] = sides.get(row.currency, 0) + (row.debit or -row.credit).minor  # type: ignore[operator]
    assert sides == {"GBP": 0, "JPY": 0}
    only = accrual_pack.make(yen.program.legal_entity, MARCH, at=APRIL_1, programs=[yen.program])
    assert {row.currency for row in only.totals} == {"JPY"} and {key[1] for key in only.trial} == {"JPY"}


def test_a_month_that_has_not_begun_is_refused(house: House) -> None:
    with pytest.raises(NotBegun):
        pack(house, Month(2026, 5), at=APRIL_1)


def test_the_workbook_holds_the_figures_as_numbers_and_is_the_same_every_time(house: House) -> None:
    house.program.name = "=HYPERLINK(1)"
    house.program.save()
    content = xlsx.render(pack(house))
    assert content == xlsx.render(pack(house))
    book = openpyxl.load_workbook(io.BytesIO(content))
    balances, _claw_backs, journal, trial = book.worksheets
    [payable] = [
        row for row in balances.iter_rows(values_only=True) if row[:2] == ("=HYPERLINK(1)", "Ready to pay")
    ]
    assert payable[2:] == ("GBP", 0, 200, 90, 0, 290, 0, 2)
    assert {cell.data_type for row in balances.iter_rows() for cell in row} <= {"s", "n"}  # no formula
    assert next(row[3:5] for row in journal.iter_rows(min_row=4, values_only=True)) == (390, None)
    credits_less_debits: list[Any] = [row[2] for row in trial.iter_rows(min_row=2, values_only=True)]
    assert sum(credits_less_debits) == 0


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("accrual_pack", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_figures_and_writes_the_workbook(house: House, tmp_path: Path) -> None:
    target = tmp_path / "pack.xlsx"
    told = json.loads(run("2026-03", "--entity", "HG", "--json", "--output", str(target)))
    assert target.read_bytes() == xlsx.render(pack(house))
    balances = {row["account"]: row["balance"] for row in told["programs"][0]["balances"]}
    assert balances == {"pending": "100.00", "payable": "290.00"}
    assert told["programs"][0]["expected_claw_backs"][0]["shares"][1]["share"] == "1/30"
    assert "290.00 GBP" in run("2026-03", "--program", "affiliates")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("March", "--entity", "HG"), 2),
        (("2026-03", "--entity", "XX"), 2),
        (("2026-03", "--program", "none"), 2),
        (("2099-01",), 1),
        (("2026-03", "--output", "/nowhere/pack.xlsx"), 1),
    ],
)
def test_the_command_says_what_is_wrong(house: House, arguments: tuple[str, ...], code: int) -> None:
    with pytest.raises(CommandError) as refusal:
        run(*arguments)
    assert refusal.value.returncode == code


PAGE = "admin:payouts_accrual_pack"


def asked(**more: str) -> dict[str, Any]:
    return {"entity": "HG", "program": "", "month": "2026-03", **more}


def test_the_page_shows_the_figures_and_sends_the_workbook(house: House) -> None:
    desk = at_desk(fiona())
    page = desk.get(reverse(PAGE), asked())
    said = words(page)
    assert page.status_code == 200
    for figure in ("£290.00", "£90.00", "£100.00", "£3.33", "The month is open."):
        assert figure in said
    assert page.content.decode().count('<svg class="chart') == 2  # wide and narrow
    file = desk.get(reverse(PAGE), asked(xlsx="1"))
    assert file.content == xlsx.render(pack(house, at=timezone.now()))
    assert AuditEvent.objects.filter(action="accrual_pack.taken").count() == 1


def test_the_page_without_a_question_shows_the_latest_month(house: House) -> None:
    assert "March 2026" in words(at_desk(fiona()).get(reverse(PAGE)))


@pytest.mark.parametrize("wrong", [{"month": "2031-01"}, {"entity": "XX"}, {"program": "other"}])
def test_what_the_page_does_not_know_is_an_error_at_its_field(house: House, wrong: dict[str, str]) -> None:
    page = at_desk(fiona()).get(reverse(PAGE), asked(**wrong))
    assert page.status_code == 422 and set(page.context["form"].errors) == set(wrong)


def test_account_managers_do_not_see_the_pack(house: House) -> None:
    assert at_desk(mats()).get(reverse(PAGE)).status_code == 403
