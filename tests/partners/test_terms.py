"""Terms are published whole and stand as they were accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import terms
from partners.choices import TermsSection, TermsState
from partners.models import Acceptance
from prm.accounts.policy import Forbidden
from tests.factories.partners import ApplicationFactory, MembershipFactory, TermsVersionFactory
from tests.factories.tiers import ProgramFactory
from tests.people import ada, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXTS = {"pricing": "8 %", "what_counts": "Orders", "how_measured": "Last click", "support": "By mail"}


def test_drafts_are_numbered_within_their_program() -> None:
    program = ProgramFactory()
    numbers = [terms.draft(program, sections=TEXTS, by=ada(), at=NOW).number for _each in range(2)]
    other = terms.draft(ProgramFactory(), sections={**TEXTS, "unknown": "x"}, by=ada(), at=NOW)
    assert (numbers, other.number, other.pricing) == ([1, 2], 1, "8 %")


@pytest.mark.parametrize("empty", list(TEXTS))
def test_terms_with_an_empty_section_are_not_published(empty: str) -> None:
    draft = terms.draft(ProgramFactory(), sections={**TEXTS, empty: "  "}, by=ada(), at=NOW)
    with pytest.raises(terms.IncompleteTerms) as refusal:
        terms.publish(draft, effective_at=NOW, by=ada(), at=NOW)
    draft.refresh_from_db()
    assert draft.state == TermsState.DRAFT
    assert str(TermsSection(empty).label) in str(refusal.value)


def test_all_empty_sections_are_named() -> None:
    draft = terms.draft(ProgramFactory(), sections={}, by=ada(), at=NOW)
    with pytest.raises(terms.IncompleteTerms) as refusal:
        terms.publish(draft, effective_at=NOW, by=ada(), at=NOW)
    assert str(refusal.value).count(",") == 3


def test_terms_are_published_once_by_who_may() -> None:
    draft = terms.draft(ProgramFactory(), sections=TEXTS, by=ada(), at=NOW)
    with pytest.raises(Forbidden):
        terms.publish(draft, effective_at=NOW, by=mats(), at=NOW)
    published = terms.publish(draft, effective_at=NOW, by=ada(), at=NOW)
    assert published.state == TermsState.PUBLISHED
    assert published.sha256 == terms.fingerprint(published)
    with pytest.raises(terms.AlreadyPublished):
        terms.publish(published, effective_at=NOW, by=ada(), at=NOW)


def test_a_version_dated_ahead_leaves_the_present_one_in_force() -> None:
    program, later = ProgramFactory(), NOW + timedelta(days=30)
    first, second, third = (terms.draft(program, sections=TEXTS, by=ada(), at=NOW) for _each in range(3))
    terms.publish(first, effective_at=NOW, by=ada(), at=NOW)
    terms.publish(second, effective_at=later, by=ada(), at=NOW)
    first.refresh_from_db()
    assert first.state == TermsState.PUBLISHED
    assert terms.in_force(program, NOW - timedelta(seconds=1)) is None
    assert terms.in_force(program, later - timedelta(seconds=1)) == first
    assert terms.in_force(program, later) == second
    terms.publish(third, effective_at=later, by=ada(), at=later)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (TermsState.SUPERSEDED, TermsState.SUPERSEDED)
    assert terms.in_force(program, later) == third


def test_other_words_have_another_fingerprint() -> None:
    version = TermsVersionFactory()
    before = terms.fingerprint(version)
    version.support += " "
    assert terms.fingerprint(version) != before


def test_the_first_acceptance_of_an_application_stands() -> None:
    application = ApplicationFactory()
    version = TermsVersionFactory(published=True, program=application.program)
    first = terms.accept(version, name="Ana", email="ana@x.example", at=NOW, application=application)
    again = terms.accept(version, name="Eve", email="eve@x.example", at=NOW, application=application)
    assert again == first
    assert Acceptance.objects.get().accepted_name == "Ana"


def test_members_may_accept_later_versions_and_nobody_accepts_a_draft() -> None:
    membership = MembershipFactory()
    version = TermsVersionFactory(published=True, program=membership.program)
    accepted = terms.accept(version, name="Ana", email="ana@x.example", at=NOW, membership=membership)
    assert (accepted.membership, accepted.application) == (membership, None)
    with pytest.raises(terms.NotPublished):
        terms.accept(TermsVersionFactory(), name="Ana", email="ana@x.example", at=NOW, membership=membership)
    assert Acceptance.objects.count() == 1
