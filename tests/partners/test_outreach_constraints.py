"""What the database refuses about prospects, invitations, counter-proposals and introductions, whoever writes to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction

from partners.models import CounterProposal, Introduction, ProgramInvitation, Prospect, ProspectTouch
from tests.factories.partners import MembershipFactory
from tests.factories.recruiting import (
    CounterProposalFactory,
    IntroductionFactory,
    ProgramInvitationFactory,
    ProspectFactory,
    ProspectTouchFactory,
)
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db


def second_open_prospect() -> None:
    prospect = ProspectFactory()
    ProspectFactory(program=prospect.program, email=prospect.email.upper())


def second_living_invitation() -> None:
    invitation = ProgramInvitationFactory(state="countered")
    ProgramInvitationFactory(program=invitation.program, tier=invitation.tier, email=invitation.email.upper())


def counter_to_both() -> None:
    CounterProposalFactory(membership=MembershipFactory())


def with_itself() -> None:
    introduction = IntroductionFactory()
    Introduction.objects.filter(pk=introduction.pk).update(second=introduction.first)


def second_proposed() -> None:
    introduction = IntroductionFactory()
    IntroductionFactory(first=introduction.first, second=introduction.second)


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_prospect_stage", Prospect, lambda: ProspectFactory(stage="married")),
    ("partners_prospect_source", Prospect, lambda: ProspectFactory(source="dream")),
    ("partners_prospect_one_open_per_mailbox", Prospect, second_open_prospect),
    ("partners_prospecttouch_kind", ProspectTouch, lambda: ProspectTouchFactory(kind="pigeon")),
    ("partners_programinvitation_state", ProgramInvitation, lambda: ProgramInvitationFactory(state="lost")),
    ("partners_programinvitation_one_living", ProgramInvitation, second_living_invitation),
    (
        "partners_programinvitation_accepted_has_membership",
        ProgramInvitation,
        lambda: ProgramInvitationFactory(state="accepted", answered_at=EPOCH),
    ),
    (
        "partners_counterproposal_answered_pair",
        CounterProposal,
        lambda: CounterProposalFactory(answered_at=EPOCH),
    ),
    ("partners_counterproposal_to_one", CounterProposal, counter_to_both),
    ("partners_introduction_state", Introduction, lambda: IntroductionFactory(state="kissed")),
    ("partners_introduction_of_two", Introduction, with_itself),
    ("partners_introduction_first_pair", Introduction, lambda: IntroductionFactory(first_agreed_at=EPOCH)),
    ("partners_introduction_second_pair", Introduction, lambda: IntroductionFactory(second_agreed_at=EPOCH)),
    (
        "partners_introduction_both_agreed",
        Introduction,
        lambda: IntroductionFactory(state="introduced", closed_at=EPOCH),
    ),
    ("partners_introduction_one_proposed", Introduction, second_proposed),
]


@pytest.mark.parametrize(
    ("name", "model", "write"), REFUSALS, ids=[name for name, _model, _write in REFUSALS]
)
def test_the_database_refuses(name: str, model: type[models.Model], write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    # SQLite names the columns of a unique index, PostgreSQL always the constraint.
    assert name in str(refusal.value) or (connection.vendor == "sqlite" and "UNIQUE" in str(refusal.value))
    assert not model._default_manager.exists()


def test_who_was_given_up_or_has_joined_leaves_room_for_a_new_prospect() -> None:
    for stage in ("lost", "joined"):
        prospect = ProspectFactory(stage=stage)
        ProspectFactory(program=prospect.program, email=prospect.email)
    declined = ProgramInvitationFactory(state="declined")
    ProgramInvitationFactory(program=declined.program, tier=declined.tier, email=declined.email)
    assert (Prospect.objects.count(), ProgramInvitation.objects.count()) == (4, 2)
