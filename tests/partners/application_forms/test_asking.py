"""Forms ask, check and keep: each kind of question with good and bad answers, and what was said is said again in the reader's words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from partners.application_forms.asking import (
    StepForm,
    answers_shown,
    form_for,
    proposed_tier,
    store,
    values_of,
)
from partners.application_forms.definition import AUDIENCE, TRIO, TYPE, YOU, Definition, read
from partners.models import Application
from portal.templatetags.portal import form_errors
from tests.factories.partners import ApplicationFactory
from tests.factories.recruiting import ApplicationFileFactory, FormVersionFactory, ReferenceFactory

FIRST = [{"key": key, "kind": "standard", "step": "you"} for key in TRIO]
CHOICES = [
    {"value": "few", "label": {"en": "Up to 10", "fr": "Jusqu’à 10"}},
    {"value": "many", "label": {"en": "More", "fr": "Plus"}, "tier": "gold"},
]


def asking(*fields: dict[str, Any], types: tuple[str, ...] = ("affiliate",)) -> Definition:
    return read({"partnership_types": list(types), "fields": [*FIRST, *fields]})


def own(kind: str, **more: Any) -> Definition:
    choices = CHOICES if kind in ("choice", "multiple") else []
    label = {"en": "Question", "fr": "La question"}
    field = {"key": "own", "kind": kind, "step": "audience", "label": label, "choices": choices, **more}
    return asking(field)


def ours(key: str, **more: Any) -> Definition:
    return asking({"key": key, "kind": "standard", "step": "audience", **more})


def filled(definition: Definition, data: Any, *, language: str = "en", **more: Any) -> StepForm:
    return form_for(
        definition, step=AUDIENCE, partnership_type="affiliate", language=language, data=data, **more
    )


GOOD: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("text", {}, " Ana ", "Ana"),
    ("text", {}, "", ""),
    ("long_text", {"most": 20}, "two\r\nlines", "two\r\nlines"),
    ("number", {}, "1200", Decimal("1200")),
    ("number", {}, "1 200,50", Decimal("1200.50")),
    ("number", {}, "1,200", Decimal("1200")),
    ("number", {"least": -5}, "-2.5", Decimal("-2.5")),
    ("number", {}, "", None),
    ("choice", {}, "many", "many"),
    ("multiple", {}, ["few", "many"], ["few", "many"]),
    ("date", {}, "2026-12-01", date(2026, 12, 1)),
    ("country", {}, "Poland", "Poland"),
    ("url", {}, "lima.example", "https://lima.example"),
    ("url", {}, "http://lima.example/a?b=c", "http://lima.example/a?b=c"),
]


@pytest.mark.parametrize(("kind", "more", "typed", "value"), GOOD)
def test_a_good_answer_is_taken(kind: str, more: dict[str, Any], typed: Any, value: Any) -> None:
    form = filled(own(kind, **more), MultiValueDict({"own": typed if isinstance(typed, list) else [typed]}))

    assert form.is_valid(), form.errors
    assert form.cleaned_data["own"] == value


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("text", {"required": True}, "", "Write an answer to “Question”."),
    ("text", {"most": 3}, "four", "at most 3 characters"),
    ("text", {"least": 5}, "four", "at least 5 letters"),
    ("text", {}, "a\nb", "Write this on one line."),
    ("text", {}, "a\u202eb", "Remove the invisible characters"),
    ("long_text", {"required": True}, " \r\n ", "Write an answer to “Question”."),
    ("number", {"required": True}, "", "Write an answer to “Question”."),
    ("number", {}, "many", "Write a number such as 1200 or 2.5."),
    ("number", {}, "1.000", "Write a number such as 1200 or 2.5."),
    ("number", {}, "1e5", "Write a number such as 1200 or 2.5."),
    ("number", {}, "-1", "0 at least"),
    ("number", {"most": 10}, "10.5", "10 at most"),
    ("choice", {"required": True}, "", "Choose an answer to “Question”."),
    ("choice", {}, "none", "Choose an answer to “Question”."),
    ("multiple", {"required": True}, "", "Choose one or more answers to “Question”."),
    ("multiple", {}, "none", "Choose one or more answers to “Question”."),
    ("multiple", {"least": 2}, "few", "Choose 2 answers at least."),
    ("date", {}, "1.12.2026", "Enter a date for “Question” as year-month-day"),
    ("country", {}, "Atlantis", "Choose a country for “Question”."),
    ("url", {}, "javascript:alert(1)", "Enter a web address for “Question”"),
    ("url", {}, "ftp://lima.example", "Enter a web address for “Question”"),
    ("url", {}, "lima", "Enter a web address for “Question”"),
    ("file", {"required": True}, "", "Choose a file for “Question”."),
]


@pytest.mark.parametrize(("kind", "more", "typed", "said"), BAD)
def test_a_bad_answer_says_what_to_do(kind: str, more: dict[str, Any], typed: str, said: str) -> None:
    form = filled(own(kind, **more), MultiValueDict({"own": [typed] if typed else []}))

    assert not form.is_valid()
    [(target, text)] = form_errors(form)
    assert said in text
    assert f'id="{target}"' in str(form["own"])


def test_thousands_with_a_comma_are_english_only() -> None:
    with translation.override("fr"):
        assert not filled(own("number"), {"own": "1,200"}, language="fr").is_valid()
        assert filled(own("number"), {"own": "1,2"}, language="fr").is_valid()


def test_five_choices_are_buttons_and_six_are_a_list() -> None:
    def widget(count: int) -> str:
        choices = [{"value": str(number)} for number in range(count)]
        return str(
            getattr(filled(own("choice", choices=choices), None).fields["own"].widget, "input_type", "")
        )

    assert (widget(5), widget(6)) == ("radio", "select")


def test_questions_are_asked_in_the_readers_language_or_in_english() -> None:
    french, polish = (filled(own("choice"), None, language=language) for language in ("fr", "pl"))

    assert (str(french.fields["own"].label), "Jusqu’à 10" in str(french["own"])) == ("La question", True)
    assert (str(polish.fields["own"].label), "Up to 10" in str(polish["own"])) == ("Question", True)


def test_the_first_step_of_several_types_asks_which_it_is_to_be() -> None:
    definition = asking(types=("affiliate", "agency"))
    form = form_for(
        definition, step=TYPE, partnership_type="", language="en", data={"partnership_type": "friend"}
    )

    assert form.errors == {"partnership_type": ["Choose what you want to be."]}


ROWS: list[tuple[str, dict[str, str], str, str]] = [
    ("channels", {"channels-1-url": "x.example"}, "id_channels-1-kind", "Channel 2: Choose what kind"),
    (
        "channels",
        {"channels-0-kind": "x", "channels-0-url": "ftp://a.b", "channels-0-audience": "9"},
        "id_channels-0-url",
        "Channel 1: Enter the channel's address",
    ),
    (
        "channels",
        {"channels-4-kind": "x", "channels-4-url": "x.example", "channels-4-audience": "1.5"},
        "id_channels-4-audience",
        "Channel 5: Enter about how many people",
    ),
    (
        "references",
        {"references-0-full_name": "Rui", "references-0-email": "rui", "references-0-relation": "Client"},
        "id_references-0-email",
        "Reference 1: Enter an e-mail address like",
    ),
    ("references", {}, "id_references-0-full_name", "Fill in 1 row of “References” at least."),
]


@pytest.mark.parametrize(("key", "data", "target", "said"), ROWS)
def test_what_is_wrong_in_a_row_is_said_at_its_own_field(
    key: str, data: dict[str, str], target: str, said: str
) -> None:
    form = filled(ours(key, required=True), data)

    assert not form.is_valid()
    found = form_errors(form)
    assert found[0][0] == target
    assert found[0][1].startswith(said)
    assert f'id="{target}"' in "".join(part.control for line in form[key].lines for part in line.parts)


def test_empty_rows_count_for_nothing_and_full_ones_close_the_gaps() -> None:
    channel = {"channels-3-kind": "x", "channels-3-url": "x.example/ana", "channels-3-audience": "12,000"}
    form = filled(ours("channels"), channel)

    assert form.is_valid(), form.errors
    assert form.cleaned_data["channels"] == [{"kind": "x", "url": "https://x.example/ana", "audience": 12000}]
    assert filled(ours("references"), {}).is_valid()


def test_as_many_rows_are_asked_as_the_form_says_and_no_more() -> None:
    assert len(filled(ours("references"), None)["references"].lines) == 2
    assert len(filled(ours("references", most=9), None)["references"].lines) == 3
    assert [line.is_extra for line in filled(ours("channels"), None)["channels"].lines] == [False] * 2 + [
        True
    ] * 3
    told = filled(ours("channels"), {"channels-3-url": "x.example"})["channels"].lines
    assert [line.is_extra for line in told] == [False] * 4 + [True]


def files(*names: str) -> MultiValueDict[str, Any]:
    return MultiValueDict({"own": [SimpleUploadedFile(name, b"x") for name in names]})


def test_files_are_three_at_most_with_those_that_are_kept() -> None:
    definition = own("file", required=True)

    assert filled(definition, {}, files=files("a.pdf", "b.pdf", "c.pdf")).is_valid()
    assert not filled(definition, {}, files=files("a", "b", "c", "d")).is_valid()
    assert not filled(definition, {}, files=files("c.pdf"), initial={"own": ["1", "2", "3"]}).is_valid()
    assert filled(definition, {}, initial={"own": ["kept.pdf"]}).is_valid()


def test_two_questions_for_files_share_the_three() -> None:
    definition = asking(
        {"key": "one", "kind": "file", "step": "audience", "label": {"en": "One"}},
        {"key": "two", "kind": "file", "step": "audience", "label": {"en": "Two"}},
    )
    given = MultiValueDict({"one": files("a", "b").getlist("own"), "two": files("c", "d").getlist("own")})

    form = filled(definition, {}, files=given)

    assert list(form.errors) == ["one"]


EVERYTHING = asking(
    {"key": "country", "kind": "standard", "step": "you"},
    {"key": "channels", "kind": "standard", "step": "audience"},
    {"key": "references", "kind": "standard", "step": "audience"},
    {"key": "amount", "kind": "number", "step": "audience", "label": {"en": "Amount"}},
    {"key": "volume", "kind": "choice", "step": "audience", "label": {"en": "Volume"}, "choices": CHOICES},
    {"key": "both", "kind": "multiple", "step": "audience", "label": {"en": "Both"}, "choices": CHOICES},
    {"key": "since", "kind": "date", "step": "audience", "label": {"en": "Since"}},
    {"key": "market", "kind": "country", "step": "audience", "label": {"en": "Market"}},
    {"key": "kit", "kind": "file", "step": "audience", "label": {"en": "Kit"}},
)
SAID = MultiValueDict(
    {
        "channels-0-kind": ["youtube"],
        "channels-0-url": ["youtube.example/ana"],
        "channels-0-audience": ["12000"],
        "amount": ["1200.50"],
        "volume": ["few"],
        "both": ["few", "many"],
        "since": ["2026-03-01"],
        "market": ["Poland"],
    }
)


def answered() -> Application:
    """Return an application that answered every question, saved and read again."""
    version = FormVersionFactory(published=True, definition=EVERYTHING.as_json())
    application = ApplicationFactory(
        program=version.program, form=version, partnership_type="affiliate", country="Portugal"
    )
    form = filled(EVERYTHING, SAID)
    assert form.is_valid(), form.errors
    application.save(update_fields=store(application, EVERYTHING, form.cleaned_data))
    ReferenceFactory(application=application, email="rui@costa.example")
    ApplicationFileFactory(application=application, field_key="kit", name="kit.pdf")
    return Application.objects.get(pk=application.pk)


@pytest.mark.django_db
def test_what_is_kept_is_what_the_next_form_shows() -> None:
    application = answered()
    again = values_of(application, EVERYTHING)

    assert application.answers == {
        "amount": "1200.5",
        "volume": "few",
        "both": ["few", "many"],
        "since": "2026-03-01",
        "market": "Poland",
    }
    assert application.channels == [
        {"kind": "youtube", "url": "https://youtube.example/ana", "audience": 12000}
    ]
    assert again["kit"] == ["kit.pdf"]
    assert again["references"][0]["email"] == "rui@costa.example"
    page = str(filled(EVERYTHING, None, initial=again)["amount"]) + str(
        filled(EVERYTHING, None, initial=again)["since"]
    )
    assert 'value="1200.5"' in page
    assert 'value="2026-03-01"' in page


@pytest.mark.django_db
def test_answers_are_read_in_the_readers_language() -> None:
    with translation.override("fr"):
        shown = {each.key: each.value for each in answers_shown(answered(), "fr")}

    assert shown["volume"] == "Jusqu’à 10"
    assert shown["both"] == "Jusqu’à 10 et Plus"
    assert shown["amount"] == "1\u202f200,5" or shown["amount"] == "1200,5"
    assert shown["market"] == "Pologne"
    assert shown["since"] == "1 mars 2026"
    assert shown["country"] == "Portugal"
    assert shown["kit"] == "kit.pdf"
    assert "rui@costa.example" in shown["references"]
    assert "youtube.example/ana" in shown["channels"]


@pytest.mark.django_db
def test_a_step_leaves_the_others_answers_alone_and_mail_is_folded() -> None:
    application = answered()
    form = form_for(
        EVERYTHING,
        step=YOU,
        partnership_type="affiliate",
        language="en",
        data={
            "full_name": "Ana",
            "email": "ANA@Lima.example",
            "phone": "+351 21 000 0000",
            "country": "Portugal",
        },
    )
    assert form.is_valid(), form.errors

    columns = store(application, EVERYTHING, form.cleaned_data)

    assert set(columns) == {"full_name", "email", "email_folded", "phone", "country"}
    assert application.email_folded == "ana@lima.example"
    assert application.answers["volume"] == "few"


@pytest.mark.django_db
def test_a_chosen_answer_proposes_the_tier() -> None:
    application = answered()
    assert proposed_tier(application) == "gold"

    application.answers = {**application.answers, "both": ["few"]}
    assert proposed_tier(application) == ""


@pytest.mark.django_db
def test_an_application_from_before_there_were_forms_shows_what_it_said() -> None:
    shown = answers_shown(ApplicationFactory(form=None, audience="9,000 readers"), "en")

    assert [each.label for each in shown][:2] == ["Your name", "E-mail address"]
    assert "9,000 readers" in [each.value for each in shown]
    assert "VAT number" not in [each.label for each in shown]
