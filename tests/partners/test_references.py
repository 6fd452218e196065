"""References are asked by staff, answer once by their own link, and the applicant is told that there is an answer and no more."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from partners import applications, references
from partners.models import Application, Reference
from partners.tokens import status_token
from prm.accounts.policy import Forbidden
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory
from tests.factories.recruiting import ReferenceFactory
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def reference() -> Reference:
    return ReferenceFactory(full_name="Rui Costa", email="rui@costa.example")


def link_of(mail: OutgoingMail) -> str:
    [link] = set(re.findall(r"https?://[^/\s]+(/application/reference/[^\s/]+/)", mail.text))
    return link


def test_a_reference_is_asked_and_answers_once(client: Client, reference: Reference) -> None:
    at = timezone.now()
    references.ask(reference, by=mats(), at=at)
    mail = OutgoingMail.objects.get(kind="reference_request")
    assert mail.to == "rui@costa.example"
    link = link_of(mail)
    assert link.split("/")[3] != Reference.objects.get().token_sha256
    page = client.get(link)
    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "Ana Lima" in page.content.decode()
    assert client.post(link, {"answer": "perhaps"}).status_code == 422
    assert "Thank you" in client.post(link, {"answer": "confirmed", "comment": "For years."}).content.decode()
    again = client.post(link, {"answer": "denied", "comment": "No!"})
    assert again.status_code == 409
    reference.refresh_from_db()
    assert (reference.answer, reference.comment) == ("confirmed", "For years.")
    with pytest.raises(references.AlreadyAnswered):
        references.ask(reference, by=mats(), at=at + timedelta(days=9))


def test_only_those_who_decide_ask(reference: Reference) -> None:
    at = reference.application.submitted_at
    with pytest.raises(Forbidden):
        references.ask(reference, by=fiona(), at=at)
    assert Reference.objects.get().asked_at is None
    assert not OutgoingMail.objects.exists()


def test_the_applicants_own_address_is_no_reference(reference: Reference) -> None:
    Reference.objects.update(email=reference.application.email.upper())
    with pytest.raises(references.OwnReference):
        references.ask(reference, by=mats(), at=reference.application.submitted_at)


def test_a_link_expires_and_a_newer_one_takes_its_place(client: Client, reference: Reference) -> None:
    at = reference.application.submitted_at
    assert at is not None
    references.ask(reference, by=mats(), at=at)
    old = link_of(OutgoingMail.objects.get())
    with pytest.raises(references.AskedLately):
        references.ask(reference, by=mats(), at=at + timedelta(days=2))
    token = old.split("/")[3]
    assert references.find(token, at=at + timedelta(days=29)) is not None
    assert references.find(token, at=at + timedelta(days=30)) is None
    assert client.get(old).status_code == 410  # asked in March, opened today
    references.ask(reference, by=mats(), at=at + timedelta(days=31))
    assert references.find(token, at=at + timedelta(days=32)) is None
    assert references.answer(token, answer="confirmed", comment="", at=at + timedelta(days=32)) is None


def test_nobody_is_asked_about_a_closed_application(reference: Reference) -> None:
    at = reference.application.submitted_at
    assert at is not None
    references.ask(reference, by=mats(), at=at)
    token = link_of(OutgoingMail.objects.get()).split("/")[3]
    applications.withdraw(reference.application, at)
    assert references.find(token, at=at) is None


def test_the_applicant_sees_that_and_not_what_a_reference_said(reference: Reference) -> None:
    at = reference.application.submitted_at
    assert at is not None
    assert references.state_of(reference, at=at) == "not_asked"
    asked = references.ask(reference, by=mats(), at=at)
    assert references.state_of(asked, at=at) == "asked"
    assert references.state_of(asked, at=at + timedelta(days=30)) == "no_answer"
    Reference.objects.update(answer="denied", comment="Never heard of.", answered_at=at)
    page = Client().get(f"/application/{status_token(Application.objects.get())}/").content.decode()
    assert "Rui Costa" in page
    assert "Answered" in page
    assert "Never heard of." not in page
    assert "Not confirmed" not in page


def test_references_named_again_take_the_place_of_the_first() -> None:
    draft = ApplicationFactory()
    references.give(
        draft, [{"full_name": "A", "email": "a@x.example"}, {"full_name": "B", "email": "b@x.example"}]
    )
    references.give(draft, [{"full_name": "C", "email": "c@x.example"}])
    assert [each.full_name for each in draft.references.all()] == ["C"]
