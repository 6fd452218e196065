"""A person's decision replaces the rule's: who was credited before stays on record, and refunds follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from partners.models import Member, Membership, Partner
from partners.own_team import OwnTeam
from payouts import accrual, reconcile
from payouts.models import Commission
from prm.accounts import policy
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.lib.events import subscribed
from referrals.attribution import correct as correction
from referrals.attribution.apply import OtherCurrency
from referrals.attribution.correct import Share, correct
from referrals.conversions import record, record_many
from referrals.events import ConversionsAttributed
from referrals.models import Conversion, Credit
from tests.factories.referrals import NOW, CodeFactory, an_event, new_membership
from tests.house import open_house
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF, WHOLE = Decimal("0.5"), Decimal(1)


class Case:
    """A sale that came by Ana's code, and two further members of the program."""

    def __init__(self) -> None:
        code = CodeFactory.create(code="ANA-1")
        self.ana: Membership = code.membership
        self.code_id = code.pk
        self.mats = self.join("Mats Media")
        self.otto = self.join("Otto & Sons")
        record(an_event("S1", code="ANA-1"), at=NOW)

    def join(self, name: str, **changes: Any) -> Membership:
        partner = Partner.objects.create(name=name)
        values = {"state": "active", "joined_at": NOW - timedelta(days=400), **changes}
        return Membership.objects.create(partner=partner, program=self.ana.program, **values)

    @property
    def sale(self) -> Conversion:
        return Conversion.objects.get(external_id="S1")

    def correct(
        self,
        *credits: Share,
        reason: str = "They agreed.",
        of: Conversion | None = None,
        by: User | None = None,
    ) -> list[Credit]:
        return correct(of or self.sale, credits=credits, by=by or mats(), reason=reason, at=NOW)


@pytest.fixture
def case() -> Case:
    return Case()


def standing(external_id: str) -> dict[int, tuple[Decimal, str, str]]:
    rows = Credit.objects.standing().filter(conversion__external_id=external_id)
    return {row.membership_id: (row.share, row.role, row.reason) for row in rows}


def test_new_credits_replace_those_that_stood_and_the_old_ones_stay_on_record(case: Case) -> None:
    old = Credit.objects.get()
    made = case.correct(
        Share(case.mats, HALF),
        Share(case.ana, HALF, "influenced"),
        Share(case.otto, Decimal("0.1"), "assisted"),
    )
    old.refresh_from_db()
    assert (old.superseded_at, old.share) == (NOW, 1)
    assert standing("S1") == {
        case.mats.pk: (HALF, "sourced", "corrected"),
        case.ana.pk: (HALF, "influenced", "corrected"),
        case.otto.pk: (Decimal("0.1"), "assisted", "corrected"),
    }
    assert [(credit.membership_id, credit.code_id, credit.rated_at) for credit in made] == [
        (case.mats.pk, None, None),
        (case.ana.pk, case.code_id, None),  # still by its code
        (case.otto.pk, None, None),
    ]
    assert {credit.occurred_at for credit in made} == {case.sale.occurred_at}


def test_the_correction_is_on_record_with_its_reason(case: Case) -> None:
    case.correct(Share(case.mats, WHOLE), reason=" Ana agreed by phone. ")
    event = AuditEvent.objects.get(action="conversion.credits_corrected")
    assert (event.actor_id, event.note, event.object_pk) == (
        mats().pk,
        "Ana agreed by phone.",
        str(case.sale.pk),
    )
    assert event.details == {
        "before": [{"membership": case.ana.public_id, "share": "1.000000", "role": "sourced"}],
        "after": [{"membership": case.mats.public_id, "share": "1", "role": "sourced"}],
    }


def test_refunds_and_chargebacks_follow_their_sale(
    case: Case, django_capture_on_commit_callbacks: Any
) -> None:
    of_it = {"original_external_id": "S1", "amount": "10.00"}
    record_many(
        [
            an_event("R1", kind="refund", **of_it),
            an_event("B1", kind="chargeback", **of_it),
            an_event("W1", kind="chargeback_won", **of_it),
        ],
        at=NOW,
    )
    heard: list[ConversionsAttributed] = []
    with subscribed(ConversionsAttributed, heard.append), django_capture_on_commit_callbacks(execute=True):
        case.correct(Share(case.mats, HALF), Share(case.otto, HALF))
    for name in ("R1", "B1", "W1"):
        expected = {case.mats.pk: (HALF, "sourced", "original"), case.otto.pk: (HALF, "sourced", "original")}
        assert standing(name) == expected
    assert heard == [
        ConversionsAttributed(tuple(Conversion.objects.order_by("pk").values_list("pk", flat=True)))
    ]
    record(an_event("R2", kind="refund", **of_it), at=NOW)  # and one that comes later
    assert set(standing("R2")) == {case.mats.pk, case.otto.pk}
    assert Credit.objects.exclude(superseded_at=None).count() == 4


def test_a_correction_may_be_corrected_and_may_end_with_nobody(case: Case) -> None:
    case.correct(Share(case.mats, WHOLE))
    case.correct(Share(case.ana, WHOLE))
    case.correct()
    assert standing("S1") == {}
    with pytest.raises(correction.NothingChanges):
        case.correct()
    case.correct(Share(case.otto, WHOLE))  # the event still counts in the program it was credited in
    assert set(standing("S1")) == {case.otto.pk}
    assert Credit.objects.count() == 4


def test_an_event_nobody_brought_can_be_credited(case: Case) -> None:
    record(an_event("S2"), at=NOW)
    correct(
        Conversion.objects.get(external_id="S2"),
        credits=[Share(case.mats, WHOLE)],
        by=ada(),
        reason="By phone.",
        at=NOW,
    )
    assert standing("S2") == {case.mats.pk: (WHOLE, "sourced", "corrected")}


def test_three_equal_parts_are_written_with_six_decimals(case: Case) -> None:
    third = Decimal("0.333333")
    with pytest.raises(correction.SharesNotWhole) as refusal:
        case.correct(*(Share(member, third) for member in (case.ana, case.mats, case.otto)))
    assert "99.9999" in str(refusal.value)
    case.correct(Share(case.ana, Decimal("0.333334")), Share(case.mats, third), Share(case.otto, third))
    assert len(standing("S1")) == 3


REFUSED: list[tuple[str, type[Refused]]] = [
    ("same", correction.NothingChanges),
    ("no reason", correction.NoReasonGiven),
    ("half", correction.SharesNotWhole),
    ("only assisted", correction.SharesNotWhole),
    ("more than whole", correction.SharesNotWhole),
    ("twice", correction.CreditedTwice),
    ("nothing", correction.BadShare),
    ("negative", correction.BadShare),
    ("more than one", correction.BadShare),
    ("seven decimals", correction.BadShare),
    ("other program", correction.OtherProgram),
    ("suspended", correction.NotEarningThen),
    ("ended before", correction.NotEarningThen),
    ("joined after", correction.NotEarningThen),
]


@pytest.mark.parametrize(("what", "refusal"), REFUSED, ids=[what for what, _ in REFUSED])
def test_what_makes_no_sense_is_refused_and_nothing_moves(
    case: Case, what: str, refusal: type[Refused]
) -> None:
    asked: dict[str, list[Share]] = {
        "same": [Share(case.ana, WHOLE)],
        "no reason": [Share(case.mats, WHOLE)],
        "half": [Share(case.mats, HALF)],
        "only assisted": [Share(case.mats, WHOLE, "assisted")],
        "more than whole": [Share(case.mats, WHOLE), Share(case.otto, Decimal("0.000001"))],
        "twice": [Share(case.mats, HALF), Share(case.mats, HALF)],
        "nothing": [Share(case.mats, WHOLE), Share(case.otto, Decimal(0))],
        "negative": [Share(case.mats, Decimal("1.5")), Share(case.otto, -HALF)],
        "more than one": [Share(case.mats, Decimal("1.5"))],
        "seven decimals": [Share(case.mats, Decimal("0.9999999")), Share(case.otto, Decimal("0.0000001"))],
        "other program": [Share(new_membership(), WHOLE)],
        "suspended": [Share(case.join("Suspended", state="suspended"), WHOLE)],
        "ended before": [
            Share(case.join("Left", state="ended", ended_at=case.sale.occurred_at), WHOLE),
        ],
        "joined after": [
            Share(case.join("Later", joined_at=case.sale.occurred_at + timedelta(seconds=1)), WHOLE)
        ],
    }
    before = standing("S1")
    with pytest.raises(refusal):
        case.correct(*asked[what], reason=" " if what == "no reason" else "They agreed.")
    assert standing("S1") == before
    assert Credit.objects.count() == 1
    assert not AuditEvent.objects.filter(action="conversion.credits_corrected").exists()


def test_one_that_left_later_may_be_credited(case: Case) -> None:
    left = case.join("Left", state="terminated", ended_at=case.sale.occurred_at + timedelta(seconds=1))
    case.correct(Share(left, WHOLE))
    assert set(standing("S1")) == {left.pk}


def test_all_who_share_an_event_are_of_one_program_in_its_currency(case: Case) -> None:
    record(an_event("S2"), at=NOW)
    free = Conversion.objects.get(external_id="S2")
    with pytest.raises(correction.OtherProgram):
        case.correct(Share(case.mats, HALF), Share(new_membership(), HALF), of=free)
    with pytest.raises(OtherCurrency):
        case.correct(Share(new_membership(currency="EUR"), WHOLE), of=free)
    assert standing("S2") == {}


def test_a_refund_of_a_named_sale_and_a_declined_event_are_not_corrected(case: Case) -> None:
    record(an_event("R1", kind="refund", amount="1.00", original_external_id="S1"), at=NOW)
    record(an_event("R2", kind="refund", amount="500.00", original_external_id="S3"), at=NOW)
    record(an_event("S3"), at=NOW)
    Conversion.objects.filter(external_id="S3").update(state="rejected")
    for name, refusal in (
        ("R1", correction.FollowsItsSale),
        ("R2", correction.FollowsItsSale),
        ("S3", correction.DeclinedEvent),
    ):
        row = Conversion.objects.get(external_id=name)
        assert not correction.is_correctable(row)
        with pytest.raises(refusal):
            case.correct(Share(case.mats, WHOLE), of=row)


def test_a_refund_that_names_no_sale_is_corrected_by_itself(case: Case) -> None:
    record(an_event("R1", kind="refund", amount="1.00", code="ANA-1"), at=NOW)
    case.correct(Share(case.mats, WHOLE), of=Conversion.objects.get(external_id="R1"))
    assert set(standing("R1")) == {case.mats.pk}


def test_finance_does_not_decide_who_is_credited(case: Case) -> None:
    with pytest.raises(policy.Forbidden):
        case.correct(Share(case.mats, WHOLE), by=fiona())
    assert set(standing("S1")) == {case.ana.pk}


def test_nobody_credits_a_partner_they_work_for(case: Case) -> None:
    Member.objects.create(partner=case.mats.partner, user=mats(), role="owner", joined_at=NOW)
    with pytest.raises(OwnTeam):
        case.correct(Share(case.mats, WHOLE))
    assert set(standing("S1")) == {case.ana.pk}


def test_commission_follows_whoever_is_credited() -> None:
    # 8 % of 100.00 less 10.00 refunded is 7.20: all of it Ana's at first, then half of it is each partner's.
    house = open_house()
    ana, kim = house.member("ANA10"), house.member("KIM10")
    house.sale("S1", "100.00", "ANA10", MARCH)
    house.refund("R1", "10.00", "", MARCH + timedelta(days=1), of="S1")
    later = MARCH + timedelta(days=2)
    house.rate(later)
    sale = Conversion.objects.get(external_id="S1")
    correct(sale, credits=[Share(ana, HALF), Share(kim, HALF)], by=mats(), reason="They agreed.", at=later)
    ids = list(Conversion.objects.values_list("pk", flat=True))
    accrual.accrue(ids, at=later)
    reconcile.reconcile_superseded(ids, at=later)
    sums = (
        Commission.objects.values_list("membership")
        .annotate(minor=Sum("amount_minor"))
        .order_by("membership")
    )
    assert dict(sums) == {ana.pk: 3_60, kim.pk: 3_60}
    assert reconcile.reconcile_superseded(ids, at=later).posted == 0
