"""What one visitor cannot make the public pages do: write to mailbox after mailbox, go round a limit by another address of the same
network, or break a page by pressing buttons that are not there."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from partners import drafts, sending
from partners.application_forms.definition import Definition, Question
from partners.application_forms.standard import standard_for
from partners.models import Application, ApplicationFile
from portal.views import apply, apply_check
from prm.mail.models import OutgoingMail
from tests import applying
from tests.desk import words
from tests.factories.partners import TermsVersionFactory
from tests.factories.recruiting import FormVersionFactory
from tests.factories.tiers import ProgramFactory
from tiers.models import Program

pytestmark = pytest.mark.django_db
APPLY = "/p/affiliates/apply/"
ABOUT, READERS, CHECK = f"{APPLY}you/", f"{APPLY}audience/", f"{APPLY}check/"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (apply, apply_check):
        monkeypatch.setattr(module, "NEUTRAL_SECONDS", 0.0)


@pytest.fixture
def program() -> Program:
    program = ProgramFactory(slug="affiliates")
    TermsVersionFactory(published=True, program=program)
    return program


def use(program: Program, *own: Question, types: tuple[str, ...] = ("affiliate",)) -> None:
    whole = Definition((*standard_for(program).questions, *own), types)
    FormVersionFactory(program=program, number=1, published=True, definition=whole.as_json())


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    return SimpleUploadedFile("kit.png", out.getvalue())


def test_one_draft_cannot_write_to_mailbox_after_mailbox(client: Client, program: Program) -> None:
    codes = []
    for number in range(11):
        given = {**applying.YOU, "email": f"victim{number}@x.example", "later": "yes"}
        codes.append(client.post(ABOUT, given).status_code)
    assert codes == [302] * 10 + [429]
    assert OutgoingMail.objects.filter(kind="draft_saved").count() == 10
    assert Application.objects.get().email == "victim10@x.example"  # kept all the same
    client.post(READERS, applying.AUDIENCE)
    client.post(CHECK, {"action": "link"})
    assert OutgoingMail.objects.filter(kind="draft_saved").count() == 10


def test_another_address_of_the_same_network_is_no_way_round(
    client: Client, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "BEGUN_AN_HOUR", 3)
    monkeypatch.setattr(sending, "TRIES_AN_HOUR", 2)
    codes, sent = [], []
    for number in range(4):
        visitor = Client(REMOTE_ADDR=f"2001:db8:1:2::{number + 1:x}")
        mine = {**applying.YOU, "email": f"ana{number}@x.example"}
        codes.append(visitor.post(ABOUT, mine).status_code)
        if codes[-1] == 302:
            visitor.post(READERS, applying.AUDIENCE)
            page = visitor.get(CHECK).content.decode()
            sent.append(applying.send(visitor, "affiliates", page).status_code)
    assert codes == [302, 302, 302, 429]
    assert sent == [302, 302, 429]
    elsewhere = Client(REMOTE_ADDR="2001:db8:1:3::1")
    assert elsewhere.post(ABOUT, {**applying.YOU, "email": "eva@x.example"}).status_code == 302


def test_a_file_too_many_beside_another_fault_is_told_like_one(client: Client, program: Program) -> None:
    questions = [
        Question(key=key, kind="file", step="audience", label={"en": key}) for key in ("kit", "more")
    ]
    use(program, *questions)
    client.post(ABOUT, applying.YOU)
    wrong = {**applying.AUDIENCE, "website": "javascript:alert(1)"}
    client.post(READERS, {**wrong, "kit": [picture(), picture()]})
    answer = client.post(READERS, {**wrong, "kit": picture(), "more": [picture(), picture()]})
    assert answer.status_code == 422
    assert "Three files are the most" in words(answer)
    assert ApplicationFile.objects.count() == 3


def test_a_link_is_not_mailed_before_there_is_a_mailbox(client: Client, program: Program) -> None:
    use(program, types=("affiliate", "agency"))
    client.post(f"{APPLY}type/", {"partnership_type": "affiliate"})
    answer = client.post(CHECK, {"action": "link"}, follow=True)
    assert answer.status_code == 200
    assert "Give your e-mail address first" in words(answer)
    assert not OutgoingMail.objects.exists()


def test_values_a_page_never_sends_change_nothing(client: Client, program: Program) -> None:
    """PostgreSQL answers a NUL in a value with an error; no page hands one on."""
    client.post(ABOUT, applying.YOU)
    assert client.post(READERS, {**applying.AUDIENCE, "remove": "afl_\0"}).status_code == 302
    client.post(READERS, applying.AUDIENCE)
    stale = client.post(CHECK, {"accept": "on", "terms": "trm_\0"})
    assert stale.status_code == 422
    for action in ("ask", "withdraw_question"):
        given = {"action": action, "question": "\0" + "9" * 30, "section": "pricing\0", "text": "a\0"}
        assert client.post(CHECK, given).status_code in (302, 422)
    assert Application.objects.get().state == "draft"
