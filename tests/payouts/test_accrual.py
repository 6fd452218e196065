"""Commission is computed once per credit, at the plan in force when the event happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partners import recruiting
from partners.models import Membership
from payouts import accrual, ledger, reconcile
from payouts.accrual.happenings import Happening, Teller
from payouts.choices import AccountKind, CommissionKind, CommissionState
from payouts.models import Commission, Entry, Transaction
from prm.lib.money import LARGEST_MINOR, Money
from referrals import conversions
from referrals.models import Credit
from tests.house import START, House, open_house
from tests.people import ada
from tiers import publishing
from tiers.engine.facts import Event
from tiers.models import Plan, Rule

pytestmark = pytest.mark.django_db

MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10")
    return house


def test_a_sale_earns_the_plan_s_percentage_rounded_half_away_from_zero(house: House) -> None:
    house.sale("s1", "139.12", "ANA10", MARCH_2)  # 8 % = 11.1296
    house.sale("s2", "0.06", "ANA10", MARCH_2)  # 8 % = 0.0048: nothing to pay
    house.sale("s3", "15.56", "ANA10", MARCH_2)  # 8 % = 1.2448
    house.rate(LATER)
    assert [house.amounts(name) for name in ("s1", "s2", "s3")] == [[1113], [], [124]]


@pytest.mark.parametrize(
    ("percent", "amount", "pence"),
    [
        ("8", "0.56", 4),  # 0.0448
        ("8", "0.57", 5),  # 0.0456
        ("2.5", "0.20", 1),  # 0.005 exactly: away from zero
        ("2.5", "0.60", 2),  # 0.015 exactly: away from zero, where half-even says 0.02 as well
        ("2.5", "1.00", 3),  # 0.025 exactly: half-even would say 0.02
    ],
)
def test_half_a_penny_goes_up_and_down_for_refunds(percent: str, amount: str, pence: int) -> None:
    house = open_house(percent=percent)
    house.member("ANA10")
    house.sale("s", amount, "ANA10", MARCH_2)
    house.refund("r", amount, "ANA10", MARCH_2)
    house.rate(LATER)
    assert (house.amounts("s"), house.amounts("r")) == ([pence], [-pence])


def test_percent_and_flat_add_up_and_a_refund_leaves_the_flat_part() -> None:
    house = open_house(percent="5", flat_minor=200)
    house.member("IVY")
    house.sale("s", "100.00", "IVY", MARCH_2)
    house.refund("r", "40.00", "IVY", MARCH_2 + timedelta(days=1))
    house.rate(LATER)
    assert house.amounts("s") == [700]  # 5.00 + 2.00
    assert house.amounts("r") == [-200]  # 5 % of 40.00


def test_every_line_says_why(house: House) -> None:
    house.sale("s", "139.12", "ANA10", MARCH_2)
    house.rate(LATER)
    line = Commission.objects.get()
    assert line.because["base"] == 13912
    assert line.because["rate"] == "0.08"
    assert line.because["rule"]["name"] == "Every order"
    assert sum(part["amount_minor"] for part in line.because["parts"]) == line.amount_minor == 1113
    assert (line.state, line.kind) == (CommissionState.ON_HOLD, CommissionKind.EARNED)
    # 14 local days after 2 March, at midnight in London
    assert line.payable_at == datetime(2026, 3, 16, tzinfo=UTC)


def test_rating_twice_books_once(house: House) -> None:
    outcome = house.sale("s", "100.00", "ANA10", MARCH_2)
    assert outcome.conversion_id is not None
    first = accrual.accrue([outcome.conversion_id], at=LATER)
    second = accrual.accrue([outcome.conversion_id], at=LATER)
    assert (first.lines, second.lines) == (1, 0)
    assert house.rate(LATER).rated == 0
    assert Commission.objects.count() == Transaction.objects.count() == Entry.objects.count() == 1


def test_the_ledger_carries_gains_and_losses_on_hold(house: House) -> None:
    house.sale("s", "100.00", "ANA10", MARCH_2)
    house.refund("r", "25.00", "ANA10", MARCH_2 + timedelta(hours=1))
    house.rate(LATER)
    pending = ledger.partner_account(house.members["ANA10"], AccountKind.PENDING)
    assert ledger.balance(pending) == Money(600, "GBP")  # 8.00 - 2.00
    assert sorted(Entry.objects.values_list("amount_minor", flat=True)) == [200, 800]
    assert sum(total.minor for total in ledger.trial_balance().values()) == 0


def test_the_version_in_force_on_the_day_rates_the_event_however_late_it_comes(house: House) -> None:
    plan = Plan.objects.get()
    version = publishing.draft_from(plan, by=ada(), at=LATER)
    version.rules.update(rate=10)
    publishing.publish(version, effective_at=datetime(2026, 3, 10, tzinfo=UTC), by=ada(), at=MARCH_2)
    house.sale("before", "100.00", "ANA10", datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC))
    house.sale("after", "100.00", "ANA10", datetime(2026, 3, 10, tzinfo=UTC))
    house.rate(LATER)
    assert (house.amounts("before"), house.amounts("after")) == ([800], [1000])
    versions = Commission.objects.order_by("pk").values_list("plan_version__number", flat=True)
    assert list(versions) == [1, 2]


def test_an_event_no_rule_covers_earns_nothing_and_is_kept(house: House) -> None:
    house.member("EARLY", at=datetime(2025, 12, 1, tzinfo=UTC))
    house.sale(
        "early", "100.00", "EARLY", datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    )  # before the first version
    done = house.rate(LATER)
    assert (done.rated, done.lines, done.uncovered) == (1, 0, 1)
    assert Credit.objects.get().rated_at == LATER


def test_a_refund_in_parts_of_a_named_sale_takes_back_exactly_what_was_earned(house: House) -> None:
    # 8 % of 9.99 is 0.7992, so 0.80. Thirds of 3.33: 80/3 = 26.67 -> 27, 53.33 -> 53 - 27 = 26, 80 - 53 = 27.
    house.sale("s", "9.99", "ANA10", MARCH_2)
    for number in range(3):
        house.refund(f"r{number}", "3.33", "", MARCH_2 + timedelta(days=1, hours=number), of="s")
    house.rate(LATER)
    assert house.amounts("s") == [80]
    assert [house.amounts(f"r{number}")[0] for number in range(3)] == [-27, -26, -27]


def test_a_refund_that_comes_before_its_sale_ends_in_the_same_books(house: House) -> None:
    house.refund("r", "50.00", "", MARCH_2 + timedelta(days=2), of="s")
    house.rate(LATER)
    assert Commission.objects.count() == 0
    house.sale("s", "200.00", "ANA10", MARCH_2)
    house.rate(LATER)
    assert (house.amounts("s"), house.amounts("r")) == ([1600], [-400])
    reversal = Commission.objects.get(kind=CommissionKind.REVERSAL)
    assert reversal.reverses == Commission.objects.get(kind=CommissionKind.EARNED)
    assert reversal.payable_at == datetime(2026, 3, 16, tzinfo=UTC)  # waits with the sale it reverses


def test_a_refund_after_the_hold_counts_at_once(house: House) -> None:
    house.sale("s", "200.00", "ANA10", MARCH_2)
    refunded_at = datetime(2026, 4, 7, 9, tzinfo=UTC)
    house.refund("r", "200.00", "", refunded_at, of="s")
    house.rate(refunded_at)
    assert Commission.objects.get(kind=CommissionKind.REVERSAL).payable_at == refunded_at
    assert sum(Commission.objects.values_list("amount_minor", flat=True)) == 0


def test_the_refund_of_a_sale_at_another_rate_uses_the_ratio_of_the_sale(house: House) -> None:
    house.sale("s", "100.00", "ANA10", MARCH_2)
    house.rate(MARCH_2)
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=LATER)
    version.rules.update(rate=50)
    publishing.publish(version, effective_at=MARCH_2 + timedelta(days=1), by=ada(), at=MARCH_2)
    house.refund("r", "50.00", "", MARCH_2 + timedelta(days=5), of="s")
    house.rate(LATER)
    assert house.amounts("r") == [-400]


def test_the_database_refuses_to_change_or_delete_a_line(house: House) -> None:
    house.sale("s", "100.00", "ANA10", MARCH_2)
    house.rate(LATER)
    for change in ({"amount_minor": 900}, {"because": {}}):
        with pytest.raises(IntegrityError, match="corrected by another line"), transaction.atomic():
            Commission.objects.update(**change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Commission.objects.all().delete()
    assert house.amounts("s") == [800]


def test_the_database_refuses_the_same_rule_twice_on_one_credit(house: House) -> None:
    house.sale("s", "100.00", "ANA10", MARCH_2)
    house.rate(LATER)
    line = Commission.objects.get()
    line.pk, line.public_id = None, "com_copy"
    line._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():  # payouts_commission_once_per_credit_and_rule
        line.save()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("payouts_commission_state", {"state": "vanished"}),
        ("payouts_commission_on_statement_has_one", {"state": "paid"}),
        ("payouts_commission_payable_was_released", {"state": "payable"}),
    ],
)
def test_the_database_refuses_a_state_that_skips_a_step(
    house: House, name: str, change: dict[str, str]
) -> None:
    house.sale("s", "100.00", "ANA10", MARCH_2)
    house.rate(LATER)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Commission.objects.update(**change)
    assert Commission.objects.get().state == CommissionState.ON_HOLD


def test_the_refund_of_a_sale_over_nothing_takes_nothing_back_and_holds_nobody_up() -> None:
    house = open_house(flat_minor=500)
    house.member("ANA10")
    house.sale("free", "0.00", "ANA10", MARCH_2)  # 5.00 flat
    house.refund("back", "0.00", "ANA10", MARCH_2, of="free")
    house.sale("other", "100.00", "ANA10", MARCH_2)  # 8.00 + 5.00
    house.rate(LATER)
    assert (house.amounts("free"), house.amounts("back"), house.amounts("other")) == ([500], [], [1300])
    assert not Credit.objects.unrated().exists()


def test_an_event_that_cannot_be_computed_holds_up_nobody_else(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("good", "bad", "fine"):
        house.sale(name, "100.00", "ANA10", MARCH_2)
    real = Teller.event

    def faulty(teller: Teller, happening: Happening, **told: Any) -> Event:
        if happening.key == "bad":
            raise ValueError("not computable")
        return real(teller, happening, **told)

    monkeypatch.setattr(Teller, "event", faulty)
    done = house.rate(LATER)
    assert (done.rated, done.failed) == (2, 1)
    assert [house.amounts(name) for name in ("good", "bad", "fine")] == [[800], [], [800]]
    assert "cannot be rated" in caplog.text
    monkeypatch.undo()
    house.rate(LATER)
    assert house.amounts("bad") == [800]


def test_an_amount_too_large_for_the_books_holds_up_nobody_else(house: House) -> None:
    version = publishing.draft_from(Plan.objects.get(program=house.program), by=ada(), at=MARCH_2)
    version.rules.update(kind="per_unit", rate=0, flat_minor=LARGEST_MINOR)
    publishing.publish(version, effective_at=MARCH_2, by=ada(), at=MARCH_2)
    for name, quantity in (("large", 1_000_000), ("fine", 1)):
        event = house.event(name, "100.00", "ANA10", MARCH_2)
        conversions.record(replace(event, quantity=quantity), at=MARCH_2)
    done = house.rate(LATER)
    assert (done.rated, done.failed) == (1, 1)
    assert [house.amounts(name) for name in ("large", "fine")] == [[], [LARGEST_MINOR]]


def test_overrides_are_paid_from_the_moment_a_recruiter_is_named_and_go_back_with_a_refund(
    house: House,
) -> None:
    house.member("TOP10")
    add_override(house, levels=["10", "5"])
    recruit, top = house.members["ANA10"], house.members["TOP10"]
    recruiting.name_recruiter(recruit, top, by=ada(), at=MARCH_2)
    house.sale("before", "100.00", "ANA10", MARCH_2 - timedelta(microseconds=1))
    house.sale("then", "100.00", "ANA10", MARCH_2)
    house.sale("after", "50.00", "ANA10", MARCH_2 + timedelta(days=1))
    house.rate(LATER)
    assert earned(top) == {"then": [80], "after": [40]}  # 10 % of 8.00 and of 4.00
    assert earned(recruit) == {"before": [800], "then": [800], "after": [400]}
    house.refund("back", "25.00", "", LATER, of="then")
    house.refund("all", "100.00", "", LATER, of="before")
    house.rate(LATER)
    assert earned(top) == {"then": [80], "after": [40], "back": [-20]}
    assert all(reconcile.difference(member, at=LATER) == [] for member in (recruit, top))


def test_each_link_of_a_chain_counts_from_its_own_moment(house: House) -> None:
    house.member("MID10")
    house.member("TOP10")
    add_override(house, levels=["10", "5"])
    low, mid, top = (house.members[code] for code in ("ANA10", "MID10", "TOP10"))
    recruiting.name_recruiter(low, mid, by=ada(), at=MARCH_2)
    recruiting.name_recruiter(mid, top, by=ada(), at=MARCH_2 + timedelta(days=1))
    house.sale("one", "100.00", "ANA10", MARCH_2)
    house.sale("two", "100.00", "ANA10", MARCH_2 + timedelta(days=1))
    house.rate(LATER)
    assert earned(mid) == {"one": [80], "two": [80]}
    assert earned(top) == {"two": [40]}


def add_override(house: House, *, levels: list[str]) -> None:
    """Pay recruiters a share of their recruits' commission, since shortly after the program began."""
    began = START + timedelta(hours=1)
    version = publishing.draft_from(Plan.objects.get(program=house.program), by=ada(), at=began)
    params = {"levels": levels, "override_of": "commission"}
    Rule.objects.create(
        version=version, key="up", name="Up", kind="override", rate=0, position=2, params=params
    )
    publishing.publish(version, effective_at=began, by=ada(), at=began)


def earned(member: Membership) -> dict[str, list[int]]:
    """Return the pence of a membership's lines by event."""
    found: dict[str, list[int]] = {}
    rows = Commission.objects.filter(membership=member).order_by("pk")
    for name, minor in rows.values_list("conversion__external_id", "amount_minor"):
        found.setdefault(name, []).append(minor)
    return found
