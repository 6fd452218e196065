"""What the database itself refuses about touches, owners of customers, rules of attribution and settings of tracking, whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from referrals.models import AttributionVersion, Referral, Touch, TrackingSettings
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW
from tests.factories.tracking import (
    AttributionVersionFactory,
    ReferralFactory,
    TouchFactory,
    TrackingSettingsFactory,
)
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


def test_referrals_touch_kind() -> None:
    assert_refused("referrals_touch_kind", Touch, lambda: TouchFactory.create(kind="click"))


def test_referrals_touch_once_per_reference() -> None:
    touch = TouchFactory.create()
    again = {"membership": touch.membership, "reference": touch.reference}
    assert_refused("referrals_touch_once_per_reference", Touch, lambda: TouchFactory.create(**again))
    Touch.objects.update(withdrawn_at=NOW, withdrawn_by=UserFactory.create())
    TouchFactory.create(**again)


def test_referrals_touch_can_be_found() -> None:
    assert_refused("referrals_touch_can_be_found", Touch, lambda: TouchFactory.create(reference=""))


def test_referrals_touch_withdrawn_pair() -> None:
    assert_refused("referrals_touch_withdrawn_pair", Touch, lambda: TouchFactory.create(withdrawn_at=NOW))


def test_a_touch_stays_as_it_was_told() -> None:
    TouchFactory.create()
    for act in (
        lambda: Touch.objects.update(touched_at=NOW),
        lambda: Touch.objects.update(reference="other"),
        lambda: Touch.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="touch"), transaction.atomic():
            act()
    assert Touch.objects.get().touched_at == NOW - 30 * A_DAY


def test_referrals_referral_one_owner() -> None:
    row = ReferralFactory.create()
    again = {"program": row.program, "customer": row.customer, "membership": row.membership}
    assert_refused("referrals_referral_one_owner", Referral, lambda: ReferralFactory.create(**again))
    Referral.objects.update(ended_at=NOW)
    ReferralFactory.create(**again)


def test_referrals_referral_cause() -> None:
    assert_refused("referrals_referral_cause", Referral, lambda: ReferralFactory.create(cause="guessed"))


def test_referrals_referral_earns_after_start() -> None:
    assert_refused(
        "referrals_referral_earns_after_start",
        Referral,
        lambda: ReferralFactory.create(since_at=NOW, earns_until_at=NOW),
    )


def test_referrals_referral_ends_after_start() -> None:
    assert_refused(
        "referrals_referral_ends_after_start",
        Referral,
        lambda: ReferralFactory.create(since_at=NOW, ended_at=NOW - A_DAY),
    )


def test_referrals_referral_transfer_has_a_reason() -> None:
    assert_refused(
        "referrals_referral_transfer_has_a_reason",
        Referral,
        lambda: ReferralFactory.create(cause="transferred"),
    )


def test_who_brought_whom_is_ended_and_never_rewritten() -> None:
    row = ReferralFactory.create()
    other = ReferralFactory.create().membership
    for act in (
        lambda rows: rows.update(membership=other),
        lambda rows: rows.update(since_at=NOW),
        lambda rows: rows.delete(),
    ):
        with pytest.raises(IntegrityError, match="Who brought whom"), transaction.atomic():
            act(Referral.objects.filter(pk=row.pk))


def test_referrals_attributionversion_one_per_number() -> None:
    row = AttributionVersionFactory.create(published=True)
    assert_refused(
        "referrals_attributionversion_one_per_number",
        AttributionVersion,
        lambda: AttributionVersionFactory.create(program=row.program, number=row.number, published=True),
    )


def test_referrals_attributionversion_one_draft() -> None:
    row = AttributionVersionFactory.create()
    assert_refused(
        "referrals_attributionversion_one_draft",
        AttributionVersion,
        lambda: AttributionVersionFactory.create(program=row.program),
    )


def test_referrals_attributionversion_state() -> None:
    assert_refused(
        "referrals_attributionversion_state",
        AttributionVersion,
        lambda: AttributionVersionFactory.create(published=True, state="dreamt"),
    )


def test_referrals_attributionversion_published_has_dates() -> None:
    for values in ({"state": "published"}, {"published_at": NOW}):
        assert_refused(
            "referrals_attributionversion_published_has_dates",
            AttributionVersion,
            lambda values=values: AttributionVersionFactory.create(**values),
        )


def test_published_rules_of_attribution_stay() -> None:
    AttributionVersionFactory.create(published=True)
    for act in (
        lambda: AttributionVersion.objects.update(definition={}),
        lambda: AttributionVersion.objects.update(effective_at=NOW),
        lambda: AttributionVersion.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="Published attribution rules"), transaction.atomic():
            act()
    AttributionVersion.objects.update(state="superseded")


def test_a_program_has_its_settings_of_tracking_once() -> None:
    row = TrackingSettingsFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        TrackingSettingsFactory.create(program=row.program)
    assert TrackingSettings.objects.count() == 1
