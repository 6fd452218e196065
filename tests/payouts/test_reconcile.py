"""What should be booked against what is: late events, corrections and everything a window remembers. Figures are worked by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from payouts import ledger, reconcile, reconciliation, tasks, tasks_reconcile
from payouts.choices import AccountKind
from payouts.models import Commission
from prm.audit.models import AuditEvent
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.runs.models import Run
from referrals import conversions
from referrals.attribution.correct import Share, correct
from referrals.models import Conversion, Credit
from tests.house import House, open_house
from tests.people import ada
from tiers import publishing
from tiers.models import Plan, Rule

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 7, 20, 12, tzinfo=UTC)
MONTHLY = {"kind": "month", "months": 1}
# 5 % up to 1,000.00, 8 % of what lies above, 10 % above 5,000.00
STEPS = [{"from": 0, "rate": "5"}, {"from": 100_000, "rate": "8"}, {"from": 500_000, "rate": "10"}]


def house_with(rules: Sequence[dict[str, Any]], *members: str, combine: str = "first_match") -> House:
    """A house in which these rules have always been in force."""
    house = open_house()
    version = publishing.draft_from(Plan.objects.get(program=house.program), by=ada(), at=BEGAN)
    version.rules.all().delete()
    version.combine = combine
    version.save()
    for position, rule in enumerate(rules, start=1):
        facts = {"name": rule["key"].title(), "rate": 0, "position": position, **rule}
        Rule.objects.create(version=version, **facts)
    publishing.publish(version, effective_at=BEGAN, by=ada(), at=BEGAN)
    for code in members or ("ANA",):
        house.member(code)
    return house


def graduated(**changes: Any) -> dict[str, Any]:
    return {
        "key": "steps",
        "kind": "graduated",
        "params": {"metric": "revenue", "window": MONTHLY, "steps": STEPS},
        **changes,
    }


def day(number: int) -> datetime:
    return MARCH_2 + timedelta(days=number)


def total(house: House, code: str = "ANA") -> int:
    lines = Commission.objects.filter(membership=house.members[code])
    return int(lines.aggregate(total=Sum("amount_minor"))["total"] or 0)


def reconciled(house: House, code: str = "ANA", since: Month | None = None) -> list[tuple[str, int, str]]:
    done = reconcile.reconcile(house.members[code], since=since, at=LATER)
    return [(each.order, each.minor, each.cause) for each in done.differences]


def assert_in_order(house: House) -> None:
    """Reconciling posts nothing more, and the books agree with themselves."""
    lines = Commission.objects.count()
    for member in house.members.values():
        assert reconcile.difference(member, at=LATER) == []
        assert reconcile.reconcile(member, at=LATER).posted == 0
    assert Commission.objects.count() == lines
    assert reconciliation.check() == []


def test_lines_of_a_graduated_rule_add_up_to_what_the_window_is_owed() -> None:
    house = house_with([graduated()])
    house.sale("s1", "800.00", "ANA", day(0))  # 5 % = 40.00
    house.rate(LATER)
    house.sale("s2", "400.00", "ANA", day(1))  # 200 at 5 %, 200 at 8 % = 26.00
    house.sale("s3", "5000.00", "ANA", day(2))  # 3,800 at 8 %, 1,200 at 10 % = 424.00
    house.rate(LATER)
    assert [house.amounts(name) for name in ("s1", "s2", "s3")] == [[4000], [2600], [42400]]
    assert_in_order(house)


def test_each_month_is_a_window_of_its_own_in_the_program_s_zone() -> None:
    house = house_with([graduated()])
    house.sale("march", "1000.00", "ANA", datetime(2026, 3, 31, 22, 59, tzinfo=UTC))
    house.sale("april", "100.00", "ANA", datetime(2026, 3, 31, 23, 0, tzinfo=UTC))  # midnight in London
    house.rate(LATER)
    windows = Commission.objects.order_by("pk").values_list("window", "volume", "amount_minor")
    assert list(windows) == [("2026-03", 100_000, 5000), ("2026-04", 10_000, 500)]


def test_a_late_sale_of_an_unordered_rule_is_a_line_at_the_end_of_its_window() -> None:
    house = house_with([graduated()])
    house.sale("s1", "900.00", "ANA", day(5))  # 45.00
    house.rate(LATER)
    house.sale("late", "300.00", "ANA", day(1))  # 100 at 5 %, 200 at 8 % = 21.00
    house.rate(LATER)
    assert (house.amounts("s1"), house.amounts("late")) == ([4500], [2100])
    assert_in_order(house)


def test_a_refund_counts_back_in_the_window_of_its_sale() -> None:
    house = house_with([graduated()])
    house.sale("s1", "1000.00", "ANA", day(0))  # 50.00
    house.sale("s2", "500.00", "ANA", day(1))  # 8 % = 40.00
    house.refund("r", "1000.00", "", day(40), of="s1")  # leaves 500.00 = 25.00 in March
    house.rate(LATER)
    assert house.amounts("s1") == [5000]
    assert sum(house.amounts("r")) == -6500  # 90.00 booked, 25.00 owed
    assert Commission.objects.filter(window="2026-03").aggregate(v=Sum("volume"))["v"] == 50_000
    assert_in_order(house)


def test_a_volume_rate_trues_the_window_up_when_a_step_is_reached() -> None:
    house = house_with([graduated(kind="volume")])
    house.sale("s1", "800.00", "ANA", day(0))  # 5 % = 40.00
    house.sale("s2", "400.00", "ANA", day(1))  # 8 % of 400 = 32.00, and 3 % of 800 = 24.00 more
    house.rate(LATER)
    assert (house.amounts("s1"), house.amounts("s2")) == ([4000], [3200, 2400])
    kinds = Commission.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["earned", "earned", "true_up"]
    assert_in_order(house)


def prospective() -> dict[str, Any]:
    return {
        "key": "ahead",
        "kind": "prospective",
        "params": {"metric": "revenue", "window": MONTHLY, "steps": STEPS},
    }


def test_a_late_sale_changes_what_later_ones_earned_under_a_rate_that_looks_back() -> None:
    house = house_with([prospective()])
    house.sale("s1", "600.00", "ANA", day(2))  # nothing before: 5 % = 30.00
    house.sale("s2", "200.00", "ANA", day(4))  # 600 before: 5 % = 10.00
    house.rate(LATER)
    house.sale("late", "500.00", "ANA", day(1))
    house.rate(LATER)
    # In order: late 5 % = 25.00, s1 with 500 before 5 %, s2 with 1,100 before 8 % = 16.00
    assert (house.amounts("late"), house.amounts("s1")) == ([2500], [3000])
    assert house.amounts("s2") == [1000, 600]
    correction = Commission.objects.get(kind="true_up")
    assert correction.because["cause"] == {"code": "late_event", "order": "late"}
    assert correction.conversion is not None
    assert correction.conversion.external_id == "s2"
    assert correction.because["parts"][0]["params"] == {"owed_minor": 1600, "booked_minor": 1000}
    assert_in_order(house)


def test_what_a_rate_looks_back_on_is_the_same_in_one_batch_and_in_many() -> None:
    one = house_with([prospective()])
    events = [
        ("a", "700.00", 0),
        ("b", "400.00", 1),
        ("c", "100.00", 2),
        ("d", "4500.00", 3),
        ("e", "10.00", 4),
    ]
    for name, amount, number in events:
        one.sale(name, amount, "ANA", day(number))
    one.refund("r", "700.00", "", day(5), of="a")
    one.sale("f", "100.00", "ANA", day(6))
    one.rate(LATER)
    # 35.00; 700 before: 20.00; 1,100: 8.00; 1,200: 360.00; 5,700: 1.00; 5,710 - 700 = 5,010: 10.00
    expected = [[3500], [2000], [800], [36000], [100], [-3500], [1000]]
    assert [one.amounts(name) for name in "abcderf"] == expected
    assert_in_order(one)


def test_the_same_events_one_by_one_earn_the_same() -> None:
    house = house_with([prospective()])
    for name, amount, number in [
        ("a", "700.00", 0),
        ("b", "400.00", 1),
        ("c", "100.00", 2),
        ("d", "4500.00", 3),
    ]:
        house.sale(name, amount, "ANA", day(number))
        house.rate(LATER)
    house.refund("r", "700.00", "", day(5), of="a")
    house.rate(LATER)
    house.sale("f", "1000.00", "ANA", day(6))  # 5,700 - 700 = 5,000 before: 10 %
    house.rate(LATER)
    assert [house.amounts(name) for name in "abcdrf"] == [[3500], [2000], [800], [36000], [-3500], [10000]]
    assert_in_order(house)


NEW = {"attribute": "customer_type", "operator": "=", "values": ["new"]}


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "flat", "flat_minor": 1000, "conditions": {"join": "all", "tests": [NEW]}},
        {
            "kind": "graduated",
            "params": {"metric": "new_customers", "window": MONTHLY, "steps": [{"from": 0, "flat": 1000}]},
        },
    ],
)
def test_a_first_sale_that_comes_late_makes_a_customer_new_once(rule: dict[str, Any]) -> None:
    house = house_with([{"key": "new", **rule}])
    house.sale("s2", "100.00", "ANA", day(5))
    house.rate(LATER)
    assert total(house) == 1000
    house.sale("s1", "100.00", "ANA", day(1))
    house.rate(LATER)
    assert total(house) == 1000
    assert_in_order(house)


def test_a_customer_s_months_count_from_the_first_payment_however_late_it_comes() -> None:
    rule = {
        "key": "year",
        "kind": "recurring",
        "rate": 20,
        "params": {"recurring": {"months": 2}},
    }
    house = house_with([rule])
    house.sale("second", "100.00", "ANA", day(30))
    house.sale("third", "100.00", "ANA", day(65))
    house.rate(LATER)
    # Taken for the first payment, 1 April begins the two months, and 6 May lies in them.
    assert (house.amounts("second"), house.amounts("third")) == ([2000], [2000])
    house.sale("first", "100.00", "ANA", day(0))  # 2 March: the two months end on 2 May
    house.rate(LATER)
    assert house.amounts("first") == [2000]
    assert house.amounts("third") == [2000, -2000]
    assert_in_order(house)


def test_payments_are_counted_over_batches() -> None:
    rule = {"key": "twice", "kind": "recurring", "rate": 10, "params": {"recurring": {"payments": 2}}}
    house = house_with([rule])
    for number in range(4):
        house.sale(f"p{number}", "50.00", "ANA", day(number))
        house.rate(LATER)
    assert [house.amounts(f"p{number}") for number in range(4)] == [[500], [500], [], []]
    assert_in_order(house)


def test_a_cap_holds_over_batches_and_a_refund_makes_room_again() -> None:
    limits = {"limits": {"window_max": 10_000, "window": MONTHLY}}
    house = house_with([{"key": "capped", "kind": "percent", "rate": 10, "params": limits}])
    house.sale("s1", "800.00", "ANA", day(0))
    house.rate(LATER)
    house.sale("s2", "800.00", "ANA", day(1))  # 80.00, of which 20.00 are left
    house.sale("s3", "100.00", "ANA", day(2))
    house.rate(LATER)
    assert [house.amounts(name) for name in ("s1", "s2", "s3")] == [[8000], [2000], [0]]
    house.refund("r", "400.00", "", day(3), of="s1")  # -40.00
    house.sale("s4", "1000.00", "ANA", day(4))  # 100.00, of which 40.00 are left
    house.rate(LATER)
    assert (house.amounts("r"), house.amounts("s4")) == ([-4000], [4000])
    assert total(house) == 10_000
    assert_in_order(house)


def test_a_customer_s_cap_holds_for_each_customer() -> None:
    limits = {"limits": {"customer_max": 1_500}}
    house = house_with([{"key": "capped", "kind": "percent", "rate": 10, "params": limits}])
    house.sale("s1", "100.00", "ANA", day(0))
    house.rate(LATER)
    house.sale("s2", "100.00", "ANA", day(1))
    house.rate(LATER)
    assert (house.amounts("s1"), house.amounts("s2")) == ([1000], [500])
    assert_in_order(house)


def test_a_budget_is_shared_by_all_partners() -> None:
    limits = {"limits": {"budget_max": 10_000, "budget_window": {"kind": "lifetime"}}}
    house = house_with([{"key": "pot", "kind": "percent", "rate": 10, "params": limits}], "ANA", "IVY")
    house.sale("a", "600.00", "ANA", day(0))
    house.rate(LATER)
    house.sale("i", "600.00", "IVY", day(1))
    house.rate(LATER)
    assert (house.amounts("a"), house.amounts("i")) == ([6000], [4000])
    assert_in_order(house)


def test_an_event_that_is_split_earns_each_partner_its_part_and_all_of_it_together() -> None:
    house = house_with([{"key": "ten", "kind": "percent", "rate": 10}], "ANA", "IVY")
    house.sale("s", "100.01", "ANA", day(0))
    conversion = Conversion.objects.get()
    shares = [Share(house.members["ANA"], Decimal("0.5")), Share(house.members["IVY"], Decimal("0.5"))]
    correct(conversion, credits=shares, by=ada(), reason="Both.", at=day(1))
    house.rate(LATER)
    # 10.001 is 10.00; of base and line the odd penny goes to the first.
    lines = Commission.objects.order_by("pk").values_list(
        "membership__codes__code", "amount_minor", "base_minor"
    )
    assert list(lines) == [("ANA", 500, 5001), ("IVY", 500, 5000)]
    assert_in_order(house)


def test_a_credit_that_was_corrected_takes_back_what_it_earned_and_the_right_partner_earns() -> None:
    house = house_with([graduated()], "ANA", "IVY")
    house.sale("s1", "1000.00", "ANA", day(0))
    house.sale("s2", "1000.00", "ANA", day(1))
    house.refund("r", "100.00", "", day(2), of="s1")
    house.rate(LATER)
    assert total(house) == 12_200  # 1,900: 50.00 + 8 % of 900
    s1 = Conversion.objects.get(external_id="s1")
    correct(s1, credits=[Share(house.members["IVY"], Decimal(1))], by=ada(), reason="Hers.", at=LATER)
    ids = list(Conversion.objects.values_list("pk", flat=True))
    done = reconcile.reconcile_superseded(ids, at=LATER)
    house.rate(LATER)
    assert [(each.cause, each.minor) for each in done.differences] == [("credit_corrected", -7200)]
    assert total(house) == 5_000  # s2 alone
    assert total(house, "IVY") == 4_500  # 900 at 5 %
    assert_in_order(house)


def test_a_corrected_credit_of_a_plain_rule_is_reversed_once() -> None:
    house = open_house()
    house.member("ANA"), house.member("IVY")
    house.sale("s", "200.00", "ANA", day(0))
    house.refund("r", "50.00", "", day(1), of="s")
    house.rate(LATER)
    sale = Conversion.objects.get(external_id="s")
    correct(sale, credits=[Share(house.members["IVY"], Decimal(1))], by=ada(), reason="Hers.", at=LATER)
    house.rate(LATER)
    assert reconciled(house) == [("s", -1200, "credit_corrected")]
    assert reconciled(house) == []
    assert (total(house), total(house, "IVY")) == (0, 1200)
    assert_in_order(house)


def test_a_rule_that_should_always_have_been_different_is_trued_up_with_both_figures() -> None:
    house = open_house()
    house.member("ANA")
    house.sale("s", "200.00", "ANA", day(0))
    house.rate(LATER)
    with suspended_triggers():  # nothing of ours rewrites a published rule: this is a fault
        Rule.objects.update(rate=10)
    assert [
        (each.desired_minor, each.posted_minor)
        for each in reconcile.difference(house.members["ANA"], at=LATER)
    ] == [(2000, 1600)]
    assert Commission.objects.count() == 1, "asking writes nothing"
    assert reconciled(house) == [("s", 400, "recomputed")]
    assert house.amounts("s") == [1600, 400]
    house.refund("r", "200.00", "", day(3), of="s")
    house.rate(LATER)
    assert total(house) == 0, "what was trued up goes back with the rest"
    assert_in_order(house)


def test_a_chargeback_that_is_won_gives_back_what_it_took() -> None:
    house = open_house()
    house.member("ANA")
    house.sale("s", "200.00", "ANA", day(0))
    event = house.event("c", "200.00", "", day(1), kind="chargeback", of="s")
    conversions.record(event, at=day(1))
    house.rate(LATER)
    assert total(house) == 0
    conversions.record(house.event("w", "200.00", "", day(2), kind="chargeback_won", of="s"), at=day(2))
    house.rate(LATER)
    assert (house.amounts("c"), house.amounts("w")) == ([-1600], [1600])
    assert_in_order(house)


def test_who_recruited_a_partner_earns_on_its_sales_level_by_level_and_gives_back_with_it() -> None:
    rules: list[dict[str, Any]] = [
        {"key": "ten", "kind": "percent", "rate": 10},
        {
            "key": "up",
            "kind": "override",
            "params": {"levels": ["20", "10"], "override_of": "commission"},
        },
    ]
    house = house_with(rules, "TOP", "MID", "ANA")
    for above, below in (("TOP", "MID"), ("MID", "ANA")):
        house.recruit(below, by=above)
    house.sale("s", "500.00", "ANA", day(0))  # ANA 50.00, MID 20 % of that, TOP 10 %
    house.rate(LATER)
    assert [total(house, code) for code in ("ANA", "MID", "TOP")] == [5000, 1000, 500]
    assert reconcile.difference(house.members["ANA"], at=LATER) == []
    house.refund("r", "100.00", "", day(1), of="s")
    house.rate(LATER)
    assert [total(house, code) for code in ("ANA", "MID", "TOP")] == [4000, 800, 400]
    pending = ledger.partner_account(house.members["MID"], AccountKind.PENDING)
    assert ledger.balance(pending) == Money(800, "GBP")
    assert_in_order(house)


def test_a_milestone_pays_once_over_batches_and_goes_back_below_its_threshold() -> None:
    rule = {
        "key": "ten",
        "kind": "milestone",
        "params": {"metric": "sales", "window": MONTHLY, "steps": [{"from": 2, "flat": 10_000}]},
    }
    house = house_with([rule])
    house.sale("s1", "10.00", "ANA", day(0))
    house.rate(LATER)
    house.sale("s2", "10.00", "ANA", day(1))
    house.sale("s3", "10.00", "ANA", day(2))
    house.rate(LATER)
    assert [house.amounts(name) for name in ("s1", "s2", "s3")] == [[0], [10_000], [0]]
    house.refund("r1", "10.00", "", day(3), of="s1")
    house.rate(LATER)
    assert total(house) == 10_000
    house.refund("r2", "10.00", "", day(4), of="s3")
    house.rate(LATER)
    assert total(house) == 0
    assert_in_order(house)


def test_what_is_reconciled_from_a_month_on_takes_the_months_before_as_booked() -> None:
    house = house_with([graduated()])
    house.sale("m", "1000.00", "ANA", day(0))
    house.sale("a", "1000.00", "ANA", day(31))
    house.rate(LATER)
    with suspended_triggers():
        Credit.objects.filter(conversion__external_id="m").update(share="0.500000")  # a fault in March
    assert reconciled(house, since=Month(2026, 4)) == []
    assert reconciled(house, since=Month(2026, 3)) == [("m", -2500, "recomputed")]
    assert reconciled(house) == []


def test_the_check_of_the_night_records_what_differs_and_repairs_nothing() -> None:
    house = open_house()
    house.member("ANA"), house.member("IVY")
    house.sale("s", "200.00", "ANA", day(0))
    house.sale("t", "200.00", "IVY", day(0))
    house.rate(LATER)
    with suspended_triggers():
        Credit.objects.filter(membership=house.members["ANA"]).update(share="0.500000")
    sample = reconcile.sample_of_the_night(LATER.date())
    found = list(reconcile.self_check(sample, at=LATER))
    assert [len(each) for each in found] == [1, 0]
    event = AuditEvent.objects.get(action="commission.differs")
    assert (event.details["desired_minor"], event.details["posted_minor"]) == (800, 1600)
    assert Commission.objects.count() == 2


def test_a_bounded_night_takes_its_turn_and_all_nights_together_take_everybody() -> None:
    house = open_house()
    for number in range(7):
        house.member(f"M{number}")
        house.sale(f"s{number}", "1.00", f"M{number}", day(0))
    nights = [reconcile.sample_of_the_night(LATER.date() + timedelta(days=n), most=3) for n in range(3)]
    assert all(len(night) <= 3 for night in nights)
    assert sorted(pk for night in nights for pk in night) == sorted(
        each.pk for each in house.members.values()
    )


def command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("reconcile", "--json", "--no-progress", *arguments, stdout=out, stderr=StringIO())
    return dict(json.loads(out.getvalue()))


def test_the_command_shows_and_then_posts_what_differs() -> None:
    house = open_house()
    house.member("ANA")
    house.sale("s", "200.00", "ANA", day(0))
    dry = command("--dry-run")
    assert (dry["differences"], Commission.objects.count()) == (0, 0), (
        "what waits to be rated is no difference"
    )
    first = command("--program", "affiliates")
    assert (first["rated"], first["differences"]) == (1, 0)
    with suspended_triggers():
        Rule.objects.update(rate=10)
    dry = command("--dry-run", "--membership", house.members["ANA"].public_id)
    assert (dry["differences"], dry["difference_minor"]) == (1, 400)
    assert Commission.objects.count() == 1
    assert command("--month", "2026-04")["differences"] == 0
    assert command("--month", "2026-03")["difference_minor"] == 400
    assert command()["differences"] == 0


@pytest.mark.parametrize(
    "arguments", [("--program", "none"), ("--membership", "mem_none"), ("--month", "March")]
)
def test_the_command_refuses_what_it_does_not_know(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("reconcile", *arguments)
    assert refused.value.returncode == 2


def test_the_task_of_the_night_keeps_a_report_and_of_a_correction_the_lines() -> None:
    house = open_house()
    house.member("ANA"), house.member("IVY")
    house.sale("s", "200.00", "ANA", day(0))
    house.rate(LATER)
    with suspended_triggers():
        Rule.objects.update(rate=10)
    tasks_reconcile.self_check()
    run = Run.objects.get(kind="payouts.self_check")
    assert (run.state, run.failed) == ("finished_with_errors", 1)
    assert (run.result["memberships"], run.result["difference_minor"]) == (1, 400)
    assert run.result["shown"][0]["cause"] == "recomputed"
    sale = Conversion.objects.get()
    now = timezone.now()
    correct(sale, credits=[Share(house.members["IVY"], Decimal(1))], by=ada(), reason="Hers.", at=now)
    tasks_reconcile.reconcile_corrected()
    assert total(house) == 0
    tasks_reconcile.reconcile(member_ids=[house.members["IVY"].pk])
    assert total(house, "IVY") == 2000


def test_a_bell_about_corrected_credits_takes_back_and_rates_in_one() -> None:
    house = open_house()
    house.member("ANA"), house.member("IVY")
    house.sale("s", "200.00", "ANA", day(0))
    house.rate(LATER)
    sale = Conversion.objects.get()
    correct(sale, credits=[Share(house.members["IVY"], Decimal(1))], by=ada(), reason="Hers.", at=day(1))
    tasks.accrue(conversion_ids=[sale.pk])
    assert (total(house), total(house, "IVY")) == (0, 1600)
    tasks.accrue(conversion_ids=[sale.pk])
    assert Commission.objects.count() == 3


def test_who_recruited_a_partner_earns_while_a_member_and_a_ring_of_recruiters_has_an_end() -> None:
    rules: list[dict[str, Any]] = [
        {"key": "ten", "kind": "percent", "rate": 10},
        {"key": "up", "kind": "override", "params": {"levels": ["10", "10", "10"], "override_of": "sales"}},
    ]
    house = house_with(rules, "ONE", "TWO", "ANA")
    for below, above in (("ANA", "TWO"), ("TWO", "ONE"), ("ONE", "ANA")):
        house.recruit(below, by=above)
    two = house.members["TWO"]
    two.ended_at = day(0)
    two.save(update_fields=["ended_at"])
    house.sale("s", "500.00", "ANA", day(1))
    house.rate(LATER)
    assert [total(house, code) for code in ("ANA", "TWO", "ONE")] == [5000, 0, 5000]
    assert_in_order(house)


def test_helping_earns_its_bonus_and_takes_nothing_from_who_brought_the_sale() -> None:
    rules: list[dict[str, Any]] = [
        {"key": "ten", "kind": "percent", "rate": 10},
        {"key": "help", "kind": "participation", "flat_minor": 700},
    ]
    house = house_with(rules, "ANA", "IVY")
    house.sale("s", "100.00", "ANA", day(0))
    shares = [
        Share(house.members["ANA"], Decimal(1)),
        Share(house.members["IVY"], Decimal(1), role="assisted"),
    ]
    correct(Conversion.objects.get(), credits=shares, by=ada(), reason="Helped.", at=day(0))
    house.rate(LATER)
    assert (total(house), total(house, "IVY")) == (1000, 700)
    assert_in_order(house)
