"""One vocabulary: every state of every model has a word with an icon, and dates are said where they are known."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import TextChoices
from django.utils import translation

from partners.choices import ApplicationState, MembershipState
from payouts.choices import CommissionState, PaymentState, PayRunState, PeriodState, StatementState
from portal import status
from portal.icons import ICONS
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.runs.choices import RunState

TONES = {status.NEUTRAL, status.OK, status.INFO, status.WARN, status.BAD}


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("commission", CommissionState),
        ("statement", StatementState),
        ("payment", PaymentState),
        ("pay_run", PayRunState),
        ("application", ApplicationState),
        ("membership", MembershipState),
        ("period", PeriodState),
        ("run", RunState),
    ],
)
def test_every_state_has_a_word(kind: str, states: type[TextChoices]) -> None:
    assert set(states.values) <= set(status.VOCABULARIES[kind])


def test_every_word_has_a_drawn_icon_and_a_known_tone() -> None:
    for words in status.VOCABULARIES.values():
        for word in words.values():
            assert word.icon in ICONS
            assert word.tone in TONES
            assert str(word.label)


def test_every_commission_state_with_money_has_its_place_on_the_path() -> None:
    assert set(CommissionState.values) <= set(status.STAGE_OF)
    assert set(status.STAGE_OF.values()) == set(status.PATH)


def test_a_hold_says_until_when() -> None:
    word = status.commission_status("on_hold", until=date(2026, 12, 2), locale="en_GB")
    assert (word.label, word.icon, word.tone) == ("On hold until 2 Dec", "pause", "warn")


def test_ready_money_names_its_statement_or_the_minimum_it_misses() -> None:
    november = status.commission_status("payable", month=Month(2026, 11), locale="en_GB")
    below = status.commission_status("payable", below_minimum=Money(5000, "EUR"), locale="en_GB")
    assert november.help == "On your November statement"
    assert below.help == "Below the €50.00 minimum, carried over"


def test_money_on_its_way_says_when_it_was_sent_and_when_it_arrives() -> None:
    word = status.commission_status(
        "sent", sent_on=date(2026, 11, 20), arrives_by=date(2026, 11, 25), locale="en_GB"
    )
    assert (word.label, word.help) == ("On its way", "Sent 20 Nov, arrives by 25 Nov")


def test_paid_money_says_when_with_its_year() -> None:
    word = status.commission_status("paid", paid_on=date(2025, 10, 14), reference="PAY-7", locale="en_GB")
    assert (word.label, word.help, word.tone) == ("Paid 14 Oct 2025", "PAY-7", "ok")


def test_a_pause_says_why_and_until_when_it_is_looked_at() -> None:
    word = status.commission_status(
        "paused", reason="Two orders share one address.", review_by=date(2026, 11, 30), locale="en_GB"
    )
    assert word.help == "Two orders share one address. Reviewed by 30 Nov"


def test_a_statement_says_when_it_is_paid() -> None:
    due = status.statement_status("approved", due_on=date(2026, 12, 14), locale="en_GB")
    paid = status.statement_status("paid", paid_on=date(2026, 12, 14), locale="en_GB")
    assert due.label == "Approved, payment on 14 Dec"
    assert paid.label == "Paid 14 Dec 2026"


def test_an_application_with_an_unconfirmed_address_says_so_first() -> None:
    assert status.application_status("submitted", email_confirmed=False).label == "Email to confirm"
    assert status.application_status("submitted").label == "Received"


def test_an_unknown_state_shows_its_name_rather_than_break_the_page() -> None:
    assert status.word("payment", "lost_in_space") == status.StatusWord("Lost in space", "info", "neutral")


def test_dates_follow_the_language_in_force() -> None:
    with translation.override("pl"):
        assert status.commission_status("on_hold", until=date(2026, 12, 2)).label.endswith("2 gru")


@pytest.mark.parametrize(
    ("days", "text"), [(1, "Checked within 1 working day"), (5, "Checked within 5 working days")]
)
def test_the_promise_counts_in_words(days: int, text: str) -> None:
    assert status.working_days_text(days) == text
