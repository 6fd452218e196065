"""What comes between looking and doing, and limits that hold in every time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from partners import clause_questions, introductions, terms_asking
from partners.choices import Consequence
from partners.models import TermsNotice
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory
from tests.partners.test_terms_asking import DAY, NOW, house
from tests.people import ana

pytestmark = pytest.mark.django_db


def test_a_question_asked_while_the_sweep_looked_stops_the_consequence() -> None:
    _program, membership, version = house(Consequence.SUSPENDED)
    terms_asking.tell(version.pk, at=NOW)
    notice = TermsNotice.objects.get()  # found to be late by the sweep, which now waits for the lock
    clause_questions.ask(
        membership, version=version, section="pricing", text="From when on?", by=ana(), at=NOW + 59 * DAY
    )
    assert terms_asking.carry_out(notice, at=NOW + 60 * DAY) is False
    membership.refresh_from_db()
    assert membership.state == "active"
    notice.refresh_from_db()
    assert notice.overdue_at is None


def test_five_wishes_in_any_day_are_the_most_late_in_the_evening_too() -> None:
    owner = MemberFactory(user=UserFactory())
    late = datetime(2026, 6, 20, 23, 30, tzinfo=UTC)  # the 21st already, in London
    with timezone.override("Europe/London"):
        for minute in range(introductions.WISHES_A_DAY):
            at = late + timedelta(minutes=minute)
            introductions.wish(owner.partner, text="A potter.", by=owner.user, at=at)
        with pytest.raises(introductions.TooMany):
            introductions.wish(owner.partner, text="A potter.", by=owner.user, at=late + timedelta(minutes=9))
    introductions.wish(owner.partner, text="A potter.", by=owner.user, at=late + timedelta(days=1, minutes=1))
