"""Each detector at its threshold and just below it, by figures worked out beside the rows; an honest busy partner raises nothing, and the number of
queries does not grow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Member, Membership
from payouts.choices import RiskKind
from payouts.models import AccountSignal, RiskSettings, RiskSignal
from payouts.risk import monitor, words
from payouts.risk.detectors import DETECTORS, Signal
from payouts.risk.thresholds import FIGURES, Thresholds
from prm.accounts.models import User
from referrals import addresses, identity
from referrals.models import AttributionRecord, TrackingSettings
from tests.factories.payout_rows import PaymentMethodFactory
from tests.payouts.risk_rows import AT, WEEK, Market, figures

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def one(found: list[Signal], membership: Membership, severity: str) -> dict[str, Any]:
    """Assert that exactly one signal of a severity is about a partner, and return its evidence."""
    assert [(each.membership_id, each.severity) for each in found] == [(membership.pk, severity)]
    return found[0].evidence


@pytest.mark.parametrize(
    ("buyer", "severity"),
    [
        ({"email_key": identity.email_key("ana@studio.example")}, "high"),
        ({"mailbox_key": identity.folded_email_key("ana+shop@studio.example")}, "high"),
        ({"vat_key": identity.vat_key("GB 123 4567 89")}, "high"),
        ({"domain_key": identity.domain_key("bob@studio.example")}, "medium"),
        ({"email_key": identity.email_key("anna@studio.example")}, ""),
        ({"mailbox_key": identity.folded_email_key("a.na@studio.example")}, ""),  # dots count outside Gmail
        ({"domain_key": identity.domain_key("ana@gmail.com")}, ""),  # anybody's provider
    ],
)
def test_a_buyer_with_the_partners_keys(buyer: dict[str, str], severity: str) -> None:
    market = Market()
    partner = market.first.partner
    partner.email, partner.vat_number = "office@studio.example", "GB123456789"
    partner.save()
    user = User.objects.create_user(email="ana@studio.example", password=None)
    Member.objects.create(partner=partner, user=user, role="owner", joined_at=AT - WEEK)
    market.sales(market.partner(), 3, buyer=buyer)  # of somebody else's, the same buyer says nothing
    market.sales(market.first, 1, buyer=buyer)
    found = market.seen("self_referral")
    assert [(each.membership_id, each.severity) for each in found] == (
        [(market.first.pk, severity)] if severity else []
    )


def test_means_of_payment_shared_by_three_customers_and_those_of_a_confirmed_case() -> None:
    market = Market()
    other = market.partner()
    market.sales(market.first, 2, payment_key="k1")
    market.sales(other, 2, payment_key="k1")  # two and two of different partners
    assert market.seen("self_referral") == []
    market.sales(market.first, 1, payment_key="k1")
    assert {each.severity for each in market.seen("self_referral")} == {"medium"}
    assert {each.membership_id for each in market.seen("self_referral")} == {market.first.pk}


def test_an_address_of_the_team_matches_while_the_key_of_its_day_is_kept() -> None:
    market = Market()
    user = User.objects.create_user(email="ana@studio.example", password=None)
    Member.objects.create(partner=market.first.partner, user=user, role="owner", joined_at=AT - WEEK)
    UserSession.objects.create(
        user=user, ip="198.51.100.7", user_agent="Firefox", session_key="s1", last_seen_at=AT - DAY
    )
    sold = AT - DAY
    kept = addresses.hash_of("198.51.100.7", sold)
    market.sales(market.first, 1, address_hash=addresses.hash_of("198.51.100.8", sold))
    assert market.seen("self_referral") == []
    market.sales(market.first, 1, address_hash=kept)
    assert one(market.seen("self_referral"), market.first, "medium")["marks"] == ["address"]
    addresses.AddressKey.objects.all().delete()
    assert market.seen("self_referral") == []


@pytest.mark.parametrize(("clicks", "severity"), [(29, ""), (30, "medium"), (299, "medium"), (300, "high")])
def test_clicks_of_one_address_in_an_hour(clicks: int, severity: str) -> None:
    market = Market()
    market.clicks(market.first, clicks, address_hash="a" * 32, together=True)
    market.clicks(market.first, 29, address_hash="b" * 32, together=True)
    market.clicks(market.first, 500, together=True)  # whose address nobody kept
    found = market.seen("click_flood")
    assert [each.severity for each in found] == ([severity] if severity else [])
    if severity:
        assert (found[0].evidence["clicks"], found[0].evidence["count"]) == (clicks, 1)


def test_more_buyers_than_clicks() -> None:
    market = Market()
    clicks = market.clicks(market.first, 5)
    market.sales(market.first, 10, clicks=clicks)  # two a click: households
    assert market.seen("velocity") == []
    market.sales(market.first, 1, clicks=clicks)
    assert one(market.seen("velocity"), market.first, "high")["behind"] == 5


def test_a_conversion_rate_far_above_the_programs() -> None:
    # The others sell 20 by 1,000 clicks: 2 %. Five times as much is 10 %: 10 of 100 clicks are not more, 10 of 99 are.
    market = Market()
    other = market.partner()
    market.sales(other, 20, clicks=market.clicks(other, 1000))
    clicks = market.clicks(market.first, 99)
    market.sales(market.first, 10, clicks=clicks)
    found = one(market.seen("velocity"), market.first, "medium")
    assert (found["buyers"], found["clicks"], found["others_buyers"], found["others_clicks"]) == (
        10,
        99,
        20,
        1000,
    )
    market.clicks(market.first, 1)
    assert market.seen("velocity") == []


@pytest.mark.parametrize(
    ("quick", "slow", "severity"),
    [(2, 0, ""), (3, 7, "medium"), (3, 8, ""), (9, 9, "medium"), (9, 7, "high")],
)
def test_purchases_within_seconds_of_the_click(quick: int, slow: int, severity: str) -> None:
    # 3 of 10 are 30 %, 3 of 11 are 27 %; 9 of 18 are not more than half, 9 of 16 are.
    market = Market()
    market.sales(market.first, quick, clicks=market.clicks(market.first, quick), after=9)
    if slow:
        market.sales(market.first, slow, clicks=market.clicks(market.first, slow), after=10)
    found = market.seen("too_soon")
    assert [each.severity for each in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("people", "bots", "embedded", "severity"),
    [(40, 160, 0, "low"), (41, 159, 0, ""), (39, 160, 0, ""), (40, 70, 90, "medium")],
)
def test_robots_among_the_hits(people: int, bots: int, embedded: int, severity: str) -> None:
    market = Market()
    for kind, n in (("person", people), ("bot", bots), ("embedded", embedded), ("preview", 900)):
        market.clicks(market.first, n, kind=kind)
    found = market.seen("bot_share")
    assert [each.severity for each in found] == ([severity] if severity else [])


def test_paid_search_only_where_it_is_forbidden() -> None:
    market = Market()
    market.clicks(market.first, 5, ad_parameter="gclid")
    assert market.seen("paid_search") == []
    TrackingSettings.objects.create(program=market.program, forbids_paid_search=True)
    assert one(market.seen("paid_search"), market.first, "medium")["clicks"] == 5
    assert market.seen("paid_search", thresholds=figures("paid_search", clicks=6)) == []


def test_two_partners_with_one_account_until_somebody_clears_it() -> None:
    market = Market()
    other = market.partner("Partner Twin")
    one_side, two = (PaymentMethodFactory.create(partner=each.partner) for each in (market.first, other))
    raised = AccountSignal.objects.create(method=one_side, other=two, raised_at=AT)
    found = market.seen("shared_account")
    assert {(each.membership_id, each.severity) for each in found} == {
        (market.first.pk, "medium"),
        (other.pk, "medium"),
    }
    assert "Twin" not in str([each.evidence for each in found])
    AccountSignal.objects.filter(pk=raised.pk).update(
        cleared_at=AT,
        cleared_by=User.objects.create_user(email="x@y.example", password=None),
        note="One owner.",
    )
    assert market.seen("shared_account") == []


def test_two_partners_with_one_device() -> None:
    market = Market()
    other = market.partner()
    device = {"address_hash": "a" * 32, "agent_hash": "b" * 16, "kind": "own"}
    market.clicks(market.first, 2, **device)
    market.clicks(other, 1, **device)
    assert market.seen("shared_device") == []
    market.clicks(other, 1, **device)
    assert {each.membership_id for each in market.seen("shared_device")} == {market.first.pk, other.pk}


def test_who_is_in_two_teams_is_no_sign_and_two_people_at_one_device_are() -> None:
    market = Market()
    members = (market.first, market.partner())
    both = User.objects.create_user(email="both@studio.example", password=None)
    for place, each in enumerate(members):
        Member.objects.create(partner=each.partner, user=both, role="sales", joined_at=AT - WEEK)
        person = User.objects.create_user(email=f"p{place}@studio.example", password=None)
        Member.objects.create(partner=each.partner, user=person, role="owner", joined_at=AT - WEEK)
        for number in range(2):
            for user, ip in ((both, "198.51.100.7"), (person, f"198.51.100.{20 + place}")):
                UserSession.objects.create(
                    user=user,
                    ip=ip,
                    user_agent="Firefox",
                    session_key=f"{user.pk}{place}{number}",
                    last_seen_at=AT - DAY,
                )
    assert market.seen("shared_device") == []
    UserSession.objects.exclude(user=both).update(ip="198.51.100.99")
    assert len(market.seen("shared_device")) == 2


@pytest.mark.parametrize(
    ("past_without", "now_without", "now_with", "raised"),
    [(10, 20, 2, True), (11, 20, 2, False), (10, 20, 3, False), (10, 19, 0, False), (20, 30, 0, False)],
)
def test_a_code_that_sells_without_clicks_all_of_a_sudden(
    past_without: int, now_without: int, now_with: int, raised: bool
) -> None:
    # Before: 10 of 20 without a click, 50 %. Now 20 of 22 are 90 %, 40 points more; with 11 of 20 (55 %) it is 35.
    market = Market()
    code = market.code(market.first)
    before = AT - timedelta(days=30)
    market.sales(market.first, past_without, code=code, at=before)
    if past_without < 20:
        old = market.clicks(market.first, 20 - past_without, at=before)
        market.sales(market.first, 20 - past_without, code=code, clicks=old)
    market.sales(market.first, now_without, code=code)
    if now_with:
        market.sales(market.first, now_with, code=code, clicks=market.clicks(market.first, now_with))
    assert bool(market.seen("leaked_code")) == raised


@pytest.mark.parametrize(
    ("odd", "fair", "severity"), [(5, 20, "medium"), (5, 21, ""), (4, 0, ""), (10, 10, "high")]
)
def test_throw_away_mailboxes(odd: int, fair: int, severity: str) -> None:
    # 5 of 25 are 20 %, 5 of 26 are 19 %.
    market = Market()
    market.sales(market.first, odd, buyer={"has_disposable_mail": True})
    if fair:
        market.sales(market.first, fair)
    assert [each.severity for each in market.seen("disposable_mail")] == ([severity] if severity else [])


@pytest.mark.parametrize(("odd", "fair", "raised"), [(5, 5, True), (5, 6, False), (9, 0, False)])
def test_buyers_of_another_country_than_they_clicked_in(odd: int, fair: int, raised: bool) -> None:
    market = Market()
    market.sales(market.first, odd, clicks=market.clicks(market.first, odd, country="FR"), country="gb")
    if fair:
        market.sales(market.first, fair, clicks=market.clicks(market.first, fair, country="FR"), country="fr")
    market.sales(market.first, 9, clicks=market.clicks(market.first, 9, country="FR"), country="France")
    assert bool(market.seen("country_mismatch")) == raised


@pytest.mark.parametrize(("back", "others_back", "raised"), [(5, 6, True), (4, 0, False), (5, 7, False)])
def test_sales_that_come_back(back: int, others_back: int, raised: bool) -> None:
    # 5 of 20 are 25 %; of the others' 80, 6 are 7.5 %: three times that is 22.5. 7 are 8.75 %, three times 26.25.
    market = Market()
    other = market.partner()
    market.sales(market.first, 20 if back == 5 else 21)
    market.sales(market.first, back, kind="refund")
    market.sales(other, 80)
    if others_back:
        market.sales(other, others_back, kind="chargeback")
    assert [each.membership_id for each in market.seen("refund_rate")] == (
        [market.first.pk] if raised else []
    )


def test_what_a_pixel_told_and_a_code_that_is_used_up() -> None:
    market = Market()
    market.sales(market.first, 4, channel="pixel")
    assert market.seen("pixel") == []
    told = market.sales(market.first, 1, channel="pixel")
    assert one(market.seen("pixel"), market.first, "low")["count"] == 5
    code = market.code(market.first)
    told += market.sales(market.first, 2)
    for place, sale in enumerate(told):
        assert bool(market.seen("code_overused")) is False, place
        candidate = {"kind": "code", "membership": market.first.pk, "code": code.pk, "why": "code_used_up"}
        AttributionRecord.objects.create(
            conversion=sale, program=market.program, cause="recorded", candidates=[candidate], decided_at=AT
        )
    assert one(market.seen("code_overused"), market.first, "low")["count"] == 3


def busy(market: Market, membership: Membership, n: int) -> None:
    """Let a partner be honest: clicks over a week by people from everywhere, one buyer in twenty, few refunds."""
    for place in range(n):
        day = AT - timedelta(days=1 + place % 6)
        clicks = [
            click
            for part in range(4)
            for click in market.clicks(
                membership, 10, at=day, address_hash=f"{place:016d}{part:016d}", country="GB"
            )
        ]
        market.sales(membership, 2, clicks=clicks[:2], after=900 + place, country="GB")
    market.clicks(membership, n, kind="bot")
    market.sales(membership, 1, kind="refund")
    market.sales(membership, 1, buyer={"has_disposable_mail": True})


def test_an_honest_busy_partner_raises_nothing_and_queries_do_not_grow() -> None:
    market = Market()
    counts = []
    for partners in (1, 4):
        for _each in range(partners):
            busy(market, market.partner(), 6)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            for kind in DETECTORS:
                assert market.seen(kind) == []
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 40


def test_every_kind_has_a_detector_figures_and_words() -> None:
    assert set(DETECTORS) == set(FIGURES) == set(words.REASONS) == set(RiskKind.values)


def test_a_kind_that_is_switched_off_and_a_burst_that_lies_in_two_weeks() -> None:
    market = Market()
    market.sales(market.first, 5, channel="pixel")
    settings = RiskSettings.objects.create(
        program=market.program,
        thresholds={"pixel": {"is_on": False}},
        changed_at=AT,
        changed_by=User.objects.create_user(email="x@y.example", password=None),
    )
    assert monitor.watch(at=AT).signals == 0
    settings.delete()
    assert monitor.watch(at=AT).by_kind == {"pixel": 1}
    # Monday of the next week still sees the five of Thursday: nothing new.
    assert monitor.watch(at=AT + timedelta(days=3)).signals == 0
    assert RiskSignal.objects.count() == 1
    assert Thresholds({"pixel": {"is_on": False}}).of("pixel") == {"conversions": 5}
