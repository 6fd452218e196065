"""Change a form question by question. Each function takes a definition and returns another one; what is stored is decided by publishing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from partners.application_forms.definition import (
    AUDIENCE,
    LANGUAGES,
    STANDARD,
    STANDARD_KEYS,
    STEPS,
    TAKEN_KEYS,
    TRIO,
    YOU,
    Choice,
    Definition,
    Question,
    Words,
    words_in,
)
from partners.application_forms.wording import label_of
from prm.lib.errors import Refused

LONGEST_KEY = 40
# Columns that say who somebody is are asked first; the rest is about whom they reach.
ABOUT_YOU = frozenset(STANDARD_KEYS[: STANDARD_KEYS.index("website")])


class NoSuchQuestion(Refused):
    message = _("This question is no longer part of the draft.")


class AlwaysAsked(Refused):
    message = _("Every form asks for name, e-mail and phone.")


class BadChoices(Refused):
    message = _("Line %(line)d: %(problem)s")
    field = "choices"


@dataclass(frozen=True, slots=True)
class Top:
    """What stands above the questions, and whom they are asked."""

    partnership_types: tuple[str, ...]
    call_to_action: Words
    introduction: Words


def with_top(definition: Definition, top: Top) -> Definition:
    """Return the form with other words above it and for other partnership types."""
    return replace(
        definition,
        partnership_types=top.partnership_types,
        call_to_action=top.call_to_action,
        introduction=top.introduction,
    )


def added(definition: Definition, question: Question) -> Definition:
    """Return the form with a question more, asked last on its step."""
    return replace(definition, questions=_by_step((*definition.questions, question)))


def replaced(definition: Definition, question: Question) -> Definition:
    """Return the form with another question under the same key.

    Raises: NoSuchQuestion.
    """
    _known(definition, question.key)
    questions = (question if each.key == question.key else each for each in definition.questions)
    return replace(definition, questions=_by_step(tuple(questions)))


def removed(definition: Definition, key: str) -> Definition:
    """Return the form without a question.

    Raises: NoSuchQuestion, AlwaysAsked.
    """
    _known(definition, key)
    if key in TRIO:
        raise AlwaysAsked
    return replace(definition, questions=tuple(each for each in definition.questions if each.key != key))


def moved(definition: Definition, key: str, *, up: bool) -> Definition:
    """Return the form with a question before the one above it, or after the one below it, on the same step.

    Raises: NoSuchQuestion.
    """
    step = _known(definition, key).step
    beside = [each.key for each in definition.questions if each.step == step]
    place = beside.index(key)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(beside):
        return definition
    beside[place], beside[other] = beside[other], beside[place]
    by_key = {each.key: each for each in definition.questions}
    in_order = iter(beside)
    return replace(
        definition,
        questions=tuple(
            by_key[next(in_order)] if each.step == step else each for each in definition.questions
        ),
    )


def ours(key: str) -> Question:
    """Return a question of ours as it is asked when nobody said anything about it."""
    return Question(key=key, kind=STANDARD, step=YOU if key in ABOUT_YOU else AUDIENCE, required=key in TRIO)


def not_asked(definition: Definition) -> list[str]:
    """Return the keys of our questions that the form does not ask."""
    asked = {each.key for each in definition.questions}
    return [key for key in STANDARD_KEYS if key not in asked]


def key_from(label: str, *, taken: Definition) -> str:
    """Return a free key made of a question's words: “How many clients?” becomes how_many_clients."""
    plain = unicodedata.normalize("NFKD", label.replace("ł", "l").replace("Ł", "L")).lower()
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    words = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
    if not words[:1].isalpha():
        words = f"question_{words}".strip("_")
    words = words[:LONGEST_KEY].rstrip("_")
    used = {each.key for each in taken.questions} | set(STANDARD_KEYS) | set(TAKEN_KEYS)
    number, key = 2, words
    while key in used:
        ending = f"_{number}"
        key, number = words[: LONGEST_KEY - len(ending)] + ending, number + 1
    return key


def choices_text(choices: tuple[Choice, ...]) -> str:
    """Return choices as they are written, one a line: value | English | French | Polish | tier."""
    lines = []
    for choice in choices:
        parts = [choice.value, *(choice.label.get(language, "") for language in LANGUAGES), choice.tier]
        lines.append(" | ".join(parts).rstrip(" |"))
    return "\n".join(lines)


def choices_in(text: str, *, tiers: frozenset[str]) -> tuple[Choice, ...]:
    """Return the choices written in `text`; a line with one part is value and label in one.

    Raises: BadChoices, which names the line.
    """
    found: list[Choice] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            choice = _choice(number, line, tiers)
            if any(choice.value == each.value for each in found):
                raise BadChoices(
                    params={"line": number, "problem": _("“%s” is there already.") % choice.value}
                )
            found.append(choice)
    return tuple(found)


def _choice(number: int, line: str, tiers: frozenset[str]) -> Choice:
    value, *rest = (part.strip() for part in line.split("|"))
    if not value:
        raise BadChoices(params={"line": number, "problem": _("begin with the value that is stored.")})
    if len(rest) > len(LANGUAGES) + 1:
        raise BadChoices(
            params={
                "line": number,
                "problem": _("write value, English, French, Polish and tier, not more."),
            }
        )
    texts, tier = rest[: len(LANGUAGES)], rest[len(LANGUAGES)] if len(rest) > len(LANGUAGES) else ""
    label = {language: text for language, text in zip(LANGUAGES, texts, strict=False) if text}
    if tier and tier not in tiers:
        known = ", ".join(sorted(tiers)) or "–"
        raise BadChoices(
            params={
                "line": number,
                "problem": _("the program has no tier “%(tier)s”; it has: %(known)s.")
                % {"tier": tier, "known": known},
            }
        )
    return Choice(value, label if label.get("en") else {"en": value, **label}, tier)


def _known(definition: Definition, key: str) -> Question:
    question = definition.question(key)
    if question is None:
        raise NoSuchQuestion
    return question


def _by_step(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """Return the questions in the order of the steps, so that two forms that ask the same read the same."""
    return tuple(sorted(questions, key=lambda each: STEPS.index(each.step)))


def name_of(question: Question, language: str) -> str:
    """Return what a question is called in the back office."""
    return words_in(label_of(question), language) or question.key
