"""Why a rule paid nothing, for every reason the engine gives, and nothing of what was agreed with somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from payouts.explained import reasons
from payouts.explained.rows import rows_of
from tests.tiers.engine.facts import STANDARD, percent, plan, rule, sale
from tiers.engine import prepare
from tiers.engine.facts import Group
from tiers.engine.facts import Test as Condition


def tried(code: str, wanted: Sequence[str] = (), found: str = "") -> dict[str, Any]:
    why = {"code": code, "wanted": list(wanted), "found": found}
    return {"rule": {"key": "club", "name": "Club"}, "why": why}


@pytest.mark.parametrize(
    ("code", "wanted", "found", "reason"),
    [
        ("earlier_rule_applied", (), "base", "another rule came first."),
        ("no_amount", (), "signup", "the event has no amount."),
        ("other_event_kind", ("renewal", "sale"), "refund", "it is for Renewal, Sale; this was Refund."),
        ("other_tier", ("gold", "silver"), "bronze", "it is for the tiers gold, silver."),
        ("other_country", ("FRANCE",), "SPAIN", "it is for customers in FRANCE."),
        ("other_country", ("FR", "ES"), "GB", "it is for customers in France, Spain."),
        (
            "condition",
            ("country", "in", "FR, ES"),
            "DE",
            "only if: Customer country is one of France, Spain; this was Germany.",
        ),
        ("other_role", ("assisted",), "sourced", "it is for helping with somebody else's sale."),
        ("other_role", (), "assisted", "it is not for helping with a sale."),
        ("other_level", ("recruiter",), "seller", "it is for sales of partners you recruited."),
        ("other_level", ("seller",), "recruiter", "it is for your own sales."),
        ("month_model", (), "sale", "it is paid at the end of a month, not for an order."),
        (
            "condition",
            ("product", "in", "A1, B2"),
            "C3",
            "only if: Product is one of A1, B2; this was C3.",
        ),
        ("condition", ("quantity", ">=", "3"), "", "only if: Quantity is at least 3; nothing was given."),
        (
            "no_condition",
            ("code = ANA", "country = FR"),
            "",
            "none of its conditions is met: code = ANA, country = FR.",
        ),
        ("recurring_over", (), "c", "it no longer pays for this customer."),
        ("below_first_step", (), "", "its first step has not been reached."),
        ("beyond_levels", (), "", "it does not reach that many levels."),
        ("unknown_customer", (), "", "it needs a known customer."),
        ("outside_clawback", (), "", "the refund came too late after the sale."),
        ("excluded_product", (), "POST", "the program pays nothing for POST."),
        ("excluded_category", (), "Fees", "the program pays nothing for Fees."),
        ("a_new_reason", (), "", "a new reason."),
    ],
)
def test_every_reason_is_a_sentence(code: str, wanted: tuple[str, ...], found: str, reason: str) -> None:
    assert reasons.not_applied(tried(code, wanted, found)) == f"“Club”: {reason}"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("lines", ""),
        ("no_rule_applies", "No rule covers it."),
        ("nothing_due", "The rules that cover it come to nothing."),
        ("over_cap", "A limit has been reached."),
        ("outside_clawback", "It came too late after the sale to take anything back."),
        ("excluded_product", "The program pays nothing for this product."),
        ("excluded_category", "The program pays nothing for this category."),
        ("something_else", "Something else"),
    ],
)
def test_every_outcome_is_a_sentence(code: str, text: str) -> None:
    assert reasons.outcome(code) == text


def test_what_was_agreed_with_somebody_else_is_not_named() -> None:
    mine = Group("all", (Condition("partner", "=", ("mem_other",)),))
    deal = rule("percent", key="deal", name="Deal of Studio Prado", conditions=mine)
    gold = percent("0.2", key="gold", name="Gold", position=2, tiers=frozenset({"gold"}))
    [line] = prepare(plan(deal, gold, percent("0.1", position=3)))(sale("100.00"), STANDARD)
    assert [each["rule"]["name"] for each in line.because["checked_not_applied"]] == [
        "Deal of Studio Prado",
        "Gold",
    ]
    others = rows_of(line.because, ZoneInfo("Europe/London"))[-1]
    assert (others.label, others.note) == ("Other rules checked", "“Gold”: it is for the tiers gold.")


@pytest.mark.parametrize(
    "changes",
    [
        {"event_kinds": frozenset({"renewal"})},  # does not even come to ask for the partner
        {"tiers": frozenset({"gold"})},
        {
            "conditions": Group(
                "any", (Condition("partner", "=", ("mem_other",)), Condition("deal", "=", ("D-7",)))
            )
        },
        {"conditions": Group("all", (Condition("product", "=", ("A1",)), Condition("deal", "=", ("D-7",))))},
    ],
)
def test_what_was_agreed_with_somebody_else_is_not_named_whatever_kept_it_from_applying(
    changes: dict[str, Any],
) -> None:
    mine = Group("all", (Condition("partner", "=", ("mem_other",)),))
    deal = rule("percent", **{"key": "deal", "name": "Deal of Studio Prado", "conditions": mine, **changes})
    [line] = prepare(plan(deal, percent("0.1", position=3)))(sale("100.00"), STANDARD)
    assert [each["rule"]["name"] for each in line.because["checked_not_applied"]] == ["Deal of Studio Prado"]
    rows = rows_of(line.because, ZoneInfo("Europe/London"))
    assert "Other rules checked" not in [row.label for row in rows]


@pytest.mark.parametrize(
    ("code", "wanted", "partner", "staff"),
    [
        (
            "condition",
            ("tag", "in", "gold list"),
            "its condition on tags is not met.",
            "only if: Partner tag is one of gold list; this was vip, watch.",
        ),
        (
            "no_condition",
            ("product = A1", "country = FR and tag in gold list"),
            "none of its conditions is met.",
            "none of its conditions is met: product = A1, country = FR and tag in gold list.",
        ),
    ],
)
def test_tags_are_told_to_staff_only(code: str, wanted: tuple[str, ...], partner: str, staff: str) -> None:
    found = "vip, watch" if code == "condition" else ""
    assert reasons.not_applied(tried(code, wanted, found)) == f"“Club”: {partner}"
    assert reasons.not_applied(tried(code, wanted, found), for_staff=True) == f"“Club”: {staff}"


def test_the_rows_of_a_line_keep_the_tags_of_a_partner_to_staff() -> None:
    asks = Group("all", (Condition("tag", "=", ("gold list",)),))
    club = percent("0.2", key="club", name="Club", conditions=asks)
    noted = replace(STANDARD, tags=frozenset({"watch"}))
    [line] = prepare(plan(club, percent("0.1", position=3)))(sale("100.00"), noted)
    for for_staff in (False, True):
        others = rows_of(line.because, ZoneInfo("Europe/London"), for_staff=for_staff)[-1]
        assert others.label == "Other rules checked"
        assert ("watch" in others.note, "gold list" in others.note) == (for_staff, for_staff)
