"""What an application form asks, as plain data: the questions by step, in every language, for each partnership type. What cannot be asked
is refused when the form is read, so a form in use can always be shown."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from tiers.choices import PartnershipType

LANGUAGES = ("en", "fr", "pl")
TYPE, YOU, AUDIENCE, CHECK = "type", "you", "audience", "check"
STEPS = (TYPE, YOU, AUDIENCE, CHECK)
STANDARD = "standard"
KINDS = ("text", "long_text", "number", "choice", "multiple", "date", "country", "url", "file")
# Columns of the application: asked in our words unless the form has its own.
STANDARD_KEYS = (
    "full_name",
    "email",
    "phone",
    "company",
    "country",
    "street",
    "postcode",
    "town",
    "vat_number",
    "website",
    "channels",
    "audience",
    "how_promote",
    "references",
)
TRIO = ("full_name", "email", "phone")
MOST_FIELDS, MOST_CHOICES, MOST_FILES, MOST_REFERENCES, MOST_CHANNELS = 40, 30, 3, 3, 5
LONGEST_TEXT, LONGEST_LONG_TEXT, LARGEST_NUMBER = 300, 4000, 10**12
# Names the pages around the questions use themselves.
TAKEN_KEYS = (
    "partnership_type",
    "leave_empty",
    "accept",
    "terms",
    "draft",
    "step",
    "language",
    "csrfmiddlewaretoken",
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
Words = Mapping[str, str]


class BadDefinition(Refused):
    """The form cannot be asked as it is; `params` name the question."""

    message = _("This form cannot be used.")
    field = "definition"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose. With a `tier` it proposes where the applicant stands when approved."""

    value: str
    label: Words
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `types` empty means it is asked of everybody. `most` is the longest text or the largest number."""

    key: str
    kind: str
    step: str
    required: bool = False
    label: Words = field(default_factory=dict)
    help: Words = field(default_factory=dict)
    types: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    least: int | None = None
    most: int | None = None

    @property
    def is_standard(self) -> bool:
        return self.kind == STANDARD


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole form. `partnership_types` with more than one entry begins with the question which of them it is to be."""

    questions: tuple[Question, ...]
    partnership_types: tuple[str, ...]
    call_to_action: Words = field(default_factory=dict)
    introduction: Words = field(default_factory=dict)

    def steps(self) -> tuple[str, ...]:
        """Return the steps that have something to ask, and the last one, on which everything is checked."""
        asked = {question.step for question in self.questions}
        first = (TYPE,) if len(self.partnership_types) > 1 else ()
        return (*first, *(step for step in (YOU, AUDIENCE) if step in asked), CHECK)

    def asked(self, *, partnership_type: str, step: str = "") -> tuple[Question, ...]:
        """Return the questions for one partnership type, of one step or of all."""
        return tuple(
            question
            for question in self.questions
            if (not step or question.step == step)
            and (not question.types or partnership_type in question.types)
        )

    def question(self, key: str) -> Question | None:
        return next((each for each in self.questions if each.key == key), None)

    def as_json(self) -> dict[str, Any]:
        """Return what is stored; `read` gives the same definition back."""
        return {
            "call_to_action": dict(self.call_to_action),
            "introduction": dict(self.introduction),
            "partnership_types": list(self.partnership_types),
            "fields": [_question_json(question) for question in self.questions],
        }

    @property
    def sha256(self) -> str:
        text = json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def words_in(words: Words, language: str) -> str:
    """Return a text in `language`, else in English, else in whatever language it has."""
    short = language.split("-")[0]
    return words.get(short) or words.get("en") or next((text for text in words.values() if text), "")


def read(data: Any) -> Definition:
    """Return the definition that `data`, decoded JSON, describes.

    Raises: BadDefinition, which names the question and what is wrong with it.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("fields"), list):
        raise BadDefinition(_("A form is an object with a list of fields."))
    questions = tuple(_read_question(each) for each in data["fields"])
    types = tuple(data.get("partnership_types") or ())
    definition = Definition(
        questions,
        types,
        call_to_action=_words(data.get("call_to_action"), "call_to_action"),
        introduction=_words(data.get("introduction"), "introduction"),
    )
    _refuse_faults(definition)
    return definition


def _read_question(data: Any) -> Question:
    if not isinstance(data, Mapping):
        raise BadDefinition(_("Each field is an object."))
    key, kind = str(data.get("key", "")), str(data.get("kind", ""))
    if not _KEY.fullmatch(key):
        raise BadDefinition(_("“%(key)s” is no key: use small letters, digits and _."), params={"key": key})
    if kind != STANDARD and kind not in KINDS:
        raise BadDefinition(
            _("%(key)s: “%(kind)s” is no kind of question."), params={"key": key, "kind": kind}
        )
    if kind == STANDARD and key not in STANDARD_KEYS:
        raise BadDefinition(_("%(key)s: this is no question of ours; give it a kind."), params={"key": key})
    if kind != STANDARD and key in (*STANDARD_KEYS, *TAKEN_KEYS):
        raise BadDefinition(_("%(key)s: this key is taken by a question of ours."), params={"key": key})
    return Question(
        key=key,
        kind=kind,
        step=str(data.get("step", AUDIENCE)),
        required=bool(data.get("required")) or key in TRIO,
        label=_words(data.get("label"), key),
        help=_words(data.get("help"), key),
        types=tuple(str(each) for each in data.get("types") or ()),
        choices=tuple(_read_choice(each, key) for each in data.get("choices") or ()),
        least=_whole(data.get("least"), key),
        most=_whole(data.get("most"), key),
    )


def _read_choice(data: Any, key: str) -> Choice:
    if not isinstance(data, Mapping) or not str(data.get("value", "")).strip():
        raise BadDefinition(_("%(key)s: each choice needs a value."), params={"key": key})
    value = str(data["value"]).strip()
    return Choice(value, _words(data.get("label"), key) or {"en": value}, str(data.get("tier") or ""))


def _words(data: Any, key: str) -> dict[str, str]:
    if not data:
        return {}
    if not isinstance(data, Mapping) or set(data) - set(LANGUAGES):
        raise BadDefinition(_("%(key)s: texts are given by language: en, fr, pl."), params={"key": key})
    return {
        language: str(data[language]).strip() for language in LANGUAGES if str(data.get(language, "")).strip()
    }


def _whole(value: Any, key: str) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadDefinition(_("%(key)s: limits are whole numbers."), params={"key": key})
    return value


def _refuse_faults(definition: Definition) -> None:
    if not definition.partnership_types or set(definition.partnership_types) - set(PartnershipType.values):
        raise BadDefinition(_("Choose at least one partnership type."), field="partnership_types")
    if len(definition.questions) > MOST_FIELDS:
        raise BadDefinition(_("A form asks %(most)s questions at most."), params={"most": MOST_FIELDS})
    keys = [question.key for question in definition.questions]
    twice = next((key for key in keys if keys.count(key) > 1), "")
    if twice:
        raise BadDefinition(_("%(key)s: this key is used twice."), params={"key": twice})
    missing = next((key for key in TRIO if key not in keys), "")
    if missing:
        raise BadDefinition(
            _("Every form asks for name, e-mail and phone: %(key)s is missing."), params={"key": missing}
        )
    for question in definition.questions:
        _refuse_fault(question)


def _refuse_fault(question: Question) -> None:
    named: dict[str, object] = {"key": question.key}
    if question.step not in (YOU, AUDIENCE):
        raise BadDefinition(_("%(key)s: choose the step on which it is asked."), params=named)
    if not question.is_standard and not question.label.get("en"):
        raise BadDefinition(_("%(key)s: write the question in English at least."), params=named)
    if set(question.types) - set(PartnershipType.values):
        raise BadDefinition(_("%(key)s: unknown partnership type."), params=named)
    wants_choices = question.kind in ("choice", "multiple")
    if wants_choices and not 2 <= len(question.choices) <= MOST_CHOICES:
        raise BadDefinition(_("%(key)s: give two choices at least and thirty at most."), params=named)
    if question.choices and not wants_choices:
        raise BadDefinition(_("%(key)s: this kind has no choices."), params=named)
    values = [choice.value for choice in question.choices]
    if len(set(values)) != len(values):
        raise BadDefinition(_("%(key)s: two choices have the same value."), params=named)
    if question.key in TRIO and (question.types or question.step != YOU):
        raise BadDefinition(_("%(key)s: name, e-mail and phone are asked of everybody, first."), params=named)
    if question.least is not None and question.most is not None and question.least > question.most:
        raise BadDefinition(_("%(key)s: the smallest is larger than the largest."), params=named)


def _question_json(question: Question) -> dict[str, Any]:
    full: dict[str, Any] = {
        "key": question.key,
        "kind": question.kind,
        "step": question.step,
        "required": question.required,
        "label": dict(question.label),
        "help": dict(question.help),
        "types": list(question.types),
        "choices": [
            {"value": each.value, "label": dict(each.label), **({"tier": each.tier} if each.tier else {})}
            for each in question.choices
        ],
        "least": question.least,
        "most": question.most,
    }
    always = {"key", "kind", "step", "required"}
    return {name: value for name, value in full.items() if name in always or value not in ({}, [], None)}
