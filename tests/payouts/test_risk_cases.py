"""Cases: lines wait with a reason and a day and go on with their dates, or are taken back to nothing; the partner reads everything and may
answer; nothing ends by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from partners import personal_data
from partners.choices import MembershipState
from partners.models import Member
from payouts import ledger, pauses, reconciliation, release
from payouts.choices import AccountKind, CommissionState, RiskCaseState
from payouts.models import Commission, Pause, RiskCase, RiskSignal
from payouts.risk import cases, common, deciding, monitor
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from referrals.attribution import correct as correcting
from referrals.attribution.correct import Share
from referrals.models import Conversion, Credit, Referral
from tests.factories.tracking import RiskSignalFactory
from tests.payouts.risk_scene import (
    DECIDED,
    REVIEW,
    SEEN,
    SOLD,
    by_hand,
    house_of_ana,
    line,
    order,
    suspected,
)
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db


def owed(name: str) -> int:
    return sum(Commission.objects.filter(conversion__external_id=name).values_list("amount_minor", flat=True))


def balance(membership: object, kind: str) -> int:
    return ledger.balance(ledger.partner_account(membership, kind)).minor  # type: ignore[arg-type]


def mails(kind: str) -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(kind=kind).order_by("pk"))


def test_a_severe_signal_opens_a_case_that_lets_its_line_wait_and_tells_the_partner() -> None:
    _house, membership, case = suspected()
    # Seven working days after Tuesday 10 March 2026 is Thursday the 19th.
    assert (case.state, case.opened_by, case.review_on.isoformat()) == ("open", None, "2026-03-19")
    assert line("own-1").state == CommissionState.PAUSED
    assert line("own-1").pause_reason == case.reason
    assert line("fair-1").state == CommissionState.ON_HOLD
    [row] = case.lines.all()
    assert (row.commission, row.pause) == (line("own-1"), Pause.objects.get())
    [mail] = mails("risk_case_opened")
    assert mail.to == ana().email
    for said in (
        case.reason,
        "own-1",
        "£8.00",
        "19 March 2026",
        f"/portal/reviews-of-lines/{case.public_id}/",
    ):
        assert said in mail.text
    assert not mails("line_paused")
    assert membership.state == MembershipState.ACTIVE


def test_looking_again_changes_nothing() -> None:
    suspected()
    before = [RiskSignal.objects.count(), Pause.objects.count(), OutgoingMail.objects.count()]
    for hours in (0, 1, 30):
        done = monitor.watch(at=SEEN + timedelta(hours=hours))
        assert (done.signals, done.cases, done.lines, done.failed) == (0, 0, 0, [])
    assert [RiskSignal.objects.count(), Pause.objects.count(), OutgoingMail.objects.count()] == before
    assert RiskCase.objects.count() == 1


def test_a_cleared_case_lets_the_line_go_on_with_its_promised_date() -> None:
    _house, membership, case = suspected()
    promised = line("own-1").payable_at
    cases.clear(case, outcome="A present for a client.", by=mats(), at=DECIDED)
    after = line("own-1")
    assert (after.state, after.payable_at, after.pause_reason) == (CommissionState.ON_HOLD, promised, "")
    assert (case.state, case.decided_by) == (RiskCaseState.CLEARED, mats())
    [mail] = mails("risk_case_decided")
    assert "A present for a client." in mail.text and "goes on" in mail.text
    assert not mails("pause_ended")
    # 14 days after 10 March: 8.00 and 16.00 are released together.
    release.release_due(at=datetime(2026, 3, 25, 12, tzinfo=UTC))
    assert balance(membership, AccountKind.PAYABLE) == 24_00
    assert reconciliation.check() == []


def test_a_case_that_is_overdue_stays_as_it_is() -> None:
    _house, membership, case = suspected()
    long_after = SEEN + timedelta(days=90)
    monitor.watch(at=long_after)
    release.release_due(at=long_after)
    case.refresh_from_db()
    assert case.state == RiskCaseState.OPEN
    assert line("own-1").state == CommissionState.PAUSED
    assert balance(membership, AccountKind.PAYABLE) == 16_00


def test_a_confirmed_case_takes_the_order_back_to_nothing_and_lets_the_rest_go_on() -> None:
    house, membership, case = suspected()
    more = order(house, "own-2", "50.00", mail="ana@studio.example")
    house.rate(SOLD)
    monitor.watch(at=SEEN + timedelta(hours=1))
    assert line("own-2").state == CommissionState.PAUSED
    chosen = Conversion.objects.filter(external_id="own-1")
    cases.confirm(case, outcome="You bought it yourself.", conversions=chosen, by=mats(), at=DECIDED)
    # 8.00 − 8.00 = 0; the 4.00 of the other order and the 16.00 of a stranger's stay.
    assert (owed("own-1"), owed("own-2"), owed("fair-1")) == (0, 4_00, 16_00)
    assert not Pause.objects.open().exists()
    assert not Credit.objects.standing().filter(conversion__in=chosen).exists()
    assert more.credits.filter(superseded_at=None).count() == 1
    release.release_due(at=datetime(2026, 3, 25, 12, tzinfo=UTC))
    assert balance(membership, AccountKind.PAYABLE) == 20_00
    assert balance(membership, AccountKind.PENDING) == 0
    assert reconciliation.check() == []
    [mail] = mails("risk_case_decided")
    assert "You bought it yourself." in mail.text and "1 conversion" in mail.text
    assert AuditEvent.objects.filter(action="risk_case.confirmed").count() == 1


def test_a_customer_brought_by_what_was_taken_away_is_nobodys() -> None:
    _house, membership, case = suspected()
    owned = Referral.objects.open().filter(membership=membership)
    assert set(owned.values_list("conversion__external_id", flat=True)) == {"own-1", "fair-1"}
    chosen = Conversion.objects.filter(external_id="own-1")
    cases.confirm(case, outcome="You bought it yourself.", conversions=chosen, by=mats(), at=DECIDED)
    assert owned.get().conversion == Conversion.objects.get(external_id="fair-1")
    assert Referral.objects.get(conversion__in=chosen).ended_at == DECIDED
    assert AuditEvent.objects.filter(action="referral.ended").count() == 1


def test_what_a_confirmation_was_interrupted_in_is_finished_by_the_monitor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _house, _membership, case = suspected()
    with monkeypatch.context() as patch:
        patch.setattr(deciding, "settle", lambda case, at: 0)
        cases.confirm(
            case,
            outcome="Your own order.",
            conversions=Conversion.objects.filter(external_id="own-1"),
            by=mats(),
            at=DECIDED,
        )
    assert line("own-1").state == CommissionState.PAUSED
    monitor.watch(at=DECIDED + timedelta(minutes=15))
    assert (owed("own-1"), line("own-1").state) == (0, CommissionState.ON_HOLD)
    assert reconciliation.check() == []


def test_of_a_split_order_the_other_partners_share_the_whole() -> None:
    house, membership, case = suspected()
    others = [house.member("BEA"), house.member("CID")]
    sale = Conversion.objects.get(external_id="own-1")
    shares = [Share(membership, Decimal("0.4")), *(Share(each, Decimal("0.3")) for each in others)]
    correcting.correct(sale, credits=shares, by=mats(), reason="Three of them.", at=SEEN)
    cases.confirm(case, outcome="Your own order.", conversions=[sale], by=mats(), at=DECIDED)
    left = Credit.objects.standing().filter(conversion=sale).order_by("pk")
    assert [(each.membership, each.share) for each in left] == [
        (others[0], Decimal("0.5")),
        (others[1], Decimal("0.5")),
    ]


@pytest.mark.parametrize(
    ("sanction", "state"),
    [("warning", "active"), ("suspension", "suspended"), ("ban", "banned"), ("none", "active")],
)
def test_a_sanction_follows(sanction: str, state: str) -> None:
    _house, membership, case = suspected()
    cases.confirm(case, outcome="Own orders.", sanction=sanction, conversions=[], by=mats(), at=DECIDED)
    membership.refresh_from_db()
    assert (membership.state, case.sanction) == (state, sanction)
    [mail] = mails("risk_case_decided")
    assert ("This is a warning" in mail.text) == (sanction == "warning")


def test_lines_on_their_way_are_listed_and_do_not_wait() -> None:
    house, membership = house_of_ana()
    order(house, "own-1", mail="ana@studio.example")
    house.rate(SOLD)
    paid_from = SOLD + timedelta(days=15)
    release.release_due(at=paid_from)
    signal = RiskSignalFactory.create(
        membership=membership, conversion=Conversion.objects.get(), severity="medium"
    )
    case = by_hand(membership, [signal], review_on=paid_from.date() + timedelta(days=5), at=paid_from)
    [row] = case.lines.all()
    assert (row.pause, row.commission.state) == (None, CommissionState.PAYABLE)


def test_a_line_that_comes_to_an_open_case_waits_too() -> None:
    house, _membership, _case = suspected()
    house.refund("back-1", "25.00", "", SOLD + timedelta(hours=1), of="own-1")
    house.rate(SEEN)
    assert monitor.watch(at=SEEN + timedelta(minutes=15)).lines == 1
    # −2.00 of the refund waits with the 8.00 it takes from.
    assert line("back-1").state == CommissionState.PAUSED
    [mail] = mails("risk_case_lines")
    assert "2.00" in mail.text and "back-1" in mail.text


def test_a_line_a_person_let_go_on_is_not_stopped_again() -> None:
    _house, _membership, _case = suspected()
    pauses.resume(Pause.objects.get(), outcome="Looked at.", by=mats(), at=SEEN)
    monitor.watch(at=SEEN + timedelta(minutes=15))
    assert line("own-1").state == CommissionState.ON_HOLD


def test_the_partner_answers_and_whoever_looks_into_it_is_told() -> None:
    _house, _membership, case = suspected()
    cases.investigate(case, by=mats(), at=SEEN)
    written = cases.partner_answer(case, text="It was a present.", by=ana(), at=SEEN)
    noted = cases.note(case, text="Asked the shop.", by=mats(), at=SEEN)
    assert (cases.wrote_partner(written), cases.wrote_partner(noted)) == (True, False)
    [mail] = mails("risk_case_answered")
    assert mail.to == mats().email and "It was a present." in mail.text


def test_what_staff_noted_before_they_joined_the_partner_is_in_no_archive() -> None:
    _house, membership, case = suspected()
    cases.note(case, text="Compare with Partner BEA.", by=mats(), at=SEEN)
    cases.partner_answer(case, text="It was a present.", by=ana(), at=SEEN)
    later = SEEN + timedelta(days=1)
    Member.objects.create(partner=membership.partner, user=mats(), role="sales", joined_at=later)
    subject = personal_data.Subject(ana(), ana().email, (membership.partner_id,))
    [section] = [each for each in personal_data.sections() if each.name == "partner-answers-to-reviews"]
    assert [row["text"] for row in section.read(subject)] == ["It was a present."]


def test_who_may_not_decide_changes_nothing() -> None:
    _house, _membership, case = suspected()
    signal = RiskSignalFactory.create(membership=case.membership)
    before = [list(RiskCase.objects.values()), list(RiskSignal.objects.values())]
    with pytest.raises(policy.Forbidden):
        cases.clear(case, outcome="Fine.", by=fiona(), at=DECIDED)
    with pytest.raises(policy.Forbidden):
        cases.confirm(case, outcome="Not fine.", conversions=[], by=fiona(), at=DECIDED)
    with pytest.raises(policy.Forbidden):
        cases.dismiss(signal, because="Nothing.", by=fiona(), at=DECIDED)
    with pytest.raises(common.NotYourCase):
        cases.partner_answer(case, text="I am nobody.", by=mats(), at=DECIDED)
    Member.objects.create(partner=case.membership.partner, user=ada(), role="owner", joined_at=SOLD)
    with pytest.raises(common.OwnTeam):
        cases.clear(case, outcome="My own partner.", by=ada(), at=DECIDED)
    assert [list(RiskCase.objects.values()), list(RiskSignal.objects.values())] == before


def test_a_case_is_decided_once_and_its_signals_are_taken() -> None:
    _house, membership, case = suspected()
    taken = RiskSignal.objects.get()
    with pytest.raises(common.CaseIsOpen):
        by_hand(membership, [RiskSignalFactory.create(membership=membership)])
    with pytest.raises(common.SignalTaken):
        cases.dismiss(taken, because="Nothing.", by=mats(), at=SEEN)
    cases.clear(case, outcome="Fine.", by=mats(), at=DECIDED)
    for again in (
        lambda: cases.clear(case, outcome="Fine.", by=mats(), at=DECIDED),
        lambda: cases.confirm(case, outcome="No.", conversions=[], by=mats(), at=DECIDED),
        lambda: cases.investigate(case, by=mats(), at=DECIDED),
    ):
        with pytest.raises(common.CaseDecided):
            again()
    with pytest.raises(common.NoSignals):
        by_hand(membership, [taken])
    with pytest.raises(common.NotAReviewDay):
        by_hand(membership, [RiskSignalFactory.create(membership=membership)], review_on=SEEN.date())
    assert SEEN.date() < REVIEW


def test_only_conversions_of_the_case_can_be_taken_away() -> None:
    _house, _membership, case = suspected()
    stranger = Conversion.objects.filter(external_id="fair-1")
    with pytest.raises(common.NotInTheCase):
        cases.confirm(case, outcome="Everything.", conversions=stranger, by=mats(), at=DECIDED)
    case.refresh_from_db()
    assert (case.state, owed("fair-1"), line("own-1").state) == ("open", 16_00, CommissionState.PAUSED)


def test_a_signal_set_aside_is_not_raised_again() -> None:
    house, membership = house_of_ana()
    order(house, "near-1", mail="somebody@studio.example")  # the same company's mail domain: medium
    monitor.watch(at=SEEN)
    signal = RiskSignal.objects.get()
    assert (signal.severity, signal.evidence["marks"]) == ("medium", ["domain"])
    assert not RiskCase.objects.exists()
    cases.dismiss(signal, because="A colleague may buy.", by=mats(), at=SEEN)
    assert monitor.watch(at=SEEN + timedelta(hours=1)).signals == 0
    assert membership.risk_signals.unseen().count() == 0
