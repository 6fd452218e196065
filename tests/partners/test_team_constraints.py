"""What the database refuses about partners, their teams, checklists and resources. Every name here is a constraint that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import models

from partners.models import Invitation, Member, OnboardingMark, OnboardingStep, Partner, ProgramResource
from tests.factories.partners import InvitationFactory, MemberFactory, PartnerFactory
from tests.factories.prm import UserFactory
from tests.factories.recruiting import OnboardingMarkFactory, OnboardingStepFactory, ProgramResourceFactory
from tests.factories.tiers import EPOCH
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def into_itself() -> None:
    partner = PartnerFactory()
    Partner.objects.filter(pk=partner.pk).update(
        merged_into=partner, merged_at=EPOCH, merged_by=UserFactory()
    )


def second_step_of_a_kind() -> None:
    step = OnboardingStepFactory(kind="terms")
    OnboardingStepFactory(kind="terms", program=step.program)


def second_mark() -> None:
    mark = OnboardingMarkFactory()
    OnboardingMarkFactory(membership=mark.membership, step=mark.step)


def second_open_member() -> None:
    member = MemberFactory()
    MemberFactory(partner=member.partner, user=member.user)


def second_open_invitation() -> None:
    invitation = InvitationFactory()
    InvitationFactory(partner=invitation.partner, email=invitation.email.upper())


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_partner_merged_together", Partner, lambda: PartnerFactory(merged_at=EPOCH)),
    ("partners_partner_not_merged_into_itself", Partner, into_itself),
    ("partners_partner_legal_form", Partner, lambda: PartnerFactory(legal_form="empire")),
    ("partners_member_one_open", Member, second_open_member),
    ("partners_member_role", Member, lambda: MemberFactory(role="boss")),
    ("partners_member_ended_pair", Member, lambda: MemberFactory(ended_at=EPOCH)),
    ("partners_invitation_role", Invitation, lambda: InvitationFactory(role="boss")),
    ("partners_invitation_accepted_pair", Invitation, lambda: InvitationFactory(accepted_at=EPOCH)),
    ("partners_invitation_one_open", Invitation, second_open_invitation),
    ("partners_onboardingstep_kind", OnboardingStep, lambda: OnboardingStepFactory(kind="dance")),
    ("partners_onboardingstep_once_per_kind", OnboardingStep, second_step_of_a_kind),
    ("partners_onboardingmark_once", OnboardingMark, second_mark),
    ("partners_programresource_kind", ProgramResource, lambda: ProgramResourceFactory(kind="song")),
    (
        "partners_programresource_removed_pair",
        ProgramResource,
        lambda: ProgramResourceFactory(removed_at=EPOCH),
    ),
    ("partners_programresource_leads_somewhere", ProgramResource, lambda: ProgramResourceFactory(url="")),
]


@pytest.mark.parametrize(("name", "model", "act"), REFUSALS, ids=[name for name, *_rest in REFUSALS])
def test_the_database_refuses(name: str, model: type[models.Model], act: Callable[[], object]) -> None:
    assert_refused(name, model, act)


def test_a_step_taken_off_the_list_may_come_back() -> None:
    step = OnboardingStepFactory(kind="terms", removed_at=EPOCH)
    OnboardingStepFactory(kind="terms", program=step.program)
    OnboardingStepFactory(program=step.program)
    OnboardingStepFactory(program=step.program)
    assert OnboardingStep.objects.filter(program=step.program).count() == 4
