"""Who: applications, partners and their people, memberships and where they stand."""

from partners.models.application import Application, ApplicationFile, ApplicationMessage, Reference
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

__all__ = [
    "AbandonedDraft",
    "Acceptance",
    "Amendment",
    "Application",
    "ApplicationFile",
    "ApplicationMessage",
    "Blocked",
    "ClauseQuestion",
    "CounterProposal",
    "EligibilityRule",
    "Ending",
    "FormVersion",
    "Introduction",
    "Invitation",
    "Member",
    "Membership",
    "OnboardingMark",
    "OnboardingStep",
    "Partner",
    "Placement",
    "ProgramInvitation",
    "ProgramResource",
    "ProgramText",
    "ProgramVisit",
    "Prospect",
    "ProspectTouch",
    "RecruitingLink",
    "Reference",
    "Suspension",
    "TermsNotice",
    "TermsVersion",
    "WaitingMailbox",
    "Workload",
]
