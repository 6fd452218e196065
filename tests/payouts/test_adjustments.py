"""What people add to a balance or take from it: booked once, in the open month, by two people above the limit, with what the partner reads."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from partners.models import Membership
from payouts import adjustment_checks as checks
from payouts import adjustments, evidence, ledger, pay_runs, reconciliation
from payouts.choices import AccountKind
from payouts.models import Adjustment, Entry, Transaction
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.lib.ids import public_id
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.money_rows import DisputeFactory
from tests.factories.payout_rows import CommissionFactory
from tests.factories.payouts import close_months, exported, give_account
from tests.house import House, open_house
from tests.people import ada, ana, felix, fiona, mats

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_10 = datetime(2026, 3, 10, 9, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, 9, tzinfo=UTC)
NOTE = "Thank you for the spring campaign."


@pytest.fixture
def house() -> House:
    """A second person is needed above 100.00."""
    house = open_house()
    house.program.second_person_above_minor = 100_00
    house.program.save()
    house.member("ANA10", at=MARCH_1, owner=ana())
    return house


def put(house: House, amount: str = "50.00", **changes: Any) -> Adjustment:
    values = {"kind": "bonus", "reason": "campaign", "note": NOTE, "by": fiona(), "at": MARCH_10}
    return adjustments.propose(
        house.members["ANA10"], amount=Money.parse(amount, "GBP"), **{**values, **changes}
    )


def file() -> SimpleUploadedFile:
    return SimpleUploadedFile("invoice.pdf", b"%PDF-1.7 printer, 300.00")


def payable(house: House) -> int:
    return checks.balance_of(house.members["ANA10"]).minor


def of_program(house: House, kind: AccountKind) -> int:
    return ledger.balance(ledger.program_account(house.program, kind)).minor


def in_debt(house: House) -> Membership:
    """Leave ANA10 with a debt of 80.00."""
    put(house, "-80.00", kind="adjustment", reason="order_correction", at=MARCH_10)
    return house.members["ANA10"]


@pytest.mark.parametrize(
    ("kind", "amount", "account", "left"),
    [
        ("adjustment", "12.34", AccountKind.EXPENSE, -12_34),
        ("adjustment", "-12.34", AccountKind.EXPENSE, 12_34),
        ("bonus", "100.00", AccountKind.EXPENSE, -100_00),
        ("spiff", "0.01", AccountKind.EXPENSE, -1),
        ("draw", "75.00", AccountKind.ADVANCES, -75_00),
    ],
)
def test_up_to_the_limit_one_person_books_it(
    house: House, kind: str, amount: str, account: AccountKind, left: int
) -> None:
    made = put(house, amount, kind=kind)
    assert (made.state, made.needs_second_person, made.decided_by) == ("posted", False, None)
    assert payable(house) == -left
    assert of_program(house, account) == left
    posted = made.posted_in
    assert posted is not None
    assert (posted.key, posted.kind, posted.reason) == (f"adjustment:{made.public_id}", "adjustment", NOTE)
    assert (posted.effective_at, posted.posted_by, posted.period.as_month) == (
        MARCH_10,
        fiona(),
        Month(2026, 3),
    )
    assert reconciliation.check() == []


def test_above_the_limit_somebody_else_has_to_approve(house: House) -> None:
    made = put(house, "100.01")
    assert (made.state, made.needs_second_person, made.posted_in) == ("proposed", True, None)
    assert payable(house) == 0
    assert not OutgoingMail.objects.filter(kind="adjustment_posted").exists()
    done = adjustments.approve(made, by=felix(), at=APRIL_3, note="As agreed.")
    assert (done.state, done.decided_by, done.decided_at, done.decision_note) == (
        "posted",
        felix(),
        APRIL_3,
        "As agreed.",
    )
    assert payable(house) == 100_01
    # It is booked when it is approved, in the month that is open then.
    assert done.posted_in is not None
    assert done.posted_in.period.as_month == Month(2026, 4)


def test_a_large_amount_taken_needs_a_second_person_too(house: House) -> None:
    assert put(house, "-100.01", kind="adjustment").state == "proposed"


def test_who_proposed_cannot_approve_or_refuse(house: House) -> None:
    made = put(house, "500.00")
    with pytest.raises(adjustments.SamePerson):
        adjustments.approve(made, by=fiona(), at=APRIL_3)
    with pytest.raises(adjustments.SamePerson):
        adjustments.refuse(made, note="No.", by=fiona(), at=APRIL_3)
    made.refresh_from_db()
    assert made.state == "proposed"
    assert not Transaction.objects.exists()


def test_the_database_too_wants_another_person(house: House) -> None:
    made = put(house, "500.00")
    posted = put(house, "1.00").posted_in
    with pytest.raises(IntegrityError, match="payouts_adjustment_four_eyes"), transaction.atomic():
        Adjustment.objects.filter(pk=made.pk).update(
            state="posted", posted_in=posted, decided_by=fiona(), decided_at=APRIL_3
        )


def test_it_is_decided_once(house: House) -> None:
    made = put(house, "500.00")
    adjustments.approve(made, by=felix(), at=APRIL_3)
    for again in (
        lambda: adjustments.approve(made, by=ada(), at=APRIL_3),
        lambda: adjustments.refuse(made, note="No.", by=ada(), at=APRIL_3),
        lambda: adjustments.withdraw(made, by=fiona(), at=APRIL_3),
    ):
        with pytest.raises(adjustments.DecidedAlready, match="Booked"):
            again()
    assert payable(house) == 500_00
    assert Transaction.objects.filter(kind="adjustment").count() == 1
    with pytest.raises(IntegrityError, match="decided once"), transaction.atomic():
        Adjustment.objects.filter(pk=made.pk).update(state="refused", posted_in=None)


def test_a_refused_or_withdrawn_proposal_moves_nothing(house: House) -> None:
    first, second = put(house, "500.00"), put(house, "600.00")
    with pytest.raises(adjustments.NoReasonForRefusing):
        adjustments.refuse(first, note=" ", by=felix(), at=APRIL_3)
    assert adjustments.refuse(first, note="Not agreed.", by=felix(), at=APRIL_3).state == "refused"
    with pytest.raises(adjustments.NotYours):
        adjustments.withdraw(second, by=felix(), at=APRIL_3)
    assert adjustments.withdraw(second, by=fiona(), at=APRIL_3).state == "withdrawn"
    assert not Entry.objects.exists()
    assert not OutgoingMail.objects.filter(kind="adjustment_posted").exists()
    assert AuditEvent.objects.get(action="adjustment.refused").note == "Not agreed."


def test_what_arrives_after_a_close_falls_into_the_open_month(house: House) -> None:
    close_months(house.program, Month(2026, 3), at=APRIL_3)
    made = put(house, at=datetime(2026, 3, 31, 12, tzinfo=UTC))
    assert made.posted_in is not None
    assert made.posted_in.period.as_month == Month(2026, 4)


def test_it_is_on_the_statement_of_its_month_among_the_adjustments(house: House) -> None:
    put(house, "50.00")
    put(house, "-20.00", kind="adjustment", reason="duplicate", note="Order 7 was counted twice.")
    [march] = close_months(house.program, Month(2026, 3), at=APRIL_3)
    assert (march.adjusted_minor, march.closing_minor) == (30_00, 30_00)


def test_the_partner_is_told_with_the_amount_the_words_and_the_balance(house: House) -> None:
    made = put(house, "50.00")
    put(house, "-20.00", kind="adjustment", reason="duplicate", note="Order 7 was counted twice.")
    added, taken = OutgoingMail.objects.filter(kind="adjustment_posted").order_by("pk")
    assert (added.to, added.about, added.subject) == ("ana@studio.example", made.public_id, "Bonus: £50.00")
    assert "£50.00 was added to your balance with Halden affiliates." in added.text
    assert f"Campaign: {NOTE}" in added.text
    assert "your statement for March 2026. Your balance ready to pay is now £50.00." in added.text
    assert taken.subject == "Correction: £20.00"
    assert "£20.00 was taken from your balance" in taken.text
    assert "now £30.00." in taken.text


def test_reimbursed_costs_need_a_file_which_is_kept_with_its_hash(house: House) -> None:
    with pytest.raises(checks.EvidenceMissing) as refusal:
        put(house, kind="mdf", reason="marketing")
    assert refusal.value.field == "evidence"
    made = put(house, kind="mdf", reason="marketing", evidence=file())
    assert made.state == "posted"
    assert made.evidence_name == "invoice.pdf"
    assert made.evidence_sha256 == hashlib.sha256(b"%PDF-1.7 printer, 300.00").hexdigest()
    with default_storage.open(made.evidence.name or "") as kept:
        assert kept.read() == b"%PDF-1.7 printer, 300.00"


def test_a_file_is_not_kept_when_the_proposal_is_refused(house: House) -> None:
    with pytest.raises(checks.NoDebt):
        put(house, kind="write_off", reason="left_in_debt", evidence=file())
    with pytest.raises(evidence.EvidenceOfAnotherKind):
        put(house, evidence=SimpleUploadedFile("x.pdf", b"MZ\x90\x00"))
    assert default_storage.listdir("")[0] == [] or default_storage.listdir("evidence")[1] == []
    assert not Adjustment.objects.exists()


def test_a_debt_is_written_off_by_two_people_and_never_more_than_it(house: House) -> None:
    in_debt(house)
    assert payable(house) == -80_00
    with pytest.raises(checks.MoreThanTheDebt) as refusal:
        put(house, "80.01", kind="write_off", reason="left_in_debt")
    assert refusal.value.field == "amount"
    made = put(house, "80.00", kind="write_off", reason="left_in_debt", note="We let it go.")
    assert (made.state, made.needs_second_person, made.is_taxable) == ("proposed", True, False)
    done = adjustments.approve(made, by=felix(), at=APRIL_3)
    assert payable(house) == 0
    assert of_program(house, AccountKind.BAD_DEBT) == -80_00
    assert done.posted_in is not None
    assert (done.posted_in.key, done.posted_in.kind) == (f"write_off:{made.public_id}", "write_off")
    assert reconciliation.check() == []


def test_a_debt_that_shrank_since_is_not_written_off_beyond_what_is_left(house: House) -> None:
    in_debt(house)
    made = put(house, "80.00", kind="write_off", reason="left_in_debt")
    put(house, "30.00")
    with pytest.raises(checks.MoreThanTheDebt):
        adjustments.approve(made, by=felix(), at=APRIL_3)
    made.refresh_from_db()
    assert (made.state, payable(house)) == ("proposed", -50_00)


def test_a_debt_is_not_written_off_while_a_payment_is_on_its_way(house: House) -> None:
    """The payment may come back, and what comes back pays the debt."""
    member = house.members["ANA10"]
    put(house, "100.00")
    close_months(house.program, Month(2026, 3), at=APRIL_3)
    give_account(member, at=APRIL_3)
    run = exported(house.program.legal_entity, at=APRIL_3)
    put(house, "-80.00", kind="adjustment", reason="order_correction", at=APRIL_3)
    with pytest.raises(checks.PaymentUnderWay):
        put(house, "80.00", kind="write_off", reason="left_in_debt", at=APRIL_3)
    pay_runs.fail(run.payments.get(), reason="Account closed", by=fiona(), at=APRIL_3)
    assert payable(house) == 20_00
    with pytest.raises(checks.NoDebt):
        put(house, "80.00", kind="write_off", reason="left_in_debt", at=APRIL_3)


def test_what_is_put_forward_twice_under_one_name_is_booked_once(house: House) -> None:
    name = public_id("adj")
    first, second = put(house, public_id=name), put(house, public_id=name)
    assert (first.pk, first.public_id, payable(house)) == (second.pk, name, 50_00)
    with pytest.raises(adjustments.PutForwardAlready):
        put(house, "60.00", public_id=name)
    assert payable(house) == 50_00


def test_what_is_taken_back_of_advances_is_never_more_than_was_advanced(house: House) -> None:
    put(house, "75.00", kind="draw", reason="advance")
    with pytest.raises(checks.MoreThanAdvanced):
        put(house, "-75.01", kind="draw", reason="advance")
    put(house, "-50.00", kind="draw", reason="advance")
    with pytest.raises(checks.MoreThanAdvanced):
        put(house, "-25.01", kind="draw", reason="advance")
    assert of_program(house, AccountKind.ADVANCES) == -25_00
    assert payable(house) == 25_00


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"amount": "0.00"}, checks.NoAmount, "amount"),
        ({"amount": "100000000000.01"}, checks.AmountTooLarge, "amount"),
        ({"amount": "-1.00"}, checks.OnlyAdds, "amount"),
        ({"amount": "-1.00", "kind": "mdf"}, checks.OnlyAdds, "amount"),
        ({"kind": "gift"}, checks.UnknownKind, "kind"),
        ({"kind": "write_off"}, checks.NoDebt, "amount"),
        ({"reason": "mood"}, checks.UnknownReason, "reason"),
        ({"note": "  "}, checks.NoNote, "note"),
        ({"note": "x" * 201}, checks.NoNote, "note"),
        ({"internal_note": "x" * 2001}, checks.NoteTooLong, "internal_note"),
    ],
)
def test_wrong_input_is_refused_at_its_field_and_nothing_is_saved(
    house: House, changes: dict[str, Any], refusal: type[Refused], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        put(house, **changes)
    assert refused.value.field == field
    assert not Adjustment.objects.exists()
    assert not Entry.objects.exists()


def test_another_currency_than_the_balance_s_is_refused(house: House) -> None:
    with pytest.raises(checks.AnotherCurrency, match="GBP"):
        adjustments.propose(
            house.members["ANA10"],
            kind="bonus",
            amount=Money(50_00, "EUR"),
            reason="campaign",
            note=NOTE,
            by=fiona(),
            at=MARCH_10,
        )


def test_a_line_of_another_membership_is_refused(house: House) -> None:
    with pytest.raises(checks.OfAnotherMembership) as refusal:
        put(house, commission=CommissionFactory.create())
    assert refusal.value.field == "commission"


def test_who_looks_after_partners_proposes_only_what_settles_a_question(house: House) -> None:
    with pytest.raises(policy.Forbidden):
        put(house, by=mats())
    house.sale("s1", "100.00", "ANA10", MARCH_2)
    house.rate(MARCH_10)
    line = house.members["ANA10"].commissions.get()
    question = DisputeFactory.create(commission=line)
    made = put(house, "2.00", kind="adjustment", reason="dispute", dispute=question, by=mats())
    # However little it is: account managers do not move money.
    assert (made.state, made.needs_second_person) == ("proposed", True)
    with pytest.raises(policy.Forbidden):
        adjustments.approve(made, by=mats(), at=APRIL_3)
    assert adjustments.approve(made, by=fiona(), at=APRIL_3).state == "posted"


def test_only_booked_ones_are_the_partner_s_to_see(house: House) -> None:
    posted, proposed = put(house, "50.00"), put(house, "500.00")
    assert list(Adjustment.objects.visible_to(ana())) == [posted]
    assert set(Adjustment.objects.visible_to(fiona())) == {posted, proposed}
    assert not Adjustment.objects.visible_to(mats()).exists()


def test_the_database_keeps_what_was_proposed(house: House) -> None:
    made = put(house, "500.00")
    for change in ({"amount_minor": 1}, {"note": "Else."}, {"needs_second_person": False}):
        with pytest.raises(IntegrityError, match="withdraw it instead"), transaction.atomic():
            Adjustment.objects.filter(pk=made.pk).update(**change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        made.delete()
