"""The questions of a quiz: what makes them whole, and how answers are marked. A question is right when exactly its right choices are chosen,
and the score is rounded down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from partners.certification.texts import EnglishMissing, TextTooLong, by_language
from prm.lib.errors import Refused

MOST_QUESTIONS, MOST_CHOICES = 50, 8
LONGEST_QUESTION, LONGEST_CHOICE = 400, 240


class NoQuestions(Refused):
    message = _("A quiz has 1 to 50 questions.")
    field = "questions"


class BadQuestion(Refused):
    message = _("Question %(number)s: %(problem)s")
    field = "questions"


class BadAnswers(Refused):
    message = _("Answer every question with one of its choices.")


_CHOICES = _("Give 2 to 8 choices.")
_RIGHT = _("Mark at least one choice as right, and leave at least one that is wrong.")


@dataclass(frozen=True, slots=True)
class Marked:
    """How one try came out: the score in whole percent, and of each question what was chosen and whether it was right."""

    score: int
    answers: list[dict[str, Any]]

    @property
    def wrong(self) -> list[int]:
        """Return the numbers of the questions that were wrong, counted from 1."""
        return [number for number, each in enumerate(self.answers, start=1) if not each["is_right"]]


def checked(questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return questions as they are kept.

    Raises: NoQuestions, BadQuestion.
    """
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        raise NoQuestions
    return [_question(number, each) for number, each in enumerate(questions, start=1)]


def fingerprint(questions: Sequence[Mapping[str, Any]]) -> str:
    """Return what tells one state of a quiz from another: answers are for the questions that were read."""
    text = json.dumps(list(questions), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def right_choices(question: Mapping[str, Any]) -> set[int]:
    """Return the places of the right choices, counted from 0."""
    return {place for place, choice in enumerate(question["choices"]) if choice["is_right"]}


def mark(questions: Sequence[Mapping[str, Any]], answers: Sequence[Sequence[int]]) -> Marked:
    """Mark one try: `answers` holds for each question the places of what was chosen.

    Raises: BadAnswers.
    """
    if len(answers) != len(questions) or not questions:
        raise BadAnswers
    marked: list[dict[str, Any]] = []
    for question, chosen in zip(questions, answers, strict=True):
        places = set(chosen)
        if not places or not all(0 <= place < len(question["choices"]) for place in places):
            raise BadAnswers
        marked.append({"chosen": sorted(places), "is_right": places == right_choices(question)})
    right = sum(each["is_right"] for each in marked)
    return Marked(100 * right // len(questions), marked)


def _question(number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        choices = [
            {
                "text": by_language(each.get("text"), name="choice", longest=LONGEST_CHOICE, needed=True),
                "is_right": bool(each.get("is_right")),
            }
            for each in given.get("choices", ())
        ]
        text = by_language(given.get("text"), name="question", longest=LONGEST_QUESTION, needed=True)
    except (EnglishMissing, TextTooLong) as refusal:
        raise BadQuestion(params={"number": number, "problem": refusal}) from refusal
    if not 2 <= len(choices) <= MOST_CHOICES:
        raise BadQuestion(params={"number": number, "problem": _CHOICES})
    if {bool(each["is_right"]) for each in choices} != {True, False}:
        raise BadQuestion(params={"number": number, "problem": _RIGHT})
    return {"text": text, "choices": choices}
