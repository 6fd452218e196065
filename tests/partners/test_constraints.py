"""What the database refuses in the partners app, whoever writes to it. Every name here is a constraint or a trigger that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction

from partners.models import Acceptance, Application, Invitation, Member, Membership, Placement, TermsVersion
from prm.lib.db import suspended_triggers
from tests.factories.partners import (
    AcceptanceFactory,
    ApplicationFactory,
    InvitationFactory,
    MemberFactory,
    MembershipFactory,
    PlacementFactory,
    TermsVersionFactory,
)
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db
LATER = EPOCH + timedelta(days=30)


def update(row: models.Model, **values: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**values)


def second_open_member() -> None:
    member = MemberFactory()
    MemberFactory(partner=member.partner, user=member.user)


def second_open_membership() -> None:
    membership = MembershipFactory()
    MembershipFactory(partner=membership.partner, program=membership.program)


def its_own_recruit() -> None:
    membership = MembershipFactory()
    update(membership, recruiter=membership, recruited_at=EPOCH)


def second_open_placement() -> None:
    placement = PlacementFactory()
    with suspended_triggers(), transaction.atomic():  # they refuse it before the index does
        PlacementFactory(membership=placement.membership, tier=placement.tier, starts_at=LATER)


def second_open_invitation() -> None:
    invitation = InvitationFactory()
    InvitationFactory(partner=invitation.partner, email=invitation.email.upper())


def second_undecided_application() -> None:
    application = ApplicationFactory()
    ApplicationFactory(program=application.program, email=application.email.upper())


def same_terms_number() -> None:
    version = TermsVersionFactory()
    TermsVersionFactory(program=version.program, number=version.number)


def second_acceptance() -> None:
    application = ApplicationFactory()
    version = TermsVersionFactory(published=True, program=application.program)
    AcceptanceFactory(terms_version=version, application=application)
    AcceptanceFactory(terms_version=version, application=application)


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_member_one_open", Member, second_open_member),
    ("partners_member_role", Member, lambda: MemberFactory(role="boss")),
    ("partners_member_ended_pair", Member, lambda: MemberFactory(ended_at=LATER)),
    ("partners_membership_one_open", Membership, second_open_membership),
    ("partners_membership_not_its_own_recruit", Membership, its_own_recruit),
    ("partners_membership_recruiter_pair", Membership, lambda: MembershipFactory(recruited_at=EPOCH)),
    ("partners_membership_state", Membership, lambda: MembershipFactory(state="happy")),
    ("partners_placement_one_open", Placement, second_open_placement),
    ("partners_placement_ends_after_start", Placement, lambda: PlacementFactory(ends_at=EPOCH)),
    ("partners_invitation_role", Invitation, lambda: InvitationFactory(role="boss")),
    ("partners_invitation_accepted_pair", Invitation, lambda: InvitationFactory(accepted_at=LATER)),
    ("partners_invitation_one_open", Invitation, second_open_invitation),
    ("partners_application_state", Application, lambda: ApplicationFactory(state="lost")),
    ("partners_application_decided_pair", Application, lambda: ApplicationFactory(decided_at=LATER)),
    ("partners_application_submitted_has_date", Application, lambda: ApplicationFactory(submitted_at=None)),
    ("partners_application_decided_has_date", Application, lambda: ApplicationFactory(state="approved")),
    ("partners_application_one_undecided", Application, second_undecided_application),
    ("partners_termsversion_one_per_number", TermsVersion, same_terms_number),
    ("partners_termsversion_state", TermsVersion, lambda: TermsVersionFactory(state="torn")),
    ("partners_termsversion_published_pair", TermsVersion, lambda: TermsVersionFactory(published_at=EPOCH)),
    ("partners_acceptance_once_per_application", Acceptance, second_acceptance),
]


@pytest.mark.parametrize(
    ("name", "model", "write"), REFUSALS, ids=[name for name, _model, _write in REFUSALS]
)
def test_the_database_refuses(name: str, model: type[models.Model], write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    # SQLite names the columns of a unique index that has no condition of its own, PostgreSQL always the constraint.
    assert name in str(refusal.value) or (connection.vendor == "sqlite" and "UNIQUE" in str(refusal.value))
    assert not model._default_manager.exists()


def test_ended_rows_leave_room_for_a_new_open_one() -> None:
    member = MemberFactory(ended_at=LATER, ended_by=UserFactory())
    MemberFactory(partner=member.partner, user=member.user)
    assert Member.objects.filter(partner=member.partner).count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"pricing": "Less."},
        {"summary": "Other words."},
        {"effective_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"sha256": "0" * 64},
        {"number": 99},
    ],
    ids=lambda change: next(iter(change)),
)
def test_published_terms_never_change(change: dict[str, object]) -> None:
    version = TermsVersionFactory(published=True)
    with pytest.raises(IntegrityError, match="Published terms cannot be changed"), transaction.atomic():
        update(version, **change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        TermsVersion.objects.filter(pk=version.pk).delete()
    assert TermsVersion.objects.filter(pk=version.pk, pricing=version.pricing, sha256=version.sha256).exists()


def test_a_draft_of_terms_may_still_change_and_go() -> None:
    version = TermsVersionFactory()
    update(version, pricing="Less.")
    version.refresh_from_db()
    assert version.pricing == "Less."
    version.delete()
    assert not TermsVersion.objects.exists()


def test_an_acceptance_gets_its_membership_once_and_never_changes_otherwise() -> None:
    acceptance = AcceptanceFactory()
    first, second = MembershipFactory(), MembershipFactory()
    update(acceptance, membership=first)
    for change in (
        {"membership": second},
        {"membership": None},
        {"accepted_name": "Eve"},
        {"text_sha256": "0"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            update(acceptance, **change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Acceptance.objects.all().delete()
    acceptance.refresh_from_db()
    assert (acceptance.membership, acceptance.accepted_name) == (first, "Ana Lima")


def test_who_recruited_a_membership_is_written_once_and_never_changes() -> None:
    membership, above, other = MembershipFactory(), MembershipFactory(), MembershipFactory()
    update(membership, recruiter=above, recruited_at=EPOCH)
    for change in (
        {"recruiter": other},
        {"recruited_at": LATER},
        {"recruiter": None, "recruited_at": None},
    ):
        with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
            update(membership, **change)
    update(membership, state="suspended", recruiter=above, recruited_at=EPOCH)
    membership.refresh_from_db()
    assert (membership.recruiter, membership.recruited_at, membership.state) == (above, EPOCH, "suspended")
