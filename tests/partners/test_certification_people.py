"""People on lists are in the archive, disappear when they are erased, and move when two partners become one."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from partners import erasure, merging, personal_data
from partners.certification import credentials, learning
from partners.models import Credential, LessonAttempt, Member, Staff
from tests.certified import NOON, PDF, RIGHT, School, open_school
from tests.factories.partners import MemberFactory, PartnerFactory
from tests.factories.prm import UserFactory
from tests.factories.tiering import CredentialFactory, StaffFactory
from tests.people import ada, ana, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    """Ana, who is not the only owner, has passed a quiz, handed a certificate in, and is named in a reason."""
    school = open_school(takes_proof=True, valid_months=None)
    MemberFactory.create(partner=school.partner)
    person = school.person()
    learning.finish(school.text, person, by=ana(), at=NOON)
    learning.answer(school.quiz, person, RIGHT, by=ana(), at=NOON)
    credentials.hand_in_proof(
        school.certification,
        person,
        file=ContentFile(PDF, "Ana Prado.pdf"),
        issuer="Ana Prado's old school",
        number="AP-1",
        earned_on=date(2026, 1, 2),
        by=ana(),
        at=NOON,
    )
    other = CredentialFactory.create(staff__full_name="Karl Weber", staff__email="karl@x.example")
    credentials.revoke(other, reason="Ana Prado sat the exam.", by=mats(), at=NOON)
    return school


def test_the_archive_tells_what_somebody_learned_and_holds(school: School) -> None:
    subject = personal_data.Subject(ana(), "ana@studio.example", ())
    told = {section.name: list(section.read(subject)) for section in personal_data.sections()}
    assert [row["full_name"] for row in told["people-of-partners"]] == ["Ana Prado"]
    assert [row["score"] for row in told["lessons"]] == [None, 100]
    assert {row["issuer"] for row in told["credentials"]} == {"", "Ana Prado's old school"}


def test_an_erased_person_has_no_page_no_answers_and_no_files(
    school: School, django_capture_on_commit_callbacks: object
) -> None:
    held = Credential.objects.get(staff__partner=school.partner, state="valid")
    address = f"/credentials/{held.public_id}/"
    place = Credential.objects.get(state="waiting").proof.name
    assert "Ana Prado" in Client().get(address).content.decode()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        erasure.erase_person(ana(), by=ada(), at=NOON)
    page = Client().get(address)
    assert (page.status_code, "Prado" in page.content.decode()) == (404, False)
    row = Staff.objects.get(partner=school.partner)
    assert (row.full_name, row.email, row.member, row.left_at is not None) == ("", "", None, True)
    assert list(LessonAttempt.objects.values_list("answers", flat=True)) == [[], []]
    assert not default_storage.exists(place)
    texts = str(list(Credential.objects.values_list("reason", "issuer", "number", "proof_name")))
    assert ("Prado" in texts, "AP-1" in texts) == (False, False)
    # Karl is somebody else and stays.
    assert Staff.objects.filter(full_name="Karl Weber").exists()


def test_people_move_with_a_merge_and_who_was_in_both_teams_stays_listed_once() -> None:
    duplicate, into, both = PartnerFactory.create(), PartnerFactory.create(), UserFactory()
    old = MemberFactory.create(partner=duplicate, user=both)
    new = MemberFactory.create(partner=into, user=both)
    known = StaffFactory.create(partner=duplicate, member=old)
    held = CredentialFactory.create(staff__partner=duplicate)
    merging.merge(duplicate, into=into, by=mats(), at=NOON)
    assert Staff.objects.filter(partner=into).count() == 2
    known.refresh_from_db()
    assert (known.left_at, known.member, Member.objects.get(pk=old.pk).ended_at) == (None, new, NOON)
    assert Credential.objects.get(pk=held.pk).staff.left_at is None
