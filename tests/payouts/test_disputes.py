"""Questions about a line: who may ask until when, what the engine suggests, how the thread moves, and that a question is decided once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from partners.models import Member
from payouts import adjustments, disputes, ledger, periods
from payouts.adjustment_checks import AnotherCurrency
from payouts.choices import AccountKind, AdjustmentState, DisputeState
from payouts.disputes import clock
from payouts.evidence import EvidenceOfAnotherKind
from payouts.models import Adjustment, Commission, Dispute, DisputeMessage, Entry
from portal import roles
from prm.accounts import policy
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.prm import UserFactory
from tests.house import House, open_house
from tests.people import ada, ana, felix, fiona, mats
from tiers import publishing
from tiers.models import Plan, Rule

pytestmark = pytest.mark.django_db

SOLD = datetime(2026, 3, 10, 12, tzinfo=UTC)
ASKED = datetime(2026, 3, 12, 9, tzinfo=UTC)  # a Thursday
LATER = ASKED + timedelta(hours=3)


def sold(**terms: Any) -> tuple[House, Commission]:
    """Open a house with Ana's partner and one order of 100.00 that earned 8.00."""
    house = open_house(**terms)
    house.member("ANA", owner=ana())
    house.sale("A-1", "100.00", "ANA", SOLD)
    house.rate(SOLD)
    return house, Commission.objects.get()


def ask(line: Commission, **changes: Any) -> Dispute:
    given: dict[str, Any] = {"cause": "rate", "text": "Gold is 10 %.", "by": ana(), "at": ASKED}
    return disputes.open(line, **given | changes)


def payable(line: Commission) -> int:
    return ledger.balance(ledger.partner_account(line.membership, AccountKind.PAYABLE)).minor


def everything() -> dict[str, list[dict[str, Any]]]:
    tables: tuple[type[Any], ...] = (Dispute, DisputeMessage, Adjustment, Entry, OutgoingMail)
    return {table._meta.label: list(table._default_manager.order_by("pk").values()) for table in tables}


def team_member(line: Commission, role: str) -> User:
    person: User = UserFactory(email=f"{role}@studio.example")
    Member.objects.create(partner=line.membership.partner, user=person, role=role, joined_at=SOLD)
    return person


def test_a_question_starts_its_clock_and_tells_finance_where_no_account_manager_is_named() -> None:
    fiona()
    _house, line = sold()
    asked = ask(line)
    # Five working days after Thursday 12 March 2026 is Thursday 19 March; London is on GMT until the 29th.
    assert asked.answer_by_at == datetime(2026, 3, 20, tzinfo=UTC)
    assert clock.last_day(asked.answer_by_at, line.membership.program).isoformat() == "2026-03-19"
    [message] = asked.messages.all()
    assert (message.text, message.is_from_partner, message.written_by) == ("Gold is 10 %.", True, ana())
    [mail] = OutgoingMail.objects.filter(kind="question_asked")
    assert mail.to == fiona().email
    assert "£8.00" in mail.text and "19 Mar 2026" in mail.text and "Gold is 10 %." in mail.text
    assert AuditEvent.objects.filter(action="dispute.opened").count() == 1


def test_the_account_manager_is_told_instead_of_finance() -> None:
    fiona()
    _house, line = sold()
    partner = line.membership.partner
    partner.account_manager = mats()
    partner.save()
    ask(line)
    assert [mail.to for mail in OutgoingMail.objects.filter(kind="question_asked")] == [mats().email]


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        ("2026-03-12", 1, "2026-03-13"),  # Thursday to Friday
        ("2026-03-13", 1, "2026-03-16"),  # Friday to Monday
        ("2026-03-14", 1, "2026-03-16"),  # a Saturday counts from Monday on
        ("2026-03-13", 5, "2026-03-20"),
        ("2026-03-13", 0, "2026-03-13"),
    ],
)
def test_an_answer_is_promised_in_working_days(day: str, days: int, expected: str) -> None:
    house = open_house()
    house.program.answer_days = days
    until = clock.answer_by(house.program, datetime.fromisoformat(f"{day}T12:00:00+00:00"))
    assert clock.last_day(until, house.program).isoformat() == expected


@pytest.mark.parametrize("role", ["owner", "finance", "marketing", "sales"])
def test_whoever_works_for_the_partner_may_ask(role: str) -> None:
    _house, line = sold()
    assert ask(line, by=team_member(line, role)).state == DisputeState.OPENED


def test_who_only_looks_who_has_left_and_staff_may_not_ask() -> None:
    _house, line = sold()
    reads, gone = team_member(line, "read_only"), team_member(line, "sales")
    Member.objects.filter(user=gone).update(ended_at=ASKED, ended_by=ada())
    before = everything()
    for person in (reads, gone, fiona(), UserFactory(email="stranger@x.example")):
        with pytest.raises(disputes.NotYourQuestion):
            ask(line, by=person)
    assert everything() == before


def test_a_line_can_be_questioned_until_the_window_of_its_statement_is_over() -> None:
    house, line = sold(hold_days=0)
    issued = datetime(2026, 4, 1, 9, tzinfo=UTC)
    assert clock.ask_until(line) is None  # on no statement yet
    for month in (1, 2, 3):
        periods.close(house.program, Month(2026, month), by=fiona(), at=issued)
    line = Commission.objects.get()
    # 30 local days after 1 April is 1 May, all of it: British Summer Time ends the day at 23:00 UTC.
    last = datetime(2026, 5, 1, 22, 59, 59, tzinfo=UTC)
    before = everything()
    with pytest.raises(disputes.TooLateToAsk, match="1 May 2026"):
        ask(line, at=last + timedelta(seconds=1))
    assert everything() == before
    assert ask(line, at=last).state == DisputeState.OPENED


def test_a_line_has_one_open_question_at_a_time() -> None:
    _house, line = sold()
    first = ask(line)
    before = everything()
    with pytest.raises(disputes.AlreadyAsked):
        ask(line, text="And when is it paid?")
    assert everything() == before
    disputes.withdraw(first, by=ana(), at=LATER)
    assert ask(line, at=LATER).pk != first.pk


def test_two_clicks_ask_one_question() -> None:
    _house, line = sold()
    first = ask(line)
    before = everything()
    assert ask(line, at=LATER) == first
    assert everything() == before


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"cause": "weather"}, disputes.BadWish),
        ({"text": "  "}, disputes.BadText),
        ({"text": "x" * 4001}, disputes.BadText),
        ({"evidence": SimpleUploadedFile("a.pdf", b"MZ\x90\x00\x03")}, EvidenceOfAnotherKind),
    ],
)
def test_what_makes_no_question_is_refused(wrong: dict[str, Any], refusal: type[Exception]) -> None:
    _house, line = sold()
    before = everything()
    with pytest.raises(refusal):
        ask(line, **wrong)
    assert everything() == before


def test_when_the_books_agree_the_suggestion_is_zero_and_shows_the_calculation() -> None:
    _house, line = sold()
    asked = ask(line)
    assert asked.suggested_minor == 0
    assert asked.suggestion["outcome"] == "agrees"
    assert (asked.suggestion["booked_minor"], asked.suggestion["due_minor"]) == (8_00, 8_00)
    [because] = asked.suggestion["because"]
    assert (because["amount"], because["rule"]["key"]) == (8_00, "every-order")


def test_what_the_engine_would_book_today_is_suggested_with_both_figures() -> None:
    _house, line = sold()
    with (
        suspended_triggers()
    ):  # nothing of ours rewrites a published rule: the line was booked by a wrong one
        Rule.objects.update(rate=10)
    asked = ask(line)
    assert asked.suggested_minor == 2_00  # 10 % of 100.00 is 10.00, booked were 8.00
    assert (asked.suggestion["booked_minor"], asked.suggestion["due_minor"]) == (8_00, 10_00)
    assert asked.suggestion["outcome"] == "differs"
    assert (Commission.objects.count(), Adjustment.objects.count()) == (1, 0)  # nothing was posted


def test_a_refund_is_looked_at_with_all_refunds_of_its_sale() -> None:
    house, _line = sold()
    house.refund("R-1", "30.00", "ANA", SOLD + timedelta(hours=1), of="A-1")
    house.rate(SOLD + timedelta(hours=1))
    reversal = Commission.objects.get(amount_minor=-2_40)
    found = disputes.suggest(reversal, at=ASKED)
    assert (found.outcome, found.minor, found.booked_minor, found.due_minor) == ("agrees", 0, -2_40, -2_40)


def test_a_line_of_a_window_is_compared_over_the_whole_window() -> None:
    house, _line = sold()
    version = publishing.draft_from(Plan.objects.get(), by=ada(), at=SOLD)
    version.rules.all().delete()
    steps = [{"from": 0, "rate": "5"}, {"from": 10_000, "rate": "10"}]
    Rule.objects.create(
        version=version,
        key="monthly",
        name="Monthly",
        kind="graduated",
        rate=0,
        event_kinds=["sale", "refund"],
        params={"window": {"kind": "month", "months": 1}, "steps": steps},
    )
    publishing.publish(version, effective_at=SOLD + timedelta(hours=1), by=ada(), at=SOLD)
    for number, amount in ((2, "60.00"), (3, "80.00")):
        house.sale(f"A-{number}", amount, "ANA", SOLD + timedelta(days=number))
        house.rate(SOLD + timedelta(days=number))
    # 140.00 in the month: 5 % of the first 100.00 and 10 % of 40.00 are 9.00, of which the second sale brought 6.00.
    line = Commission.objects.get(conversion__external_id="A-2")
    assert line.amount_minor == 3_00
    found = disputes.suggest(line, at=SOLD + timedelta(days=5))
    assert (found.outcome, found.minor, found.booked_minor, found.due_minor) == ("agrees", 0, 9_00, 9_00)
    with suspended_triggers():
        Rule.objects.filter(key="monthly").update(
            params={"window": {"kind": "month", "months": 1}, "steps": [{"from": 0, "rate": "10"}]}
        )
    found = disputes.suggest(line, at=SOLD + timedelta(days=5))
    assert (found.outcome, found.minor, found.booked_minor, found.due_minor) == ("differs", 5_00, 9_00, 14_00)


def test_what_a_person_corrected_already_is_not_suggested_again_and_a_gift_never_taken_back() -> None:
    _house, line = sold()
    line.membership.program.second_person_above_minor = 100_00
    line.membership.program.save()
    first = ask(line)
    disputes.accept(first, amount=Money(3_00, "GBP"), note="With our thanks.", by=fiona(), at=LATER)
    assert (
        disputes.suggest(line, at=LATER).minor == 0
    )  # the engine agrees with the books: nothing to take back
    with suspended_triggers():
        Rule.objects.update(rate=15)
    assert disputes.suggest(line, at=LATER).minor == 4_00  # 15.00 due, 8.00 booked, 3.00 given by hand


def test_a_line_of_a_month_is_not_rated_again_and_can_be_asked_about() -> None:
    _house, _line = sold()
    with suspended_triggers():
        Commission.objects.update(credit=None, conversion=None, kind="retainer")
    asked = ask(Commission.objects.get())
    assert (asked.suggested_minor, asked.suggestion["outcome"]) == (None, "not_recomputed")


def test_rating_that_fails_keeps_nobody_from_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    _house, line = sold()

    def fails(*_args: object, **_more: object) -> None:
        raise LookupError("Version 1 has no rule.")

    monkeypatch.setattr("payouts.disputes.suggestion._recount", fails)
    asked = ask(line)
    assert (asked.suggested_minor, asked.suggestion["outcome"]) == (None, "failed")


def test_an_answer_keeps_the_instant_of_the_first_and_tells_who_asked() -> None:
    _house, line = sold()
    asked = ask(line, by=team_member(line, "sales"))
    disputes.answer(asked, text="Look at the plan.", by=mats(), at=LATER)
    assert (asked.state, asked.first_answered_at) == (DisputeState.ANSWERED, LATER)
    disputes.answer(asked, text="Which order?", by=mats(), at=LATER + timedelta(1), waits_for_partner=True)
    assert (asked.state, asked.first_answered_at) == (DisputeState.WAITING_PARTNER, LATER)
    mails = OutgoingMail.objects.filter(kind="question_answered").order_by("pk")
    readers = {ana().email, "sales@studio.example"}
    assert {mail.to for mail in mails} == readers and mails.count() == 4
    assert "Look at the plan." in mails[0].text and "Which order?" in mails[3].text


def test_writing_back_after_an_answer_starts_the_clock_again_and_before_it_does_not() -> None:
    _house, line = sold()
    asked = ask(line)
    promise = asked.answer_by_at
    disputes.reply(asked, text="One more thing.", by=ana(), at=ASKED + timedelta(days=4))
    assert (asked.state, asked.answer_by_at) == (DisputeState.OPENED, promise)
    disputes.answer(asked, text="Why?", by=mats(), at=ASKED + timedelta(days=5))
    disputes.reply(asked, text="Because.", by=ana(), at=ASKED + timedelta(days=6))
    # Wednesday 18 March and five working days: Wednesday 25 March, to its end.
    assert (asked.state, asked.answer_by_at) == (DisputeState.OPENED, datetime(2026, 3, 26, tzinfo=UTC))


def test_accepting_books_the_amount_in_the_open_month_and_tells_the_partner() -> None:
    _house, line = sold()
    line.membership.program.second_person_above_minor = 5_00
    line.membership.program.save()
    asked = ask(line)
    made = disputes.accept(asked, amount=Money(2_00, "GBP"), note="Gold it is.", by=fiona(), at=LATER)
    assert made is not None
    assert (made.state, made.reason, made.kind) == (AdjustmentState.POSTED, "dispute", "adjustment")
    assert (made.dispute, made.commission, made.amount) == (asked, line, Money(2_00, "GBP"))
    assert payable(line) == 2_00
    assert (asked.state, asked.decided_by, asked.decided_at) == (DisputeState.ACCEPTED, fiona(), LATER)
    [mail] = OutgoingMail.objects.filter(kind="question_decided")
    assert mail.to == ana().email and "£2.00 is booked this month" in mail.text and "Gold it is." in mail.text
    line.refresh_from_db()
    assert line.amount_minor == 8_00  # the line stays as it was


def test_above_the_limit_an_accepted_amount_waits_for_a_second_person() -> None:
    _house, line = sold()  # the program's limit is zero
    asked = ask(line)
    made = disputes.accept(asked, amount=Money(2_00, "GBP"), note="Gold it is.", by=fiona(), at=LATER)
    assert made is not None and made.state == AdjustmentState.PROPOSED
    assert (asked.state, payable(line)) == (DisputeState.ACCEPTED, 0)
    [mail] = OutgoingMail.objects.filter(kind="question_decided")
    assert "waits for a second person" in mail.text
    with pytest.raises(disputes.StillUnderWay):
        disputes.reopen(asked, reason="No.", by=fiona(), at=LATER)
    adjustments.approve(made, by=felix(), at=LATER)
    assert payable(line) == 2_00


def test_what_the_second_person_refused_is_opened_again() -> None:
    _house, line = sold()
    asked = ask(line)
    made = disputes.accept(asked, amount=Money(2_00, "GBP"), note="Gold it is.", by=fiona(), at=LATER)
    assert made is not None
    adjustments.refuse(made, note="It is Silver.", by=felix(), at=LATER)
    disputes.reopen(asked, reason="We look at it once more.", by=fiona(), at=LATER)
    assert (asked.state, asked.decided_at, asked.decided_by) == (DisputeState.OPENED, None, None)
    assert OutgoingMail.objects.filter(kind="question_answered", to=ana().email).count() == 1
    disputes.refuse(asked, reason="It was Silver then.", by=fiona(), at=LATER)
    with pytest.raises(disputes.AlreadyDecided):
        disputes.reopen(asked, reason="No.", by=fiona(), at=LATER)


def test_only_finance_accepts_with_money_and_an_account_manager_without() -> None:
    _house, line = sold()
    asked = ask(line)
    before = everything()
    with pytest.raises(policy.Forbidden):
        disputes.accept(asked, amount=Money(2_00, "GBP"), note="Yes.", by=mats(), at=LATER)
    assert everything() == before
    assert disputes.accept(asked, amount=Money(0, "GBP"), note="Yes.", by=mats(), at=LATER) is None
    assert (asked.state, Adjustment.objects.count()) == (DisputeState.ACCEPTED, 0)


def test_what_an_adjustment_is_refused_for_decides_nothing() -> None:
    _house, line = sold()
    asked = ask(line)
    before = everything()
    with pytest.raises(AnotherCurrency):
        disputes.accept(asked, amount=Money(2_00, "EUR"), note="Yes.", by=fiona(), at=LATER)
    assert everything() == before
    asked.refresh_from_db()
    assert asked.state == DisputeState.OPENED


MOVES: list[tuple[str, Any]] = [
    ("answer", lambda d: disputes.answer(d, text="Late.", by=fiona(), at=LATER)),
    ("reply", lambda d: disputes.reply(d, text="Late.", by=ana(), at=LATER)),
    ("accept", lambda d: disputes.accept(d, amount=Money(1, "GBP"), note="x", by=fiona(), at=LATER)),
    ("refuse", lambda d: disputes.refuse(d, reason="x", by=fiona(), at=LATER)),
    ("withdraw", lambda d: disputes.withdraw(d, by=ana(), at=LATER)),
    ("look again", lambda d: disputes.look_again(d, by=fiona(), at=LATER)),
]


@pytest.mark.parametrize("move", [move for _name, move in MOVES], ids=[name for name, _move in MOVES])
def test_whoever_comes_second_to_a_decided_question_changes_nothing(move: Any) -> None:
    _house, line = sold()
    asked = ask(line)
    stale = Dispute.objects.get(pk=asked.pk)  # read before the first decision
    disputes.refuse(asked, reason="It was Silver then.", by=felix(), at=LATER)
    before = everything()
    with pytest.raises(disputes.AlreadyDecided):
        move(stale)
    assert everything() == before


@pytest.mark.parametrize("move", [move for name, move in MOVES if name in ("reply", "withdraw")])
def test_a_stranger_moves_nothing_for_the_partner(move: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _house, line = sold()
    asked = ask(line)
    Member.objects.update(ended_at=LATER, ended_by=ada())
    before = everything()
    with pytest.raises(disputes.NotYourQuestion):
        move(asked)
    assert everything() == before


def test_partners_cannot_answer_their_own_question() -> None:
    _house, line = sold()
    asked = ask(line)
    for move in (
        lambda: disputes.answer(asked, text="Yes.", by=ana(), at=LATER),
        lambda: disputes.refuse(asked, reason="Yes.", by=ana(), at=LATER),
        lambda: disputes.accept(asked, amount=Money(1, "GBP"), note="Yes.", by=ana(), at=LATER),
        lambda: disputes.look_again(asked, by=ana(), at=LATER),
    ):
        with pytest.raises(policy.Forbidden):
            move()


def test_looking_again_takes_the_books_as_they_are_now() -> None:
    _house, line = sold()
    asked = ask(line)
    with suspended_triggers():
        Rule.objects.update(rate=10)
    disputes.look_again(asked, by=mats(), at=LATER)
    asked.refresh_from_db()
    assert (asked.state, asked.suggested_minor) == (DisputeState.OPENED, 2_00)


def test_a_file_goes_with_the_message_under_a_name_of_ours() -> None:
    _house, line = sold()
    asked = ask(line, evidence=SimpleUploadedFile("../Order 1.pdf", b"%PDF-1.7 order"))
    [message] = asked.messages.all()
    assert message.evidence_name == "Order 1.pdf"
    place = str(message.evidence.name)
    assert place.startswith("evidence/") and "Order" not in place
    with message.evidence.open("rb") as file:
        assert file.read() == b"%PDF-1.7 order"


def test_the_portal_offers_to_ask_to_exactly_those_who_may() -> None:
    assert set(roles.roles_with(roles.ASK_QUESTIONS)) == set(disputes.MAY_ASK)
