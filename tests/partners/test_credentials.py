"""Certificates of others are handed in and checked, credentials granted and revoked; who may do which, and what the database makes of a race."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile

from partners.certification import courses, credentials, learning
from partners.certification.staff import HasLeft
from partners.models import Credential, LessonAttempt, Staff
from partners.uploads import FileOfAnotherKind
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.certified import NOON, PDF, RIGHT, School, open_school
from tests.factories.partners import MemberFactory
from tests.factories.tiering import CredentialFactory, StaffFactory
from tests.partners.test_races import at_once
from tests.people import ana, fiona, mats

LATER = NOON + timedelta(days=1)
EARNED = date(2026, 1, 10)


def hand_in(school: School, person: Staff, **more: Any) -> Credential:
    given: dict[str, Any] = {
        "file": ContentFile(PDF, "certificate.pdf"),
        "issuer": "Chamber of Commerce",
        "earned_on": EARNED,
        "by": ana(),
        "at": NOON,
    }
    return credentials.hand_in_proof(school.certification, person, **{**given, **more})


@pytest.mark.django_db
def test_a_certificate_counts_once_it_is_checked_until_its_own_end_or_ours() -> None:
    school = open_school(valid_months=12, takes_proof=True)
    person = school.person()
    proof = hand_in(school, person, expires_on=date(2026, 7, 1), number="HK-17")
    assert (proof.state, proof.expires_on, proof.given_by) == ("waiting", date(2026, 7, 1), ana())
    assert not Credential.objects.valid(on=NOON.date()).exists()
    with pytest.raises(credentials.WaitsAlready):
        hand_in(school, person)
    credentials.check_proof(proof, accepted=True, by=mats(), at=LATER)
    assert Credential.objects.valid(on=NOON.date()).get() == proof
    mail = OutgoingMail.objects.get(kind="credential_proof_checked")
    assert (mail.to, "30 June 2026" in mail.text) == ("ana@studio.example", True)
    with pytest.raises(credentials.CheckedAlready):
        credentials.check_proof(proof, accepted=False, reason="No.", by=mats(), at=LATER)
    # Without an end of its own it is ours: a year after it was earned.
    assert hand_in(school, StaffFactory.create(partner=school.partner)).expires_on == date(2027, 1, 10)


@pytest.mark.django_db
def test_a_certificate_that_is_not_accepted_says_why_and_another_can_follow() -> None:
    school = open_school(takes_proof=True)
    proof = hand_in(school, school.person(), earned_on=date(2026, 1, 30))
    with pytest.raises(credentials.ReasonMissing):
        credentials.check_proof(proof, accepted=False, reason=" ", by=mats(), at=LATER)
    with pytest.raises(Forbidden):
        credentials.check_proof(proof, accepted=True, by=fiona(), at=LATER)
    refused = credentials.check_proof(
        proof, accepted=False, reason="It is of another person.", by=mats(), at=LATER
    )
    assert (refused.state, refused.decided_by) == ("refused", mats())
    assert "It is of another person." in OutgoingMail.objects.get(kind="credential_proof_checked").text
    assert hand_in(school, school.person(), earned_on=date(2026, 1, 30)).state == "waiting"


@pytest.mark.django_db
def test_what_cannot_be_handed_in_is_refused_and_no_file_kept() -> None:
    school = open_school(valid_months=1, takes_proof=True)
    person, reader = school.person(), MemberFactory.create(partner=school.partner, role="read_only")
    own = StaffFactory.create(partner=school.partner, member=reader)
    gone = StaffFactory.create(partner=school.partner, left_at=NOON, left_by=ana())
    closed = open_school_without_proof(school)
    for refusal, act in [
        (credentials.NotYours, lambda: hand_in(school, person, by=reader.user)),
        (credentials.NotYours, lambda: hand_in(school, StaffFactory.create())),
        (HasLeft, lambda: hand_in(school, gone)),
        (credentials.NoProofTaken, lambda: hand_in(closed, person)),
        (credentials.IssuerMissing, lambda: hand_in(school, person, issuer=" ")),
        (credentials.NumberTooLong, lambda: hand_in(school, person, number="1" * 61)),
        (credentials.InTheFuture, lambda: hand_in(school, person, earned_on=date(2026, 2, 1))),
        (credentials.OverAlready, lambda: hand_in(school, person, earned_on=date(2025, 12, 31))),
        (credentials.EndsBeforeStart, lambda: hand_in(school, person, expires_on=EARNED)),
        (credentials.FileMissing, lambda: hand_in(school, person, file=None)),
        (FileOfAnotherKind, lambda: hand_in(school, person, file=ContentFile(b"<svg onload=1>", "a.pdf"))),
    ]:
        with pytest.raises(refusal):
            act()
    assert not Credential.objects.exists()
    # People hand their own in, whatever they may do besides.
    assert hand_in(school, own, by=reader.user).given_by == reader.user


@pytest.mark.django_db
def test_a_credential_is_granted_and_revoked_with_a_reason() -> None:
    school = open_school(valid_months=None)
    person = school.person()
    with pytest.raises(Forbidden):
        credentials.grant(school.certification, person, by=fiona(), at=NOON)
    held = credentials.grant(school.certification, person, by=mats(), at=NOON, earned_on=EARNED)
    assert (held.source, held.expires_on) == ("granted", None)
    with pytest.raises(credentials.HeldAlready):
        credentials.grant(school.certification, person, by=mats(), at=NOON, earned_on=EARNED)
    with pytest.raises(credentials.ReasonMissing):
        credentials.revoke(held, reason="", by=mats(), at=LATER)
    credentials.revoke(held, reason="Given to the wrong person.", by=mats(), at=LATER)
    with pytest.raises(credentials.NotValid):
        credentials.revoke(held, reason="Again.", by=mats(), at=LATER)
    # Ana is the person and an owner: one mail.
    assert OutgoingMail.objects.filter(kind="credential_revoked").count() == 1
    told = AuditEvent.objects.filter(action__startswith="credential.").values_list("details", flat=True)
    assert "Prado" not in str(list(told))


@pytest.mark.django_db(transaction=True)
def test_two_who_pass_at_once_make_one_credential() -> None:
    """Ana sends the last lesson and the quiz from two windows, each of them twice."""
    school = open_school()
    person = school.person()
    results = at_once(
        *[lambda: learning.finish(school.text, person, by=ana(), at=NOON)] * 2,
        *[lambda: learning.answer(school.quiz, person, RIGHT, by=ana(), at=NOON)] * 2,
    )
    assert sum(isinstance(each, learning.AlreadyPassed) for each in results) == 1, results
    assert LessonAttempt.objects.count() == 2
    assert Credential.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="credential_earned").count() == 1


@pytest.mark.django_db(transaction=True)
def test_four_tries_at_once_are_three() -> None:
    school = open_school()
    person = school.person()
    results = at_once(*[lambda: learning.answer(school.quiz, person, [[1], [0], [2]], by=ana(), at=NOON)] * 4)
    assert sum(isinstance(each, learning.NoTriesLeft) for each in results) == 1, results
    assert LessonAttempt.objects.count() == 3


@pytest.mark.django_db
def test_a_credential_is_expired_from_its_last_day_on() -> None:
    held = CredentialFactory.create(expires_on=date(2026, 3, 31))
    assert credentials.state_on(held, date(2026, 3, 30)) == "valid"
    assert credentials.state_on(held, date(2026, 3, 31)) == "expired"


def open_school_without_proof(school: School) -> School:
    other = courses.create_certification(
        school.program, key="other", name={"en": "Other"}, by=mats(), at=NOON
    )
    return School(school.membership, other, school.course, school.text, school.quiz)
