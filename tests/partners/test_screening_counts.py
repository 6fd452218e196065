from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners import screening
from partners.models import Application
from partners.screening_counts import warning_counts
from tests.factories.partners import (
    ApplicationFactory,
    MemberFactory,
    MembershipFactory,
    PartnerFactory,
)
from tests.factories.prm import UserFactory

pytestmark = pytest.mark.django_db


def a_suspicious_queue() -> list[Application]:
    """Make applications that set off every warning there is, alone and together."""
    known = UserFactory.create(email="rita@known.example")
    place = MemberFactory.create(
        user=known, partner=PartnerFactory.create(name="Known Ltd", website="https://known.example")
    )
    MembershipFactory.create(partner=place.partner, state="banned")
    ApplicationFactory.create(email="twice@lima.example", state="withdrawn")
    PartnerFactory.create(name="Lima Reviews Limited", website="https://www.lima.example/shop")
    return [
        ApplicationFactory.create(),
        ApplicationFactory.create(
            email="rita@known.example", company="Known", website="https://known.example"
        ),
        ApplicationFactory.create(
            email="twice@lima.example", company="Lima Reviews", email_confirmed_at=None
        ),
        ApplicationFactory.create(email="x@mailinator.com", how_promote="Links."),
        ApplicationFactory.create(email="one@gmail.com", address="203.0.113.5"),
        ApplicationFactory.create(
            email="two@gmail.com", address="203.0.113.5", website="https://instagram.com/two"
        ),
        ApplicationFactory.create(company="", website=""),
    ]


def test_the_count_in_the_queue_is_the_number_of_warnings_on_the_page() -> None:
    queue = a_suspicious_queue()
    counts = warning_counts(queue)
    for application in queue:
        warnings = [
            signal.code for signal in screening.signals(application) if signal.level == screening.WARN
        ]
        assert counts[application.pk] == len(warnings), (application.email, warnings)


def test_what_is_decided_is_not_counted() -> None:
    withdrawn = ApplicationFactory.create(state="withdrawn")
    assert warning_counts([withdrawn]) == {}


def test_a_long_queue_asks_no_more_questions_than_a_short_one() -> None:
    few = a_suspicious_queue()
    with CaptureQueriesContext(connection) as short:
        warning_counts(few)
    many = [*few, *ApplicationFactory.create_batch(12, address="203.0.113.9")]
    with CaptureQueriesContext(connection) as whole:
        warning_counts(many)
    assert len(whole) == len(short)
