"""The steps of an application in a plain browser: files, going on later on another device, questions about the terms, links that expired."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from partners.application_forms.definition import Definition, Question, read
from partners.application_forms.standard import standard_for
from partners.models import Application, ApplicationFile, ClauseQuestion
from partners.tokens import status_token
from portal.views import apply as apply_views
from portal.views import apply_check
from portal.views import draft as draft_views
from prm.mail.models import OutgoingMail
from tests import applying
from tests.desk import at_desk, words
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import ApplicationFileFactory, FormVersionFactory, RecruitingLinkFactory
from tests.factories.tiers import ProgramFactory
from tests.people import fiona, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db
APPLY = "/p/affiliates/apply/"
ABOUT, READERS, CHECK = f"{APPLY}you/", f"{APPLY}audience/", f"{APPLY}check/"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (apply_views, apply_check, draft_views):
        monkeypatch.setattr(module, "NEUTRAL_SECONDS", 0.0)


@pytest.fixture
def program() -> Program:
    program = ProgramFactory(slug="affiliates", name="Halden Affiliates")
    TermsVersionFactory(published=True, program=program)
    kit = Question(key="kit", kind="file", step="audience", label={"en": "Media kit"})
    standard = read(standard_for(program).as_json())
    with_kit = Definition(
        (*standard.questions, kit), standard.partnership_types, call_to_action={"en": "Write about gifts."}
    )
    FormVersionFactory(program=program, number=1, published=True, definition=with_kit.as_json())
    return program


def picture(name: str = "kit.png") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="text/html")


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def test_the_call_to_action_and_the_steps_stand_above_the_form(client: Client, program: Program) -> None:
    page = text_of(client.get(ABOUT))
    assert "Write about gifts." in page
    assert 'aria-current="step"' in page
    assert "about 4 minutes" in page
    for later in (READERS, CHECK):
        assert client.get(later)["Location"] in (ABOUT, APPLY)
    assert client.get(f"{APPLY}type/").status_code == 404


def test_a_file_is_kept_although_another_answer_is_wrong(client: Client, program: Program) -> None:
    client.post(ABOUT, applying.YOU)
    wrong = client.post(READERS, {"website": "javascript:alert(1)", "kit": picture()})
    assert wrong.status_code == 422
    assert "kit.png" in text_of(wrong)
    file = ApplicationFile.objects.get()
    assert (file.kind, file.field_key) == ("png", "kit")
    assert client.post(READERS, applying.AUDIENCE)["Location"] == CHECK
    assert "kit.png" in text_of(client.get(CHECK))
    client.post(READERS, {"remove": file.public_id})
    assert not ApplicationFile.objects.exists()


def test_a_script_in_a_drawing_is_refused_with_the_reason(client: Client, program: Program) -> None:
    client.post(ABOUT, applying.YOU)
    drawing = SimpleUploadedFile("kit.png", b"<svg><script>alert(1)</script></svg>", content_type="image/png")
    refused = client.post(READERS, {**applying.AUDIENCE, "kit": drawing})
    assert refused.status_code == 422
    assert "kit.png: Drawings of this kind can carry programs. Save it as PNG or PDF." in text_of(refused)
    assert '<a href="#id_kit">' in text_of(refused)
    assert "9,000 readers" in text_of(refused)
    assert not ApplicationFile.objects.exists()


def test_what_is_far_too_large_is_not_read(client: Client, program: Program) -> None:
    answer = client.post(READERS, applying.AUDIENCE, headers={"content-length": str(40 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "larger than we take" in text_of(answer)


def test_a_draft_goes_on_by_its_mailed_link_on_another_device(client: Client, program: Program) -> None:
    client.post(ABOUT, applying.YOU)
    saved = client.post(READERS, {**applying.AUDIENCE, "later": "yes"}, follow=True)
    assert "ana@lima.example" in text_of(saved)
    [path] = set(
        re.findall(r"https?://[^/\s]+(/application/draft/[^\s/]+/)", OutgoingMail.objects.get().text)
    )
    phone = Client()
    page = phone.get(path)
    assert page.status_code == 200
    assert "Ana Lima" not in text_of(page)  # a scanner that opens links reads nothing
    assert phone.get(CHECK)["Location"] == APPLY
    assert phone.post(path, follow=True).redirect_chain[-1][0] == CHECK
    assert "Ana Lima" in text_of(phone.get(CHECK))
    assert Application.objects.get().email_confirmed_at is not None
    assert Client().get(path.replace("/draft/", "/draft/x")).status_code == 410


def test_going_on_later_answers_alike_whether_or_not_a_mailbox_is_known(program: Program) -> None:
    answers = []
    for known in (False, True):
        if known:
            Application.objects.all().delete()
            ApplicationFactory(program=program, email="ana@lima.example")
        client = Client()
        saved = client.post(ABOUT, {**applying.YOU, "later": "yes"}, follow=True)
        page = re.sub(r'value="[^"]{60,}"', "", text_of(saved))
        answers.append((saved.redirect_chain, page))
    assert answers[0] == answers[1]


def test_a_question_about_the_terms_waits_for_the_mailbox_and_holds_up_sending(
    client: Client, program: Program
) -> None:
    page = applying.fill_in(client, "affiliates")
    ask = {"action": "ask", "section": "pricing", "text": "Is shipping part of it?"}
    client.post(CHECK, ask)
    assert not ClauseQuestion.objects.exists()  # nobody knows yet whose mailbox it is
    client.post(CHECK, {"action": "link"})
    [path] = set(
        re.findall(r"https?://[^/\s]+(/application/draft/[^\s/]+/)", OutgoingMail.objects.get().text)
    )
    client.post(path)
    assert client.post(CHECK, {**ask, "text": ""}).status_code == 422
    client.post(CHECK, ask)
    refused = applying.send(client, "affiliates", page)
    assert refused.status_code == 409
    assert "is not answered yet" in text_of(refused)
    client.post(CHECK, {"action": "withdraw_question", "question": str(ClauseQuestion.objects.get().pk)})
    assert applying.send(client, "affiliates", page)["Location"] == f"{APPLY}sent/"


def test_the_mail_is_sent_again_after_a_minute_and_never_says_to_whom(
    client: Client, program: Program
) -> None:
    applying.send(client, "affiliates", applying.fill_in(client, "affiliates"))
    early = client.post(f"{APPLY}sent/", follow=True)
    assert "less than a minute ago" in text_of(early)
    session = client.session
    key = f"applied:{program.pk}"
    session[key] = {**session[key], "mailed_at": "2026-01-01T00:00:00+00:00"}
    session.save()
    again = client.post(f"{APPLY}sent/", follow=True)
    assert "We have sent the mail again." in text_of(again)
    assert OutgoingMail.objects.filter(kind="application_confirm").count() == 2


def test_the_source_of_an_applicant_is_kept(client: Client, program: Program) -> None:
    link = RecruitingLinkFactory(program=program, key="linkedin-may", name="LinkedIn in May")
    client.get(f"{APPLY}?via=linkedin-may")
    client.post(ABOUT, applying.YOU)
    draft = Application.objects.get()
    assert (draft.source_link, draft.source, draft.introducer) == (link, "LinkedIn in May", None)


def test_expired_links_offer_a_fresh_one_and_answer_everybody_alike(client: Client) -> None:
    application = ApplicationFactory(email="ana@lima.example")
    gone = client.get("/application/altered/")
    assert gone.status_code == 410
    assert "Send me a fresh link" in text_of(gone)
    pages = [
        words(client.post("/application/link/", {"email": email})).replace(email, "")
        for email in ("ana@lima.example", "eve@lima.example")
    ]
    assert pages[0] == pages[1]
    assert status_token(application) in OutgoingMail.objects.get().text
    assert client.post("/application/link/", {"email": "no address"}).status_code == 422
    for _each in range(8):
        client.post("/application/link/", {"email": "eve@lima.example"})
    assert client.post("/application/link/", {"email": "eve@lima.example"}).status_code == 429


def test_a_file_is_handed_to_the_holder_of_the_link_alone(client: Client, program: Program) -> None:
    client.post(ABOUT, applying.YOU)
    client.post(READERS, {**applying.AUDIENCE, "kit": picture()})
    page = text_of(client.get(CHECK))
    applying.send(client, "affiliates", page)
    application, file = Application.objects.get(), ApplicationFile.objects.get()
    path = f"/application/{status_token(application)}/file/{file.public_id}/"
    assert path in text_of(client.get(f"/application/{status_token(application)}/"))
    answer = client.get(path)
    assert answer["Content-Disposition"] == 'attachment; filename="kit.png"'
    assert "sandbox" in answer["Content-Security-Policy"]
    other = ApplicationFileFactory()
    assert client.get(path.replace(file.public_id, other.public_id)).status_code == 404
    assert client.get(f"/application/wrong/file/{file.public_id}/").status_code == 410


def test_staff_enter_an_application_on_one_page(program: Program) -> None:
    desk = at_desk(mats())
    assert "Halden Affiliates" in words(desk.get("/admin/tiers/program/enter/"))
    url = f"/admin/tiers/program/{program.pk}/enter/"
    assert "It counts at once" in words(desk.get(url))
    refused = desk.post(url, {**applying.YOU, "email": "ana@lima", "entered-language": "fr"})
    assert refused.status_code == 422
    assert "Say how the application reached you." in words(refused)
    given = {**applying.YOU, "entered-source": "At the fair", "entered-language": "fr", "kit": picture()}
    entered = desk.post(url, given)
    application = Application.objects.get()
    assert entered["Location"] == f"/admin/partners/application/{application.pk}/change/"
    assert (application.source, application.language, application.files.count()) == ("At the fair", "fr", 1)
    again = desk.post(url, {**given, "kit": picture()})
    assert again.status_code == 422
    assert "This mailbox has an application to the program that is not decided yet." in words(again)
    assert at_desk(fiona()).get(url).status_code == 403
