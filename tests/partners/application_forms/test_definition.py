"""What a form may ask. Whatever cannot be asked is refused with the question's name, and what is read back is what was written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partners.application_forms.definition import (
    AUDIENCE,
    CHECK,
    KINDS,
    LANGUAGES,
    STANDARD_KEYS,
    TAKEN_KEYS,
    TRIO,
    TYPE,
    YOU,
    BadDefinition,
    Choice,
    Definition,
    Question,
    read,
    words_in,
)
from partners.application_forms.standard import standard_for
from partners.application_forms.wording import WORDINGS
from tiers.choices import PartnershipType
from tiers.models import Program

FIRST = [{"key": key, "kind": "standard", "step": "you"} for key in TRIO]
OWN = {"key": "clients", "kind": "number", "step": "audience", "label": {"en": "How many clients?"}}


def form(*fields: Any, **around: Any) -> dict[str, Any]:
    return {"partnership_types": ["affiliate"], "fields": [*FIRST, *fields], **around}


def own(**changes: Any) -> dict[str, Any]:
    return {**OWN, **changes}


FAULTS: list[tuple[Any, str]] = [
    (None, "an object with a list of fields"),
    ({"fields": "name"}, "an object with a list of fields"),
    (form("clients"), "Each field is an object"),
    (form(own(key="Clients")), "“Clients” is no key"),
    (form(own(key="2nd")), "“2nd” is no key"),
    (form(own(key="a" * 41)), "is no key"),
    (form(own(kind="stars")), "clients: “stars” is no kind"),
    (form(own(kind="standard")), "clients: this is no question of ours"),
    (form(own(key="company")), "company: this key is taken"),
    (form(own(key="leave_empty")), "leave_empty: this key is taken"),
    (form(OWN, OWN), "clients: this key is used twice"),
    ({"partnership_types": ["affiliate"], "fields": FIRST[:2]}, "phone is missing"),
    (form(own(label={})), "clients: write the question in English"),
    (form(own(label={"fr": "Combien ?"})), "clients: write the question in English"),
    (form(own(label={"de": "Wie viele?"})), "clients: texts are given by language"),
    (form(own(label="How many?")), "clients: texts are given by language"),
    (form(own(step="check")), "clients: choose the step"),
    (form(own(types=["friend"])), "clients: unknown partnership type"),
    (form(own(kind="choice")), "clients: give two choices at least"),
    (form(own(kind="choice", choices=[{"value": "a"}])), "clients: give two choices at least"),
    (form(own(kind="choice", choices=[{"value": str(n)} for n in range(31)])), "thirty at most"),
    (
        form(own(kind="multiple", choices=[{"value": "a"}, {"value": " "}])),
        "clients: each choice needs a value",
    ),
    (form(own(kind="multiple", choices=[{"value": "a"}, {"value": "a"}])), "two choices have the same value"),
    (form(own(choices=[{"value": "a"}, {"value": "b"}])), "clients: this kind has no choices"),
    (form(own(least=5, most=4)), "clients: the smallest is larger"),
    (form(own(least="5")), "clients: limits are whole numbers"),
    (form(own(most=True)), "clients: limits are whole numbers"),
    (form(own(most=1.5)), "clients: limits are whole numbers"),
    ({"partnership_types": [], "fields": FIRST}, "at least one partnership type"),
    ({"partnership_types": ["friend"], "fields": FIRST}, "at least one partnership type"),
    (form(*(own(key=f"q{n}") for n in range(38))), "40 questions at most"),
    (
        {"partnership_types": ["affiliate"], "fields": [{**FIRST[0], "step": "audience"}, *FIRST[1:]]},
        "full_name: name, e-mail and phone are asked of everybody, first",
    ),
    (
        {"partnership_types": ["affiliate"], "fields": [{**FIRST[0], "types": ["affiliate"]}, *FIRST[1:]]},
        "full_name: name, e-mail and phone are asked of everybody, first",
    ),
]


@pytest.mark.parametrize(("data", "said"), FAULTS, ids=[said for _data, said in FAULTS])
def test_what_cannot_be_asked_is_refused_with_its_name(data: Any, said: str) -> None:
    with pytest.raises(BadDefinition) as refusal:
        read(data)
    assert said in str(refusal.value)


def test_name_mail_and_phone_have_to_be_answered_whatever_the_data_says() -> None:
    definition = read(
        {"partnership_types": ["affiliate"], "fields": [{**each, "required": False} for each in FIRST]}
    )

    assert [each.required for each in definition.questions] == [True, True, True]


def test_the_steps_are_those_that_have_something_to_ask() -> None:
    assert read(form()).steps() == (YOU, CHECK)
    assert read(form(OWN)).steps() == (YOU, AUDIENCE, CHECK)
    assert read(form(OWN, partnership_types=["affiliate", "agency"])).steps() == (TYPE, YOU, AUDIENCE, CHECK)


def test_a_question_for_one_partnership_type_is_not_asked_of_another() -> None:
    definition = read(form(own(types=["agency"]), partnership_types=["affiliate", "agency"]))

    assert [each.key for each in definition.asked(partnership_type="affiliate", step=AUDIENCE)] == []
    assert [each.key for each in definition.asked(partnership_type="agency", step=AUDIENCE)] == ["clients"]


@pytest.mark.parametrize(
    ("words", "language", "said"),
    [
        ({"en": "Yes", "fr": "Oui"}, "fr", "Oui"),
        ({"en": "Yes", "fr": "Oui"}, "fr-ca", "Oui"),
        ({"en": "Yes", "fr": "Oui"}, "pl", "Yes"),
        ({"pl": "Tak"}, "fr", "Tak"),
        ({}, "en", ""),
    ],
)
def test_what_is_not_translated_is_said_in_english(words: dict[str, str], language: str, said: str) -> None:
    assert words_in(words, language) == said


@pytest.mark.parametrize("kind", PartnershipType.values)
def test_the_standard_form_asks_little_and_is_read_back_the_same(kind: str) -> None:
    definition = standard_for(Program(partnership_type=kind))
    has_to = [each.key for each in definition.questions if each.required]

    assert read(definition.as_json()) == definition
    assert has_to == [*TRIO, "company"] if kind in ("distributor", "agency") else has_to == list(TRIO)
    assert len(definition.questions) <= 10
    for question in definition.questions:
        texts = [question.label] if not question.is_standard else [WORDINGS[question.key].label]
        texts += [choice.label for choice in question.choices]
        assert all(set(each) == set(LANGUAGES) for each in texts), question.key


def test_every_question_of_ours_has_words_in_every_language() -> None:
    assert set(WORDINGS) == set(STANDARD_KEYS)
    for wording in WORDINGS.values():
        assert set(wording.label) == set(LANGUAGES)
        assert set(wording.help) in (set(), set(LANGUAGES))


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
).filter(lambda text: text == text.strip())
WORDS = st.dictionaries(st.sampled_from(LANGUAGES[1:]), TEXTS, max_size=2).flatmap(
    lambda others: TEXTS.map(lambda english: {"en": english, **others})
)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True).filter(
    lambda key: key not in (*STANDARD_KEYS, *TAKEN_KEYS)
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    kind = draw(st.sampled_from(KINDS))
    least = draw(st.none() | st.integers(0, 50))
    values = (
        draw(st.lists(TEXTS, min_size=2, max_size=4, unique=True)) if kind in ("choice", "multiple") else []
    )
    return Question(
        key=draw(KEYS),
        kind=kind,
        step=draw(st.sampled_from([YOU, AUDIENCE])),
        required=draw(st.booleans()),
        label=draw(WORDS),
        help=draw(st.just({}) | WORDS),
        types=tuple(draw(st.lists(st.sampled_from(PartnershipType.values), unique=True, max_size=2))),
        choices=tuple(Choice(value, draw(WORDS), draw(st.sampled_from(["", "gold"]))) for value in values),
        least=least,
        most=draw(st.none() | st.integers(least or 0, 100)),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(questions(), max_size=4, unique_by=lambda each: each.key), st.just({}) | WORDS)
def test_what_is_read_back_is_what_was_written(asked: list[Question], words: dict[str, str]) -> None:
    first = tuple(Question(key=key, kind="standard", step=YOU, required=True) for key in TRIO)
    definition = Definition(
        (*first, *asked), ("affiliate", "agency"), call_to_action=words, introduction=words
    )

    again = read(definition.as_json())

    assert again == definition
    assert again.sha256 == definition.sha256
