"""Who: applications, partners and their people, memberships and where they stand."""

from partners.models.application import Application, ApplicationFile, ApplicationMessage, Reference
from partners.models.business_plan import BusinessPlan, Checkpoint, Goal, GoalChange, PlanRemark
from partners.models.certification import Certification, Course, Credential, Lesson, LessonAttempt, Staff
from partners.models.engagement import Activity, StaffFigure
from partners.models.form import FormVersion
from partners.models.leaving import Ending, Suspension
from partners.models.member import Invitation, Member
from partners.models.membership import Membership
from partners.models.onboarding import OnboardingMark, OnboardingStep, ProgramResource
from partners.models.outreach import (
    CounterProposal,
    Introduction,
    ProgramInvitation,
    Prospect,
    ProspectTouch,
)
from partners.models.partner import Partner
from partners.models.placement import Placement
from partners.models.recruiting import (
    AbandonedDraft,
    ProgramText,
    ProgramVisit,
    RecruitingLink,
    WaitingMailbox,
)
from partners.models.review import Blocked, EligibilityRule, Workload
from partners.models.terms import Acceptance, Amendment, ClauseQuestion, TermsNotice, TermsVersion
from partners.models.tier_review import (
    Appeal,
    MetricSnapshot,
    ReviewEvidence,
    ReviewRound,
    TierOverride,
    TierReview,
)

__all__ = [
    "AbandonedDraft",
    "Acceptance",
    "Activity",
    "Amendment",
    "Appeal",
    "Application",
    "ApplicationFile",
    "ApplicationMessage",
    "Blocked",
    "BusinessPlan",
    "Certification",
    "Checkpoint",
    "ClauseQuestion",
    "CounterProposal",
    "Course",
    "Credential",
    "EligibilityRule",
    "Ending",
    "FormVersion",
    "Goal",
    "GoalChange",
    "Introduction",
    "Invitation",
    "Lesson",
    "LessonAttempt",
    "Member",
    "Membership",
    "MetricSnapshot",
    "OnboardingMark",
    "OnboardingStep",
    "Partner",
    "Placement",
    "PlanRemark",
    "ProgramInvitation",
    "ProgramResource",
    "ProgramText",
    "ProgramVisit",
    "Prospect",
    "ProspectTouch",
    "RecruitingLink",
    "Reference",
    "ReviewEvidence",
    "ReviewRound",
    "Staff",
    "StaffFigure",
    "Suspension",
    "TermsNotice",
    "TermsVersion",
    "TierOverride",
    "TierReview",
    "WaitingMailbox",
    "Workload",
]
