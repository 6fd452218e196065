"""A partner reads the rules that can concern it, and nothing that was agreed with others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tiers.engine.facts import percent, plan
from tiers import audience, sentences
from tiers.engine.facts import Group, Standing
from tiers.engine.facts import Test as Condition

ANA = Standing(
    "gold",
    "Gold",
    membership="mem_ana",
    partner_country="FR",
    partnership_type="agency",
    tags=frozenset({"vip"}),
)
DEAL = Condition("deal", "=", ("D-2026-ACME",))
MINE, OTHERS = Condition("partner", "=", ("mem_ana",)), Condition("partner", "=", ("mem_bo",))
PENS = Condition("product", "=", ("PEN",))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, True),
        ({"tiers": frozenset({"gold", "silver"})}, True),
        ({"tiers": frozenset({"silver"})}, False),
        ({"conditions": Group("all", (PENS,))}, True),  # some order can be for pens
        ({"conditions": Group("all", (PENS, MINE))}, True),
        ({"conditions": Group("all", (PENS, OTHERS))}, False),
        ({"conditions": Group("any", (PENS, OTHERS))}, True),
        ({"conditions": Group("any", (OTHERS, Condition("tag", "=", ("new",))))}, False),
        ({"conditions": Group("all", (Group("any", (MINE, OTHERS)), PENS))}, True),
        ({"conditions": Group("all", (Group("any", (OTHERS,)), PENS))}, False),
        ({"conditions": Group("all", (Condition("tier", "!=", ("gold",)),))}, False),
        ({"conditions": Group("all", (Condition("partner_country", "in", ("DE", "fr")),))}, True),
        ({"conditions": Group("all", (Condition("partnership_type", "=", ("affiliate",)),))}, False),
        ({"conditions": Group("all", (Condition("tag", "not_in", ("vip",)),))}, False),
        ({"conditions": Group("all", (DEAL,))}, False),
        ({"conditions": Group("any", (DEAL, PENS))}, True),
        ({"conditions": Group("all", (Condition("deal", "!=", ("D-2026-ACME",)),))}, True),
    ],
)
def test_a_rule_concerns_whom_it_can_pay(rule: dict[str, Any], expected: bool) -> None:
    assert audience.concerns(percent("0.08", **rule), ANA) is expected


def test_a_plan_is_told_without_what_was_agreed_with_others() -> None:
    whole = plan(
        percent("0.3", key="bo", conditions=Group("all", (OTHERS,))),
        percent("0.2", key="ana", conditions=Group("all", (MINE,))),
        percent("0.08", key="all"),
    )
    told = audience.told(whole, ANA, currency="GBP", locale="en_GB", names={"mem_ana": "Ana's Coffee"})
    text = " ".join(told)
    assert "30%" not in text and "mem_bo" not in text
    assert "20%" in text and "Ana's Coffee" in text and "8%" in text


def test_a_change_tells_what_goes_and_what_comes() -> None:
    words: dict[str, Any] = {"currency": "GBP", "locale": "en_GB", "names": {}}
    old, new = plan(percent("0.08")), plan(percent("0.1"))
    found = audience.change(old, new, ANA, **words)
    assert [("8%" in each, "10%" in each) for each in found.before] == [(True, False)]
    assert [("8%" in each, "10%" in each) for each in found.after] == [(False, True)]
    assert not audience.change(old, old, ANA, **words)


def test_strangers_read_nothing_of_what_is_for_one_partner_or_deal() -> None:
    whole = plan(
        percent("0.3", key="bo", conditions=Group("all", (OTHERS,))),
        percent("0.25", key="deal", conditions=Group("all", (DEAL,))),
        percent("0.2", key="vip", conditions=Group("all", (Condition("tag", "=", ("vip",)),))),
        percent("0.08", key="all"),
    )
    assert [rule.key for rule in audience.for_strangers(whole).rules] == ["all"]


SECRETS = [
    (Group("any", (OTHERS, PENS)), "either for another partner or on product PEN"),
    (Group("any", (DEAL, PENS)), "either from deals agreed separately or on product PEN"),
    (Group("all", (Condition("deal", "not_in", ("D-1", "D-2")),)), "except from deals agreed separately"),
    (Group("all", (Condition("partner", "!=", ("mem_bo",)),)), "except for another partner"),
    (Group("all", (Condition("attribute:by", "!=", ("MEM_bo",)),)), "when “by” is not another partner"),
]


@pytest.mark.parametrize(("group", "told"), SECRETS)
def test_neither_partners_nor_strangers_read_the_names_of_others(group: Group, told: str) -> None:
    whole = plan(percent("0.1", conditions=group))
    words: dict[str, Any] = {"currency": "GBP", "locale": "en_GB"}
    assert audience.told(whole, ANA, **words, names={})[0] == f"10% of every order, {told}."
    [rule] = audience.for_strangers(whole).rules
    assert sentences.rule_text(rule, **words) == f"10% of every order, {told}"


def test_a_partner_named_among_others_reads_its_own_name_only() -> None:
    group = Group("all", (Condition("partner", "in", ("mem_bo", "MEM_ANA", "mem_cy")),))
    told = audience.told(
        plan(percent("0.1", conditions=group)),
        ANA,
        currency="GBP",
        locale="en_GB",
        names={"mem_ana": "Ana's Coffee"},
    )
    assert told[0] == "10% of every order, for partner Ana's Coffee."


def test_a_deal_is_told_by_the_version_that_was_agreed_with_the_partner() -> None:
    rules = (percent("0.25", key="deal", conditions=Group("all", (DEAL,))), percent("0.08", key="all"))
    for member_key, is_told in (("", False), ("mem_bo", False), ("mem_ana", True)):
        whole = replace(plan(*rules), member_key=member_key)
        text = " ".join(audience.told(whole, ANA, currency="GBP", locale="en_GB", names={}))
        assert ("25%" in text, "D-2026-ACME" in text) == (is_told, is_told)


def test_hiding_names_leaves_the_rules_in_the_order_they_are_tried() -> None:
    whole = plan(
        percent("0.3", key="bo", position=9, conditions=Group("any", (OTHERS, PENS))),
        percent("0.2", key="pens", position=1, conditions=Group("all", (PENS,))),
    )
    assert [rule.key for rule in audience.for_partner(whole, ANA).rules] == ["bo", "pens"]
    assert [rule.key for rule in audience.for_strangers(whole).rules] == ["bo", "pens"]
