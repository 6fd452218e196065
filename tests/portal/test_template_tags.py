"""What templates write: amounts, rates, dates and icons in the reader's language, always with the machine's form beside them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from prm.lib.money import Money
from prm.lib.periods import Month

NOON = datetime(2026, 11, 18, 11, 31, 5, tzinfo=UTC)


def shown(source: str, **context: object) -> str:
    return Template("{% load portal %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "€2,316.55"), ("fr", "2\u202f316,55\xa0€"), ("pl", "2316,55\xa0€")],
)
def test_an_amount_is_written_in_the_language_in_force(language: str, text: str) -> None:
    with translation.override(language):
        written = shown("{{ amount|money }}", amount=Money(231_655, "EUR"))
    # Babel groups four digits in Polish, browsers do not; either is read the same.
    assert written.replace("2\xa0316", "2316") == text


def test_a_negative_amount_has_a_minus_sign_and_not_a_hyphen() -> None:
    assert shown("{{ amount|money }}", amount=Money(-12_520, "GBP")) == "\N{MINUS SIGN}£125.20"


@pytest.mark.parametrize(("language", "text"), [("en", "18.5%"), ("fr", "18,5\xa0%"), ("pl", "18,5%")])
def test_a_rate_keeps_all_its_digits(language: str, text: str) -> None:
    with translation.override(language):
        assert shown("{{ rate|percent }}", rate=Decimal("0.185")) == text


def test_a_date_carries_its_machine_form_and_the_day_comes_first() -> None:
    day = date(2026, 12, 2)
    assert shown("{{ day|when }}", day=day) == '<time datetime="2026-12-02">2 Dec 2026</time>'
    assert shown("{{ day|when:'day' }}", day=day) == '<time datetime="2026-12-02">2 Dec</time>'


def test_an_instant_is_shown_in_the_zone_asked_for() -> None:
    text = shown("{{ at|whenat:'Europe/Warsaw' }}", at=NOON)
    assert text.startswith('<time datetime="2026-11-18T12:31:05+01:00">18 Nov 2026, 12:31')
    assert shown("{{ at|daytime:'Europe/Warsaw' }}", at=NOON).endswith(">18 Nov, 12:31</time>")


def test_an_instant_where_a_date_belongs_is_refused() -> None:
    with pytest.raises(TypeError, match="whenat"):
        shown("{{ at|when }}", at=NOON)


def test_nothing_is_written_for_nothing() -> None:
    assert (
        shown(
            "{{ a|money }}{{ a|percent }}{{ a|when }}{{ a|whenat }}{{ a|daytime }}{{ a|month }}{{ a|number }}",
            a=None,
        )
        == ""
    )


def test_a_month_stands_alone() -> None:
    with translation.override("pl"):
        assert shown("{{ month|month }}", month=Month(2026, 11)) == "listopad 2026"


def test_an_icon_is_hidden_from_screen_readers_and_an_unknown_one_is_an_error() -> None:
    assert 'aria-hidden="true"' in shown("{% icon 'clock' %}")
    with pytest.raises(KeyError):
        shown("{% icon 'unicorn' %}")


def test_a_badge_is_a_word_with_an_icon_and_escapes_what_it_is_given() -> None:
    badge = shown("{% status_badge 'on_hold' 'commission' %}")
    assert 'class="badge warn"' in badge
    assert "<svg" in badge
    assert "On hold" in badge
    assert "&lt;b&gt;" in shown("{% status_badge '<b>' 'payment' %}")
