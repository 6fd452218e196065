"""Rows about tracking for tests: touches, referrals, rules of attribution, risk, reports, postbacks. They are written as rows; tests of
the verbs call the verbs."""

from __future__ import annotations

from datetime import date, timedelta

import factory
from factory.django import DjangoModelFactory

from payouts.models import (
    DailyTotal,
    Postback,
    PostbackDelivery,
    RiskCase,
    RiskCaseLine,
    RiskNote,
    RiskSettings,
    RiskSignal,
)
from referrals.attribution import settings
from referrals.models import (
    AddressKey,
    AttributionRecord,
    AttributionVersion,
    ConversionLine,
    ImportMapping,
    Inlet,
    Referral,
    RollupMark,
    Touch,
    TrackingSettings,
)
from tests.factories.payout_rows import CommissionFactory
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW, ConversionFactory, CustomerFactory, new_membership
from tests.factories.tiers import ProgramFactory

DAY = date(2026, 11, 19)


class TouchFactory(DjangoModelFactory[Touch]):
    """An introduction a month before `NOW`, found by its reference."""

    class Meta:
        model = Touch

    membership = factory.LazyFunction(new_membership)
    kind = "intro"
    reference = factory.Sequence(lambda number: f"intro-{number}")
    touched_at = NOW - timedelta(days=30)
    recorded_at = NOW - timedelta(days=30)


class ReferralFactory(DjangoModelFactory[Referral]):
    """A customer brought a hundred days ago, without an end."""

    class Meta:
        model = Referral

    membership = factory.LazyFunction(new_membership)
    program = factory.SelfAttribute("membership.program")
    customer = factory.SubFactory(CustomerFactory)
    cause = "attributed"
    since_at = NOW - timedelta(days=100)
    recorded_at = NOW - timedelta(days=100)


class AttributionVersionFactory(DjangoModelFactory[AttributionVersion]):
    """A draft of what holds anyway; `published=True` makes one in force for a year."""

    class Meta:
        model = AttributionVersion

    class Params:
        published = factory.Trait(
            state="published",
            effective_at=NOW - timedelta(days=365),
            published_at=NOW - timedelta(days=365),
            published_by=factory.SubFactory(UserFactory),
        )

    program = factory.SubFactory(ProgramFactory)
    number = factory.Sequence(lambda number: number + 1)
    definition = factory.LazyFunction(lambda: settings.dump(settings.standard(30)))
    created_at = NOW - timedelta(days=365)


class AttributionRecordFactory(DjangoModelFactory[AttributionRecord]):
    """A decision without candidates."""

    class Meta:
        model = AttributionRecord

    conversion = factory.SubFactory(ConversionFactory)
    cause = "recorded"
    decided_at = NOW


class ConversionLineFactory(DjangoModelFactory[ConversionLine]):
    """The first line of an order, its whole amount."""

    class Meta:
        model = ConversionLine

    conversion = factory.SubFactory(ConversionFactory)
    position = 1
    amount_minor = 100_00
    currency = "GBP"


class TrackingSettingsFactory(DjangoModelFactory[TrackingSettings]):
    """Settings that say what holds without them."""

    class Meta:
        model = TrackingSettings

    program = factory.SubFactory(ProgramFactory)


class AddressKeyFactory(DjangoModelFactory[AddressKey]):
    """The key of a day."""

    class Meta:
        model = AddressKey

    used_on = factory.Sequence(lambda number: DAY - timedelta(days=number))
    secret = "c2VjcmV0"


class InletFactory(DjangoModelFactory[Inlet]):
    """A signed postback that may tell sales."""

    class Meta:
        model = Inlet

    name = "Checkout"
    kind = "postback"
    source = "shop"
    kinds = factory.LazyFunction(lambda: ["sale"])
    secret = "a secret of some length"
    created_at = NOW
    created_by = factory.SubFactory(UserFactory)


class ImportMappingFactory(DjangoModelFactory[ImportMapping]):
    """A mapping of one column."""

    class Meta:
        model = ImportMapping

    source = "shop"
    header_sha256 = factory.Sequence(lambda number: f"{number:064x}")
    mapping = factory.LazyFunction(lambda: {"event_id": "Order"})
    changed_at = NOW
    changed_by = factory.SubFactory(UserFactory)


class RollupMarkFactory(DjangoModelFactory[RollupMark]):
    """A day on which something changed that nobody brought."""

    class Meta:
        model = RollupMark

    happened_on = DAY


class DailyTotalFactory(DjangoModelFactory[DailyTotal]):
    """A day with ten clicks and a sale of 100.00 GBP that earned 5.00 GBP."""

    class Meta:
        model = DailyTotal

    membership = factory.LazyFunction(new_membership)
    program = factory.SelfAttribute("membership.program")
    happened_on = DAY
    dimension = "all"
    clicks = 10
    visitors = 9
    conversions = 1
    revenue_minor = 100_00
    earned_minor = 5_00
    currency = "GBP"


class RiskSettingsFactory(DjangoModelFactory[RiskSettings]):
    """Settings that change nothing."""

    class Meta:
        model = RiskSettings

    program = factory.SubFactory(ProgramFactory)
    changed_at = NOW
    changed_by = factory.SubFactory(UserFactory)


class RiskCaseFactory(DjangoModelFactory[RiskCase]):
    """A case the monitor opened, to be decided in ten days."""

    class Meta:
        model = RiskCase

    membership = factory.LazyFunction(new_membership)
    state = "open"
    reason = "Some orders look as if you had bought them yourself."
    opened_at = NOW
    review_on = DAY + timedelta(days=10)


class RiskCaseLineFactory(DjangoModelFactory[RiskCaseLine]):
    """A line a case is about."""

    class Meta:
        model = RiskCaseLine

    case = factory.SubFactory(RiskCaseFactory)
    commission = factory.SubFactory(CommissionFactory)


class RiskNoteFactory(DjangoModelFactory[RiskNote]):
    """What staff wrote."""

    class Meta:
        model = RiskNote

    case = factory.SubFactory(RiskCaseFactory)
    text = "The address of the buyer is that of the partner."
    written_at = NOW
    written_by = factory.SubFactory(UserFactory)


class RiskSignalFactory(DjangoModelFactory[RiskSignal]):
    """A signal nobody has seen."""

    class Meta:
        model = RiskSignal

    membership = factory.LazyFunction(new_membership)
    kind = "self_referral"
    severity = "high"
    rule_version = 1
    fingerprint = factory.Sequence(lambda number: f"{number:064x}")
    detected_at = NOW


class PostbackFactory(DjangoModelFactory[Postback]):
    """An address that is told of sales."""

    class Meta:
        model = Postback

    membership = factory.LazyFunction(new_membership)
    url = "https://partner.example/hook"
    events = factory.LazyFunction(lambda: ["sale"])
    secret = "whsec_c2VjcmV0"
    created_at = NOW
    created_by = factory.SubFactory(UserFactory)


class PostbackDeliveryFactory(DjangoModelFactory[PostbackDelivery]):
    """A call that waits."""

    class Meta:
        model = PostbackDelivery

    postback = factory.SubFactory(PostbackFactory)
    event = "sale"
    key = factory.Sequence(lambda number: f"sale:{number}")
    body = "{}"
    state = "queued"
    created_at = NOW
    next_at = NOW
