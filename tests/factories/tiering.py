"""Rows about tiers for tests: schemes, reviews, certifications, activities, business plans, points. They are written as rows; tests of the
verbs call the verbs."""

from __future__ import annotations

from datetime import date, timedelta

import factory
from factory.django import DjangoModelFactory

from partners.models import (
    Activity,
    Appeal,
    BusinessPlan,
    Certification,
    Checkpoint,
    Course,
    Credential,
    Goal,
    GoalChange,
    Lesson,
    LessonAttempt,
    MetricSnapshot,
    PlanRemark,
    ReviewEvidence,
    ReviewRound,
    Staff,
    StaffFigure,
    TierOverride,
    TierReview,
)
from payouts.models import TierOutlook
from referrals.models import PointEntry
from tests.factories.partners import MembershipFactory, PartnerFactory
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory
from tiers.models import Benefit, TierBenefit, TierScheme, TierTarget

LATER = EPOCH + timedelta(days=60)
DAY = date(2026, 3, 2)


class TierSchemeFactory(DjangoModelFactory[TierScheme]):
    """A draft that asks for nothing; `published=True` makes one in force from `EPOCH` on."""

    class Meta:
        model = TierScheme

    class Params:
        published = factory.Trait(
            state="published",
            effective_at=EPOCH,
            published_at=EPOCH,
            published_by=factory.SubFactory(UserFactory),
            sha256="0" * 64,
        )

    program = factory.SubFactory(ProgramFactory)
    number = factory.Sequence(lambda n: n + 1)
    definition = factory.LazyFunction(dict)
    created_at = EPOCH


class BenefitFactory(DjangoModelFactory[Benefit]):
    class Meta:
        model = Benefit

    program = factory.SubFactory(ProgramFactory)
    kind = "support"
    position = factory.Sequence(lambda n: n + 1)


class TierBenefitFactory(DjangoModelFactory[TierBenefit]):
    class Meta:
        model = TierBenefit

    tier = factory.SubFactory(TierFactory)
    benefit = factory.SubFactory(BenefitFactory, program=factory.SelfAttribute("..tier.program"))
    value = factory.LazyFunction(lambda: {"en": "An answer within a day"})


class TierTargetFactory(DjangoModelFactory[TierTarget]):
    class Meta:
        model = TierTarget

    tier = factory.SubFactory(TierFactory)
    metric = "net_revenue"
    target = 50_000_00


class ReviewRoundFactory(DjangoModelFactory[ReviewRound]):
    class Meta:
        model = ReviewRound

    program = factory.SubFactory(ProgramFactory)
    scheme = factory.SubFactory(TierSchemeFactory, published=True, program=factory.SelfAttribute("..program"))
    kind = "demotion"
    due_on = factory.Sequence(lambda n: DAY + timedelta(days=n))
    measured_at = EPOCH
    opened_at = EPOCH


class TierReviewFactory(DjangoModelFactory[TierReview]):
    """A case that proposes nothing: the tier was kept. Pass tiers, outcome and state for others."""

    class Meta:
        model = TierReview

    round = factory.SubFactory(ReviewRoundFactory)
    membership = factory.SubFactory(MembershipFactory, program=factory.SelfAttribute("..round.program"))
    from_tier = factory.SubFactory(TierFactory, program=factory.SelfAttribute("..round.program"))
    measured_tier = factory.SelfAttribute("from_tier")
    to_tier = factory.SelfAttribute("from_tier")
    outcome = "keep"
    state = "kept"
    evaluated_at = EPOCH


class ReviewEvidenceFactory(DjangoModelFactory[ReviewEvidence]):
    class Meta:
        model = ReviewEvidence

    review = factory.SubFactory(TierReviewFactory)
    question = "net_revenue/trailing:3"
    rows = factory.LazyFunction(lambda: [["cnv_1", "2026-02-01T10:00:00+00:00", "10000"]])


class AppealFactory(DjangoModelFactory[Appeal]):
    class Meta:
        model = Appeal

    review = factory.SubFactory(TierReviewFactory)
    text = "Our largest order was booked a day late."
    opened_at = EPOCH
    opened_by = factory.SubFactory(UserFactory)
    answer_on = DAY


class TierOverrideFactory(DjangoModelFactory[TierOverride]):
    class Meta:
        model = TierOverride

    membership = factory.SubFactory(MembershipFactory)
    kind = "override"
    tier = factory.SubFactory(TierFactory, program=factory.SelfAttribute("..membership.program"))
    reason = "A joint launch in spring."
    made_at = EPOCH
    made_by = factory.SubFactory(UserFactory)
    expires_at = LATER


class MetricSnapshotFactory(DjangoModelFactory[MetricSnapshot]):
    class Meta:
        model = MetricSnapshot

    membership = factory.SubFactory(MembershipFactory)
    scheme = factory.SubFactory(
        TierSchemeFactory, published=True, program=factory.SelfAttribute("..membership.program")
    )
    tier = factory.SubFactory(TierFactory, program=factory.SelfAttribute("..membership.program"))
    measured_tier = factory.SelfAttribute("tier")
    outcome = "keep"
    measured_at = EPOCH
    taken_at = EPOCH


class CertificationFactory(DjangoModelFactory[Certification]):
    class Meta:
        model = Certification

    program = factory.SubFactory(ProgramFactory)
    key = factory.Sequence(lambda n: f"certification-{n}")
    name = factory.LazyFunction(lambda: {"en": "Sales specialist"})
    valid_months = 12
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class CourseFactory(DjangoModelFactory[Course]):
    class Meta:
        model = Course

    certification = factory.SubFactory(CertificationFactory)
    position = factory.Sequence(lambda n: n + 1)
    title = factory.LazyFunction(lambda: {"en": "Selling the range"})
    state = "open"
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class LessonFactory(DjangoModelFactory[Lesson]):
    class Meta:
        model = Lesson

    course = factory.SubFactory(CourseFactory)
    position = factory.Sequence(lambda n: n + 1)
    kind = "text"
    title = factory.LazyFunction(lambda: {"en": "What sells when"})
    body = factory.LazyFunction(lambda: {"en": "Kites in spring, lights in autumn."})


class StaffFactory(DjangoModelFactory[Staff]):
    class Meta:
        model = Staff

    partner = factory.SubFactory(PartnerFactory)
    full_name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@example.com")
    role = "sales"
    country = "United Kingdom"
    added_at = EPOCH
    added_by = factory.SubFactory(UserFactory)


class LessonAttemptFactory(DjangoModelFactory[LessonAttempt]):
    class Meta:
        model = LessonAttempt

    lesson = factory.SubFactory(LessonFactory)
    staff = factory.SubFactory(StaffFactory)
    attempted_at = EPOCH
    passed = True


class CredentialFactory(DjangoModelFactory[Credential]):
    class Meta:
        model = Credential

    certification = factory.SubFactory(CertificationFactory)
    staff = factory.SubFactory(StaffFactory)
    state = "valid"
    source = "course"
    earned_on = DAY
    expires_on = DAY + timedelta(days=365)
    given_at = EPOCH


class ActivityFactory(DjangoModelFactory[Activity]):
    """One that waits to be confirmed."""

    class Meta:
        model = Activity

    membership = factory.SubFactory(MembershipFactory)
    kind = "webinar"
    title = "Gifts for offices"
    held_on = DAY
    told_at = EPOCH
    told_by = factory.SubFactory(UserFactory)


class StaffFigureFactory(DjangoModelFactory[StaffFigure]):
    class Meta:
        model = StaffFigure

    membership = factory.SubFactory(MembershipFactory)
    metric = "manual_score"
    value = 70
    counted_on = DAY
    note = "Talk of 2 March."
    entered_at = EPOCH
    entered_by = factory.SubFactory(UserFactory)


class BusinessPlanFactory(DjangoModelFactory[BusinessPlan]):
    """An outline for 2026."""

    class Meta:
        model = BusinessPlan

    membership = factory.SubFactory(MembershipFactory)
    title = "2026"
    starts_on = date(2026, 1, 1)
    ends_on = date(2026, 12, 31)
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class GoalFactory(DjangoModelFactory[Goal]):
    class Meta:
        model = Goal

    plan = factory.SubFactory(BusinessPlanFactory)
    metric = "net_revenue"
    target = 50_000_00
    due_on = date(2026, 12, 31)


class CheckpointFactory(DjangoModelFactory[Checkpoint]):
    class Meta:
        model = Checkpoint

    plan = factory.SubFactory(BusinessPlanFactory)
    due_on = date(2026, 6, 30)


class GoalChangeFactory(DjangoModelFactory[GoalChange]):
    class Meta:
        model = GoalChange

    goal = factory.SubFactory(GoalFactory)
    before = 50_000_00
    after = 40_000_00
    because = "The largest shop closed."
    proposed_at = EPOCH
    proposed_by = factory.SubFactory(UserFactory)


class PlanRemarkFactory(DjangoModelFactory[PlanRemark]):
    class Meta:
        model = PlanRemark

    plan = factory.SubFactory(BusinessPlanFactory)
    text = "Summer is our quiet time."
    said_at = EPOCH
    said_by = factory.SubFactory(UserFactory)


class PointEntryFactory(DjangoModelFactory[PointEntry]):
    class Meta:
        model = PointEntry

    membership = factory.SubFactory(MembershipFactory)
    scheme = factory.SubFactory(
        TierSchemeFactory, published=True, program=factory.SelfAttribute("..membership.program")
    )
    source = "revenue"
    reference = factory.Sequence(lambda n: f"crd-{n}")
    milli_points = 5_000
    earned_at = EPOCH
    recorded_at = EPOCH


class TierOutlookFactory(DjangoModelFactory[TierOutlook]):
    class Meta:
        model = TierOutlook

    membership = factory.SubFactory(MembershipFactory)
    tier = factory.SubFactory(TierFactory, program=factory.SelfAttribute("..membership.program"))
    starts_at = EPOCH
    ends_at = LATER
    earned_minor = 100_00
    would_minor = 140_00
    currency = "GBP"
    computed_at = LATER
