"""The back office's pages of application forms: written, tried, compared and published, with every fault said at its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partners.application_forms import publishing
from partners.application_forms.definition import Definition, read
from partners.application_forms.standard import standard_for
from partners.choices import FormState
from partners.models import FormVersion
from prm.accounts.models import User
from tests.desk import at_desk, links, words
from tests.factories.recruiting import FormVersionFactory
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory
from tests.house import open_house
from tests.people import ada, felix, mats

pytestmark = pytest.mark.django_db
LIST = "/admin/partners/formversion/"
QUESTION = {
    "label_en": "How many orders do you expect?",
    "label_fr": "Combien de commandes ?",
    "kind": "choice",
    "step": "audience",
    "choices": "few | Up to 10\nmany | More | | | gold",
}


@pytest.fixture
def version() -> FormVersion:
    program = ProgramFactory(name="Halden Affiliates")
    TierFactory(program=program, key="gold")
    return publishing.draft(program, definition=standard_for(program), by=ada(), at=EPOCH)


def at(version: FormVersion, page: str, *key: str) -> str:
    return reverse(f"admin:partners_formversion_{page}", args=[version.pk, *key])


def now(version: FormVersion) -> Definition:
    version.refresh_from_db()
    return read(version.definition)


def body(response: HttpResponse) -> str:
    return response.content.decode()


def test_a_version_is_begun_written_compared_and_published() -> None:
    program, desk = ProgramFactory(name="Halden Affiliates"), at_desk(ada())
    TierFactory(program=program, key="gold")
    assert "Applicants are asked what the standard form asks." in words(desk.get(LIST))
    begun = desk.post(reverse("admin:partners_formversion_begin", args=[program.pk]), {"start": "in_use"})
    version = FormVersion.objects.get(state=FormState.DRAFT)
    assert begun.url == at(version, "change")

    desk.post(at(version, "add_question"), QUESTION)
    desk.post(at(version, "ask"), {"key": "references"})
    desk.post(at(version, "move", "references"), {"to": "up"})
    desk.post(at(version, "remove", "audience"))

    keys = [each.key for each in now(version).questions]
    assert keys[5:] == ["website", "how_promote", "references", "how_many_orders_do_you_expect"]
    compared = words(desk.get(at(version, "publish")))
    assert "Different from version 1" in compared
    assert "Added: How many orders do you expect?" in compared
    assert "No longer asked: Audience" in compared
    assert "is not translated into French and Polish" in compared  # the choices have English only
    assert desk.post(at(version, "publish")).url == at(version, "change")
    assert publishing.in_use(program, at=timezone.now()) == version


def test_the_draft_of_one_person_is_gone_on_with_by_another(version: FormVersion) -> None:
    desk = at_desk(ada())
    page = desk.post(
        reverse("admin:partners_formversion_begin", args=[version.program_id]), {"start": "standard"}
    )

    assert page.status_code == 422
    assert "This program has a draft already" in words(page)
    assert body(page).count("<title>Error: ") == 1


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"label_en": ""}, "id_label_en", "Write the question in English"),
    ({"key": "Volume!"}, "id_key", "Use small letters, digits and _"),
    ({"key": "website"}, "id_key", "This key is taken"),
    ({"choices": ""}, "id_choices", "Write two choices at least"),
    (
        {"choices": "a\nb | B | | | silver"},
        "id_choices",
        "Line 2: the program has no tier “silver”; it has: gold.",
    ),
    ({"kind": "text"}, "id_choices", "This kind of answer has no choices"),
    ({"kind": "date", "choices": "", "most": "4"}, "id_least", "has no least and no most"),
    (
        {"kind": "text", "choices": "", "least": "5", "most": "4"},
        "id_most",
        "has to be as large as the least",
    ),
    ({"kind": "text", "choices": "", "least": "-5"}, "id_least", "Only numbers can be negative."),
    ({"kind": "text", "choices": "", "most": "4001"}, "id_most", "A text has 4000 letters at most."),
    ({"kind": "multiple", "least": "3"}, "id_least", "So many choices are not there."),
    ({"kind": "stars"}, "id_kind", "Select a valid choice"),
]


@pytest.mark.parametrize(("changes", "target", "said"), FAULTS)
def test_a_question_that_cannot_be_asked_is_answered_at_its_field(
    version: FormVersion, changes: dict[str, Any], target: str, said: str
) -> None:
    before = now(version)
    page = at_desk(ada()).post(at(version, "add_question"), {**QUESTION, **changes})

    assert page.status_code == 422
    assert said in words(page)
    assert f'href="#{target}"' in body(page)
    assert "Combien de commandes ?" in body(page)  # what was typed is still there
    assert now(version) == before


def test_a_question_is_written_anew_under_its_key(version: FormVersion) -> None:
    desk = at_desk(ada())
    desk.post(at(version, "add_question"), {**QUESTION, "key": "volume"})
    assert "More | | | gold" in " ".join(body(desk.get(at(version, "question", "volume"))).split())

    desk.post(
        at(version, "question", "volume"),
        {"label_en": "Volume", "kind": "number", "step": "you", "most": "9"},
    )

    question = now(version).question("volume")
    assert question is not None
    assert (question.kind, question.step, question.most, question.choices) == ("number", "you", 9, ())
    assert desk.get(at(version, "question", "lost")).status_code == 404


def test_a_standard_question_takes_other_words_and_keeps_its_kind(version: FormVersion) -> None:
    desk = at_desk(ada())
    page = words(desk.get(at(version, "question", "company")))
    assert "asked as “Company or creator name”" in page
    assert "Kind of answer" not in page

    desk.post(at(version, "question", "company"), {"label_en": "Your shop", "step": "you", "required": "on"})
    desk.post(at(version, "question", "email"), {"label_en": "Mail"})

    company, email = now(version).question("company"), now(version).question("email")
    assert company is not None and email is not None
    assert (company.is_standard, company.required, company.label) == (True, True, {"en": "Your shop"})
    assert (email.required, email.step) == (True, "you")
    refused = desk.post(at(version, "remove", "email"), follow=True)
    assert "Every form asks for name, e-mail and phone." in words(refused)
    again = desk.post(at(version, "ask"), {"key": "company"}, follow=True)
    assert "Choose one of our questions that the form does not ask yet." in words(again)


def test_the_top_is_written_in_three_languages_for_several_types(version: FormVersion) -> None:
    desk = at_desk(ada())
    nobody = desk.post(at(version, "top"), {"call_to_action_en": "Join"})
    assert (nobody.status_code, "Choose at least one partnership type." in words(nobody)) == (422, True)

    texts = {"call_to_action_en": "Join", "call_to_action_fr": "Rejoignez-nous", "introduction_pl": "Cześć"}
    desk.post(at(version, "top"), {"partnership_types": ["affiliate", "agency"], **texts})

    top = now(version)
    assert top.partnership_types == ("affiliate", "agency")
    assert (top.call_to_action["fr"], top.introduction) == ("Rejoignez-nous", {"pl": "Cześć"})


def test_the_preview_shows_each_reader_what_that_reader_is_asked() -> None:
    house, desk = open_house(), at_desk(ada())
    data = {
        **standard_for(house.program).as_json(),
        "partnership_types": ["affiliate", "agency"],
        "call_to_action": {"en": "Earn with us", "fr": "Gagnez avec nous"},
    }
    data["fields"] += [
        {"key": "size", "kind": "number", "step": "audience", "types": ["agency"], "label": {"en": "Size?"}}
    ]
    version = FormVersionFactory(program=house.program, definition=data)

    english = desk.get(at(version, "preview"), {"partnership_type": "agency"})
    french = desk.get(at(version, "preview"), {"language": "fr"})
    odd = desk.get(at(version, "preview"), {"language": "tlh", "partnership_type": "friend"})

    assert "Earn with us 8% of every order" in words(english)  # the plan of the house pays 8 % of each sale
    assert "Size?" in words(english)
    assert "Gagnez avec nous" in words(french)
    assert "Votre nom" in words(french)
    assert "Size?" not in words(french)
    assert "Your name" in words(odd)
    for page in (english, french):
        assert 'method="post"' not in body(page).split('class="form-preview', 1)[1].split("</main>")[0]


def test_a_published_version_is_only_read(version: FormVersion) -> None:
    desk = at_desk(ada())
    published = publishing.in_use(version.program, at=EPOCH)
    page = desk.get(at(published, "change"))

    assert "This version is in use. It can be read and never edited." in words(page)
    assert published.sha256 in words(page)
    assert not {each for each in links(page) if "/questions/" in each or "/publish/" in each}
    for name in ("top", "add_question", "publish", "discard"):
        assert desk.get(at(published, name)).status_code == 404
    assert desk.post(at(published, "remove", "audience")).status_code == 404


def test_a_draft_is_thrown_away_after_saying_so(version: FormVersion) -> None:
    desk = at_desk(ada())
    assert "everything written in it is gone" in words(desk.get(at(version, "discard")))

    assert desk.post(at(version, "discard")).url == LIST
    assert not FormVersion.objects.exists()


@pytest.mark.parametrize("person", [mats, felix])
def test_others_read_forms_and_write_none(version: FormVersion, person: Any) -> None:
    user: User = person()
    desk = at_desk(user)
    page = desk.get(at(version, "change"))

    assert page.status_code == 200
    assert "Administrators write and publish forms." in words(page)
    assert desk.get(at(version, "preview")).status_code == 200
    for name in ("top", "add_question", "publish", "discard"):
        assert desk.get(at(version, name)).status_code == 403
    assert desk.post(at(version, "remove", "audience")).status_code == 403
    assert "New version" not in words(desk.get(LIST))


def test_strangers_are_asked_to_sign_in(version: FormVersion) -> None:
    assert Client().get(at(version, "change")).status_code == 302
    assert Client().post(at(version, "remove", "audience")).status_code == 302
    assert now(version).question("audience") is not None
