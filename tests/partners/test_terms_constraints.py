"""What the database itself refuses about terms, acceptances, amendments and questions, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from partners.choices import AmendmentState
from partners.models import Acceptance, Amendment, ClauseQuestion, TermsNotice, TermsVersion
from tests.factories.partners import (
    AcceptanceFactory,
    ApplicationFactory,
    MembershipFactory,
    TermsVersionFactory,
)
from tests.factories.prm import UserFactory
from tests.factories.recruiting import AmendmentFactory, ClauseQuestionFactory, TermsNoticeFactory
from tests.factories.tiers import EPOCH
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def twice_for_a_membership() -> None:
    first = AcceptanceFactory(membership=MembershipFactory())
    AcceptanceFactory(membership=first.membership, terms_version=first.terms_version)


def same_amendment_number() -> None:
    first = AmendmentFactory()
    AmendmentFactory(membership=first.membership, number=first.number)


def told_twice() -> None:
    first = TermsNoticeFactory()
    TermsNoticeFactory(membership=first.membership, terms_version=first.terms_version)


REFUSED: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    (
        "partners_termsversion_consequence",
        TermsVersion,
        lambda: TermsVersionFactory(consequence="shouted_at"),
    ),
    ("partners_acceptance_once_per_membership", Acceptance, twice_for_a_membership),
    ("partners_termsnotice_once", TermsNotice, told_twice),
    ("partners_termsnotice_told_before", TermsNotice, lambda: TermsNoticeFactory(overdue_at=EPOCH)),
    ("partners_amendment_one_per_number", Amendment, same_amendment_number),
    ("partners_amendment_state", Amendment, lambda: AmendmentFactory(state="torn")),
    ("partners_amendment_proposed_pair", Amendment, lambda: AmendmentFactory(proposed_at=EPOCH)),
    ("partners_amendment_answered_pair", Amendment, lambda: AmendmentFactory(answered_at=EPOCH)),
    ("partners_amendment_answered_has_date", Amendment, lambda: AmendmentFactory(state="accepted")),
    ("partners_clausequestion_section", ClauseQuestion, lambda: ClauseQuestionFactory(section="weather")),
    (
        "partners_clausequestion_answered_pair",
        ClauseQuestion,
        lambda: ClauseQuestionFactory(answered_at=EPOCH),
    ),
    ("partners_clausequestion_of_one", ClauseQuestion, lambda: ClauseQuestionFactory(application=None)),
    (
        "partners_clausequestion_of_one",
        ClauseQuestion,
        lambda: ClauseQuestionFactory(membership=MembershipFactory()),
    ),
]


@pytest.mark.parametrize(("name", "model", "make"), REFUSED, ids=[name for name, _model, _make in REFUSED])
def test_the_database_refuses(name: str, model: type[models.Model], make: Callable[[], object]) -> None:
    assert_refused(name, model, make)


@pytest.mark.parametrize(
    "change",
    [
        {"notice_days": 1},
        {"accept_within_days": 1},
        {"asks_members": False},
        {"consequence": "suspended"},
        {"support": "None"},
    ],
)
def test_what_published_terms_ask_of_members_never_changes(change: dict[str, Any]) -> None:
    version = TermsVersionFactory(published=True)
    with pytest.raises(IntegrityError, match="Published terms cannot be changed"), transaction.atomic():
        TermsVersion.objects.filter(pk=version.pk).update(**change)
    # That they were announced, and their document, are noted afterwards.
    TermsVersion.objects.filter(pk=version.pk).update(notice_sent_at=EPOCH, pdf="x", pdf_sha256="y")


def test_who_accepted_is_erased_once_and_what_was_accepted_stays() -> None:
    acceptance = AcceptanceFactory(person=UserFactory(), address="192.0.2.1", membership=MembershipFactory())
    row = Acceptance.objects.filter(pk=acceptance.pk)
    for change in (
        {"accepted_name": "Eve"},
        {"person": None},
        {"address": None},
        {"accepted_email": "e@x.example"},
    ):
        with pytest.raises(IntegrityError, match="cannot be changed, only erased"), transaction.atomic():
            row.update(**change)
    gone = {"accepted_name": "", "accepted_email": "erased@erased.invalid", "person": None, "address": None}
    for kept in ({"accepted_at": timezone.now()}, {"text_sha256": "0" * 64}):
        with (
            pytest.raises(IntegrityError, match="acceptance of terms cannot be changed"),
            transaction.atomic(),
        ):
            row.update(**gone, **kept, erased_at=EPOCH)
    row.update(**gone, erased_at=EPOCH)
    with pytest.raises(IntegrityError, match="cannot be changed, only erased"), transaction.atomic():
        row.update(accepted_name="Eve")
    with pytest.raises(IntegrityError, match="cannot be changed, only erased"), transaction.atomic():
        row.update(accepted_name="Eve", erased_at=EPOCH + timedelta(days=1))
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        acceptance.delete()


def proposed(**values: Any) -> Amendment:
    amendment: Amendment = AmendmentFactory(
        state=AmendmentState.PROPOSED, proposed_at=EPOCH, proposed_by=UserFactory(), sha256="a" * 64, **values
    )
    return amendment


@pytest.mark.parametrize(
    "change", [{"title": "Other"}, {"text": "Other"}, {"effective_on": EPOCH.date()}, {"sha256": "b" * 64}]
)
def test_a_proposed_amendment_stands_as_it_is(change: dict[str, Any]) -> None:
    amendment = proposed()
    with pytest.raises(IntegrityError, match="that was proposed cannot be changed"), transaction.atomic():
        Amendment.objects.filter(pk=amendment.pk).update(**change)
    with pytest.raises(IntegrityError, match="that was proposed is never deleted"), transaction.atomic():
        amendment.delete()


def test_an_amendment_is_answered_once() -> None:
    amendment = proposed()
    row = Amendment.objects.filter(pk=amendment.pk)
    row.update(state="declined", answered_at=EPOCH, answered_by=UserFactory())
    with pytest.raises(IntegrityError, match="answered once"), transaction.atomic():
        row.update(state="accepted")


def test_a_draft_amendment_may_change_and_go_and_questions_go_with_a_draft() -> None:
    amendment = AmendmentFactory()
    Amendment.objects.filter(pk=amendment.pk).update(text="Other")
    amendment.delete()
    question = ClauseQuestionFactory(application=ApplicationFactory(state="draft", submitted_at=None))
    question.application.delete()
    assert not ClauseQuestion.objects.exists()
