"""How well the detectors tell honest partners from others, on a labelled set made from a seed: of sixty partners ten are not honest, each in a way of
its own, and the honest ones are as uneven as partners are."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from partners.models import Membership
from payouts.risk import monitor
from payouts.risk.detectors import DETECTORS
from referrals import identity
from referrals.models import TrackingSettings
from tests.payouts.risk_rows import AT, Market

pytestmark = pytest.mark.django_db


def honest(market: Market, dice: random.Random) -> Membership:
    """Make a partner whose clicks come from everywhere and whose buyers take their time; some things are odd now and then."""
    made = market.partner()
    n = dice.randint(20, 60)
    clicks = market.clicks(
        made, n, at=AT - timedelta(hours=dice.randint(10, 150)), country=dice.choice(["GB", "FR", "DE"])
    )
    sold = dice.randint(0, max(1, n // 15))
    if sold:
        market.sales(made, sold, clicks=clicks, after=dice.randint(60, 90_000), country="GB")
    if dice.random() < 0.3:
        market.clicks(made, dice.randint(5, 60), kind="bot")
    if dice.random() < 0.2:
        market.sales(made, 1, buyer={"has_disposable_mail": True})
    if dice.random() < 0.2:
        market.sales(made, 1, clicks=clicks[:1], after=5)
    if dice.random() < 0.2:
        market.clicks(made, 25, address_hash=f"{made.pk:032d}", together=True)
    if dice.random() < 0.2:
        market.clicks(made, 3, ad_parameter="gclid")
    if dice.random() < 0.3:
        market.sales(made, 1, kind="refund")
    return made


def dishonest(market: Market) -> dict[str, Membership]:
    """Make ten partners who are not, by what they do."""
    made = {
        name: market.partner()
        for name in (
            "mail",
            "mailbox",
            "flood",
            "stuffing",
            "velocity",
            "soon",
            "leak",
            "search",
            "trash",
            "refunds",
        )
    }
    for name, key, make in (
        ("mail", "email_key", identity.email_key),
        ("mailbox", "mailbox_key", identity.folded_email_key),
    ):
        market.sales(made[name], 2, buyer={key: make(made[name].partner.email)})
    market.clicks(made["flood"], 80, address_hash="f" * 32, together=True)
    market.clicks(made["stuffing"], 30)
    market.clicks(made["stuffing"], 400, kind="embedded")
    market.sales(made["velocity"], 14, clicks=market.clicks(made["velocity"], 3))
    market.sales(made["soon"], 8, clicks=market.clicks(made["soon"], 8), after=3)
    code, past = market.code(made["leak"]), AT - timedelta(days=40)
    market.sales(made["leak"], 30, code=code, clicks=market.clicks(made["leak"], 30, at=past))
    market.sales(made["leak"], 60, code=code)
    market.clicks(made["search"], 12, ad_parameter="gclid")
    market.sales(made["trash"], 12, buyer={"has_disposable_mail": True})
    market.sales(made["refunds"], 24)
    market.sales(made["refunds"], 12, kind="refund")
    return made


def test_nine_of_ten_signals_are_right_and_eight_of_ten_who_cheat_are_seen() -> None:
    market, dice = Market(), random.Random(20261120)
    TrackingSettings.objects.create(program=market.program, forbids_paid_search=True)
    fair = {honest(market, dice).pk for _each in range(50)}
    cheats = {each.pk for each in dishonest(market).values()}
    since = {"refund_rate": {"since": AT - monitor.SPANS["refund_rate"]}}
    found = [each for kind in DETECTORS for each in market.seen(kind, **since.get(kind, {}))]
    seen = {each.membership_id for each in found if each.severity != "low"}
    right = len(seen & cheats)
    assert len(fair) == 50 and len(cheats) == 10
    assert right / len(seen) >= 0.9
    assert right / len(cheats) >= 0.8
    # Nobody honest has a line stopped by the machine alone.
    assert not fair & {each.membership_id for each in found if each.severity == "high"}
