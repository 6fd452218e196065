"""Rows of the partners app for tests. They are written as rows; tests of the verbs call the verbs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import factory
from factory.django import DjangoModelFactory

from partners.choices import ApplicationState, TeamRole, TermsState
from partners.models import (
    Acceptance,
    Application,
    ApplicationMessage,
    Invitation,
    Member,
    Membership,
    Partner,
    Placement,
    TermsVersion,
)
from partners.terms import fingerprint
from partners.tokens import digest, first_status_token
from prm.accounts.emails import fold_email
from prm.lib.ids import public_id
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory


class PartnerFactory(DjangoModelFactory[Partner]):
    class Meta:
        model = Partner

    name = factory.Sequence(lambda n: f"Partner {n}")
    email = factory.Sequence(lambda n: f"partner{n}@example.com")
    country = "United Kingdom"


class MemberFactory(DjangoModelFactory[Member]):
    """An owner."""

    class Meta:
        model = Member

    partner = factory.SubFactory(PartnerFactory)
    user = factory.SubFactory(UserFactory)
    role = TeamRole.OWNER
    joined_at = EPOCH


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    partner = factory.SubFactory(PartnerFactory)
    program = factory.SubFactory(ProgramFactory)
    joined_at = EPOCH


class PlacementFactory(DjangoModelFactory[Placement]):
    """In a tier of the membership's own program, from the day it joined."""

    class Meta:
        model = Placement

    membership = factory.SubFactory(MembershipFactory)
    tier = factory.SubFactory(TierFactory, program=factory.SelfAttribute("..membership.program"))
    starts_at = factory.SelfAttribute("membership.joined_at")
    because = "approved"
    placed_at = factory.SelfAttribute("starts_at")
    placed_by = factory.SubFactory(UserFactory)


class ApplicationFactory(DjangoModelFactory[Application]):
    """A sent application of a mailbox that is confirmed."""

    class Meta:
        model = Application

    public_id = factory.LazyFunction(lambda: public_id("app"))
    program = factory.SubFactory(ProgramFactory)
    state = ApplicationState.SUBMITTED
    full_name = "Ana Lima"
    email = factory.Sequence(lambda n: f"ana{n}@lima.example")
    email_folded = factory.LazyAttribute(lambda application: fold_email(application.email))
    phone = "+351 21 000 0000"
    company = factory.Sequence(lambda n: f"Lima Reviews {n}")
    website = "https://lima.example"
    country = "Portugal"
    audience = "9,000 readers a month"
    how_promote = "With a comparison page and a monthly newsletter about software."
    token_sha256 = factory.LazyAttribute(lambda each: digest(first_status_token(each.public_id)))
    created_at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    submitted_at = factory.SelfAttribute("created_at")
    email_confirmed_at = factory.SelfAttribute("created_at")


class ApplicationMessageFactory(DjangoModelFactory[ApplicationMessage]):
    class Meta:
        model = ApplicationMessage

    application = factory.SubFactory(ApplicationFactory)
    written_at = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    text = "Which newsletter is it?"


class InvitationFactory(DjangoModelFactory[Invitation]):
    class Meta:
        model = Invitation

    partner = factory.SubFactory(PartnerFactory)
    email = factory.Sequence(lambda n: f"invited{n}@example.com")
    email_folded = factory.LazyAttribute(lambda invitation: fold_email(invitation.email))
    token_sha256 = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    invited_at = EPOCH
    invited_by = factory.SubFactory(UserFactory)
    expires_at = factory.LazyAttribute(lambda invitation: invitation.invited_at + timedelta(days=7))


class TermsVersionFactory(DjangoModelFactory[TermsVersion]):
    """A complete draft; `published=True` makes one that is in force from `EPOCH` on."""

    class Meta:
        model = TermsVersion

    class Params:
        published = factory.Trait(
            state=TermsState.PUBLISHED,
            effective_at=EPOCH,
            published_at=EPOCH,
            published_by=factory.SubFactory(UserFactory),
            sha256=factory.LazyAttribute(lambda version: fingerprint(version)),
        )

    tier = None
    program = factory.SubFactory(ProgramFactory)
    number = factory.Sequence(lambda n: n + 1)
    summary = "We pay you for orders you bring."
    pricing = "Commission is a percentage of the order without tax and shipping."
    what_counts = "An order by a customer who used your link or your code."
    how_measured = "By the last click within 30 days, or by the code."
    support = "An account manager answers within two working days."


class AcceptanceFactory(DjangoModelFactory[Acceptance]):
    class Meta:
        model = Acceptance

    terms_version = factory.SubFactory(TermsVersionFactory, published=True)
    accepted_name = "Ana Lima"
    accepted_email = "ana@lima.example"
    accepted_at = EPOCH
    text_sha256 = factory.SelfAttribute("terms_version.sha256")
