"""The way into a program, in a plain browser: answers survive, mistakes are named, and nothing is sent twice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from partners.models import Acceptance, Application, TermsVersion
from portal.views import apply as apply_views
from portal.views import apply_check
from prm.mail.models import OutgoingMail
from tests import applying
from tests.applying import AUDIENCE, YOU, hidden
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory, TermsVersionFactory
from tests.factories.prm import UserFactory
from tests.factories.tiers import ProgramFactory
from tiers.models import Program

pytestmark = pytest.mark.django_db
APPLY, SENT = "/p/affiliates/apply/", "/p/affiliates/apply/sent/"
ABOUT, READERS, CHECK = f"{APPLY}you/", f"{APPLY}audience/", f"{APPLY}check/"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_views, "NEUTRAL_SECONDS", 0.0)
    monkeypatch.setattr(apply_check, "NEUTRAL_SECONDS", 0.0)


@pytest.fixture
def terms() -> TermsVersion:
    program = ProgramFactory(slug="affiliates", name="Halden Affiliates")
    return TermsVersionFactory(published=True, program=program)


@pytest.fixture
def program(terms: TermsVersion) -> Program:
    return terms.program


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def fill_in(client: Client, **changes: object) -> str:
    return applying.fill_in(client, "affiliates", **changes)


def send(client: Client, page: str, **changes: str) -> HttpResponse:
    return applying.send(client, "affiliates", page, **changes)


def test_an_application_travels_from_form_to_sent(client: Client, terms: TermsVersion) -> None:
    assert client.get(APPLY)["Location"] == ABOUT
    assert not Application.objects.exists()  # looking makes no draft
    page = fill_in(client)
    assert "Check your answers" in page
    assert "Lima &amp; Sons &lt;Reviews&gt;" in page
    assert "With a comparison page<br>and a newsletter." in page
    assert "https://lima.example" in page
    assert f'href="{ABOUT}?back=check#id_email"' in page
    assert Application.objects.get().state == "draft"
    assert not OutgoingMail.objects.exists()
    assert send(client, page)["Location"] == SENT
    application = Application.objects.get()
    assert (application.email, application.country, application.language) == (
        "ana@lima.example",
        "Portugal",
        "en",
    )
    assert (application.company, application.address) == ("Lima & Sons <Reviews>", "127.0.0.1")
    assert Acceptance.objects.get().terms_version == terms
    assert application.public_id in text_of(client.get(SENT))
    assert OutgoingMail.objects.get().kind == "application_confirm"


def test_changing_an_answer_finds_the_others_filled_in(client: Client, program: Program) -> None:
    fill_in(client)
    page = text_of(client.get(f"{ABOUT}?back=check"))
    assert 'value="ana@lima.example"' in page
    assert '<option value="Portugal" selected>' in page
    answer = client.post(ABOUT, {**YOU, "email": "ana.lima@lima.example", "back": "check"})
    assert answer["Location"] == CHECK
    send(client, text_of(client.get(CHECK)))
    assert Application.objects.get().email == "ana.lima@lima.example"


def test_mistakes_are_summed_up_linked_and_told_in_the_title(client: Client, program: Program) -> None:
    response = client.post(ABOUT, {**YOU, "email": "ana@lima", "country": "Atlantis", "phone": "ring me"})
    page = text_of(response)
    assert response.status_code == 422
    assert re.search(r"<title>\s*Error: ", page)
    assert "There are 3 things to fix" in page
    for field, words in (
        ("email", "Enter an e-mail address like name@example.com."),
        ("country", "Choose the country you work from."),
        ("phone", "Enter a phone number like +44 20 7946 0018."),
    ):
        assert f'<a href="#id_{field}">{words}</a>' in page
        assert f'id="id_{field}_error"' in page
    assert 'value="Ana Lima"' in page
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "Ana\x00Lima"),
        ("full_name", "Ana\u202eamiL"),
        ("full_name", "A" * 121),
        ("company", "Two\nlines"),
        ("email", "ana@lima.example\nBcc: all@x.example"),
        ("email", "a" * 250 + "@x.example"),
        ("phone", "1" * 41),
        ("website", "javascript:alert(1)"),
        ("website", "https://" + "a" * 300 + ".example"),
        ("audience", "x\x07y"),
        ("how_promote", "With \x00 a page and a newsletter"),
        ("how_promote", "x" * 4001),
    ],
)
def test_nonsense_is_refused_at_its_field(client: Client, program: Program, field: str, value: str) -> None:
    url, answers = (ABOUT, YOU) if field in YOU else (READERS, AUDIENCE)
    if url == READERS:
        client.post(ABOUT, YOU)
    response = client.post(url, {**answers, field: value})
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in text_of(response)
    assert client.get(CHECK).status_code == 302  # nothing was kept to send


def test_the_terms_have_to_be_accepted(client: Client, program: Program) -> None:
    page = fill_in(client)
    response = send(client, page, accept="")
    assert response.status_code == 422
    assert "Read the terms and tick the box to accept them." in text_of(response)
    assert not Application.objects.exclude(state="draft").exists()
    send(client, text_of(response))
    assert Application.objects.get().state == "submitted"


def test_terms_that_changed_meanwhile_are_shown_again(
    client: Client, program: Program, terms: TermsVersion
) -> None:
    page = fill_in(client)
    newer = TermsVersionFactory(
        published=True, program=program, effective_at=timezone.now() - timedelta(minutes=1)
    )
    response = send(client, page)
    again = text_of(response)
    assert response.status_code == 409
    assert "The terms have changed since you read them." in again
    assert Application.objects.get().state == "draft"
    assert hidden(again, "terms") == newer.public_id
    send(client, again)
    assert Acceptance.objects.get().terms_version == newer


def test_a_double_click_makes_one_application(client: Client, program: Program) -> None:
    page = fill_in(client)
    for _each in range(3):
        assert send(client, page)["Location"] == SENT
    assert Application.objects.count() == 1
    assert OutgoingMail.objects.count() == 1
    assert Application.objects.get().public_id in text_of(client.get(SENT))


@pytest.mark.parametrize("known_as", ["applicant", "partner", "nobody"])
def test_a_known_mailbox_gets_the_same_pages(client: Client, program: Program, known_as: str) -> None:
    if known_as == "applicant":
        ApplicationFactory(program=program, email="ana@lima.example")
    if known_as == "partner":
        member = MemberFactory(user=UserFactory(email="ana@lima.example"))
        MembershipFactory(partner=member.partner, program=program)
    before = Application.objects.count()
    answer = send(client, fill_in(client))
    assert (answer.status_code, answer["Location"]) == (302, SENT)
    page = re.sub(r"app_[0-9a-z]{26}", "REF", text_of(client.get(SENT)))
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
    assert "Thank you, we have your application" in page
    assert "REF" in page
    assert "already" not in page
    assert Application.objects.count() == before + (known_as == "nobody")
    assert OutgoingMail.objects.count() == 1


def test_a_program_that_fills_in_every_field_sends_nothing(client: Client, program: Program) -> None:
    page = fill_in(client, leave_empty="http://spam.example")
    assert send(client, page)["Location"] == SENT
    assert "Thank you" in text_of(client.get(SENT))
    assert not Application.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_too_many_tries_from_one_address_are_told_when_to_come_back(client: Client, program: Program) -> None:
    now = timezone.now()
    for _each in range(10):
        ApplicationFactory(address="127.0.0.1", created_at=now)
    response = send(client, fill_in(client))
    assert response.status_code == 429
    assert re.search(r"Too many tries\. Try again at \d\d:\d\d\.", text_of(response))
    assert Application.objects.get(email="ana@lima.example").state == "draft"


def test_the_answer_takes_its_time(client: Client, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(apply_check, "NEUTRAL_SECONDS", 9.0)
    monkeypatch.setattr(apply_check.time, "sleep", slept.append)
    send(client, fill_in(client))
    assert 0 < slept[0] <= 9


def test_the_visitor_is_written_to_in_the_language_of_the_page(client: Client, program: Program) -> None:
    client.cookies["django_language"] = "pl"
    send(client, fill_in(client))
    assert Application.objects.get().language == "pl"
    assert OutgoingMail.objects.get().language == "pl"


def test_forms_are_protected_against_forged_requests(program: Program) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(ABOUT, YOU).status_code == 403
    assert strict.post(CHECK, {"accept": "on"}).status_code == 403


def test_pages_with_answers_are_not_kept_by_caches(client: Client, program: Program) -> None:
    fill_in(client)
    for url in (ABOUT, READERS, CHECK):
        assert "no-store" in client.get(url)["Cache-Control"]
    assert client.get(SENT)["Location"] == "/p/affiliates/"
