"""Rows of how strangers become partners, and of how partners leave. They are written as rows; tests of the verbs call the verbs."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import factory
from factory.django import DjangoModelFactory

from partners.choices import (
    BlockedKind,
    Channel,
    EndingKind,
    OnboardingKind,
    RejectionReason,
    ResourceKind,
    RuleDecision,
    SanctionReason,
    TermsSection,
    TouchKind,
)
from partners.models import (
    AbandonedDraft,
    Amendment,
    ApplicationFile,
    Blocked,
    ClauseQuestion,
    CounterProposal,
    EligibilityRule,
    Ending,
    FormVersion,
    Introduction,
    OnboardingMark,
    OnboardingStep,
    ProgramInvitation,
    ProgramResource,
    ProgramText,
    ProgramVisit,
    Prospect,
    ProspectTouch,
    RecruitingLink,
    Reference,
    Suspension,
    TermsNotice,
    WaitingMailbox,
    Workload,
)
from prm.accounts.emails import fold_email
from tests.factories.partners import (
    ApplicationFactory,
    MembershipFactory,
    PartnerFactory,
    TermsVersionFactory,
)
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory


def _hash(n: int) -> str:
    return hashlib.sha256(str(n).encode()).hexdigest()


class ApplicationFileFactory(DjangoModelFactory[ApplicationFile]):
    class Meta:
        model = ApplicationFile

    application = factory.SubFactory(ApplicationFactory)
    field_key = "media_kit"
    name = "media-kit.pdf"
    kind = "pdf"
    size = 1000
    sha256 = "0" * 64
    file = "applications/none.pdf"
    added_at = EPOCH


class ReferenceFactory(DjangoModelFactory[Reference]):
    class Meta:
        model = Reference

    application = factory.SubFactory(ApplicationFactory)
    full_name = "Rui Costa"
    company = "Costa Imports"
    email = factory.Sequence(lambda n: f"rui{n}@costa.example")
    relation = "Supplier since 2022"


class FormVersionFactory(DjangoModelFactory[FormVersion]):
    """A draft; `published=True` makes the one in use."""

    class Meta:
        model = FormVersion

    class Params:
        published = factory.Trait(
            state="published",
            published_at=EPOCH,
            published_by=factory.SubFactory(UserFactory),
            sha256="0" * 64,
        )

    program = factory.SubFactory(ProgramFactory)
    number = factory.Sequence(lambda n: n + 1)
    definition = factory.LazyFunction(lambda: {"fields": []})
    created_at = EPOCH


class RecruitingLinkFactory(DjangoModelFactory[RecruitingLink]):
    class Meta:
        model = RecruitingLink

    program = factory.SubFactory(ProgramFactory)
    key = factory.Sequence(lambda n: f"link-{n}")
    name = "LinkedIn post"
    channel = Channel.LINKEDIN
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class ProgramVisitFactory(DjangoModelFactory[ProgramVisit]):
    class Meta:
        model = ProgramVisit

    program = factory.SubFactory(ProgramFactory)
    visited_on = EPOCH.date()
    count = 1


class AbandonedDraftFactory(DjangoModelFactory[AbandonedDraft]):
    class Meta:
        model = AbandonedDraft

    form = factory.SubFactory(FormVersionFactory, published=True)
    program = factory.SelfAttribute("form.program")
    began_on = EPOCH.date()
    furthest_step = 1
    count = 1


class WaitingMailboxFactory(DjangoModelFactory[WaitingMailbox]):
    class Meta:
        model = WaitingMailbox

    program = factory.SubFactory(ProgramFactory)
    email = factory.Sequence(lambda n: f"waits{n}@example.com")
    email_folded = factory.LazyAttribute(lambda row: fold_email(row.email))
    asked_at = EPOCH


class ProgramTextFactory(DjangoModelFactory[ProgramText]):
    class Meta:
        model = ProgramText

    program = factory.SubFactory(ProgramFactory)
    language = "en"
    who_can_join = "Anybody who writes about gifts."


class EligibilityRuleFactory(DjangoModelFactory[EligibilityRule]):
    """Declines; nobody has switched it on yet."""

    class Meta:
        model = EligibilityRule

    program = factory.SubFactory(ProgramFactory)
    name = "Throw-away mailboxes"
    decision = RuleDecision.REJECT
    conditions = factory.LazyFunction(
        lambda: [{"field": "signals", "operator": "has", "value": "disposable_email"}]
    )
    reason = RejectionReason.REQUIREMENTS_NOT_MET
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class BlockedFactory(DjangoModelFactory[Blocked]):
    class Meta:
        model = Blocked

    kind = BlockedKind.DOMAIN
    value = factory.Sequence(lambda n: f"spam{n}.example")
    reason = "Sends unwanted mail."
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class WorkloadFactory(DjangoModelFactory[Workload]):
    class Meta:
        model = Workload

    user = factory.SubFactory(UserFactory)


class ProspectFactory(DjangoModelFactory[Prospect]):
    class Meta:
        model = Prospect

    program = factory.SubFactory(ProgramFactory)
    full_name = "Inês Rocha"
    company = factory.Sequence(lambda n: f"Rocha Gifts {n}")
    email = factory.Sequence(lambda n: f"ines{n}@rocha.example")
    email_folded = factory.LazyAttribute(lambda row: fold_email(row.email))
    created_at = EPOCH
    created_by = factory.SubFactory(UserFactory)


class ProspectTouchFactory(DjangoModelFactory[ProspectTouch]):
    class Meta:
        model = ProspectTouch

    prospect = factory.SubFactory(ProspectFactory)
    kind = TouchKind.CALL
    text = "Likes the catalogue, wants to see the rates."
    touched_at = EPOCH
    touched_by = factory.SubFactory(UserFactory)


class ProgramInvitationFactory(DjangoModelFactory[ProgramInvitation]):
    class Meta:
        model = ProgramInvitation

    program = factory.SubFactory(ProgramFactory)
    email = factory.Sequence(lambda n: f"guest{n}@example.com")
    email_folded = factory.LazyAttribute(lambda row: fold_email(row.email))
    tier = factory.SubFactory(TierFactory, program=factory.SelfAttribute("..program"))
    token_sha256 = factory.Sequence(_hash)
    invited_at = EPOCH
    invited_by = factory.SubFactory(UserFactory)
    expires_at = factory.LazyAttribute(lambda row: row.invited_at + timedelta(days=30))


class CounterProposalFactory(DjangoModelFactory[CounterProposal]):
    class Meta:
        model = CounterProposal

    invitation = factory.SubFactory(ProgramInvitationFactory)
    text = "Ten percent in the first year, then eight."
    made_at = EPOCH


class IntroductionFactory(DjangoModelFactory[Introduction]):
    class Meta:
        model = Introduction

    first = factory.SubFactory(PartnerFactory)
    second = factory.SubFactory(PartnerFactory)
    reason = "One has the readers, the other the workshop."
    proposed_at = EPOCH
    proposed_by = factory.SubFactory(UserFactory)


class OnboardingStepFactory(DjangoModelFactory[OnboardingStep]):
    class Meta:
        model = OnboardingStep

    program = factory.SubFactory(ProgramFactory)
    kind = OnboardingKind.TRAINING
    title = factory.LazyFunction(lambda: {"en": "Watch the webinar"})


class OnboardingMarkFactory(DjangoModelFactory[OnboardingMark]):
    class Meta:
        model = OnboardingMark

    membership = factory.SubFactory(MembershipFactory)
    step = factory.SubFactory(OnboardingStepFactory, program=factory.SelfAttribute("..membership.program"))
    done_at = EPOCH
    done_by = factory.SubFactory(UserFactory)


class ProgramResourceFactory(DjangoModelFactory[ProgramResource]):
    class Meta:
        model = ProgramResource

    program = factory.SubFactory(ProgramFactory)
    kind = ResourceKind.GUIDE
    title = "How to write about us"
    url = "https://shop.halden.example/guide"
    added_at = EPOCH
    added_by = factory.SubFactory(UserFactory)


class AmendmentFactory(DjangoModelFactory[Amendment]):
    class Meta:
        model = Amendment

    membership = factory.SubFactory(MembershipFactory)
    number = factory.Sequence(lambda n: n + 1)
    title = "Exclusive in Portugal"
    text = "In Portugal the partner is the only one for garden gifts."
    drafted_at = EPOCH
    drafted_by = factory.SubFactory(UserFactory)


class ClauseQuestionFactory(DjangoModelFactory[ClauseQuestion]):
    class Meta:
        model = ClauseQuestion

    terms_version = factory.SubFactory(TermsVersionFactory, published=True)
    section = TermsSection.PRICING
    application = factory.SubFactory(ApplicationFactory)
    text = "Is shipping part of the order value?"
    asked_at = EPOCH


class SuspensionFactory(DjangoModelFactory[Suspension]):
    class Meta:
        model = Suspension

    membership = factory.SubFactory(MembershipFactory)
    reason = SanctionReason.BRAND_ABUSE
    suspended_at = EPOCH
    suspended_by = factory.SubFactory(UserFactory)


class EndingFactory(DjangoModelFactory[Ending]):
    class Meta:
        model = Ending

    membership = factory.SubFactory(MembershipFactory)
    kind = EndingKind.ENDED
    reason = SanctionReason.OWN_WISH
    given_at = EPOCH
    given_by = factory.SubFactory(UserFactory)
    effective_at = factory.SelfAttribute("given_at")


class TermsNoticeFactory(DjangoModelFactory[TermsNotice]):
    class Meta:
        model = TermsNotice

    terms_version = factory.SubFactory(TermsVersionFactory, published=True)
    membership = factory.SubFactory(
        MembershipFactory, program=factory.SelfAttribute("..terms_version.program")
    )
    told_at = EPOCH
