"""What staff write on a program's public page, by language. A text that is missing in a reader's language is shown in English and says so;
everything about money on that page is generated and never written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import ProgramText
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

FALLBACK = "en"
FIELDS = ("headline", "introduction", "who_can_join")
MOST_QUESTIONS, LONGEST_QUESTION, LONGEST_ANSWER = 12, 200, 2000


class UnknownLanguage(Refused):
    message = _("The product does not speak this language.")
    field = "language"


class HalfAQuestion(Refused):
    message = _("Each question needs its answer, and each answer its question.")
    field = "faq"


class TooManyQuestions(Refused):
    message = _("A page holds at most %(most)s questions.")
    field = "faq"

    def __init__(self) -> None:
        super().__init__(params={"most": MOST_QUESTIONS})


@dataclass(frozen=True)
class Said:
    """A text with the language it is in; a `language` only when it is not the reader's."""

    text: str = ""
    language: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True)
class Faq:
    question: str
    answer: str


@dataclass(frozen=True)
class Texts:
    """The texts of one page for one reader; `faq_language` is set when the questions are not in the reader's language."""

    headline: Said
    introduction: Said
    who_can_join: Said
    faq: tuple[Faq, ...] = ()
    faq_language: str = ""


def of(program: Program, language: str) -> Texts:
    """Return what a program's page says to a reader of `language`."""
    return of_all([program], language)[program.pk]


def of_all(programs: Iterable[Program], language: str) -> dict[int, Texts]:
    """Return what the pages of several programs say to a reader of `language`, by program, in one query."""
    wanted = list(programs)
    rows = ProgramText.objects.filter(program__in=wanted, language__in={language, FALLBACK})
    found = {(row.program_id, row.language): row for row in rows}
    return {
        each.pk: _texts(each, found.get((each.pk, language)), found.get((each.pk, FALLBACK)), language)
        for each in wanted
    }


@transaction.atomic
def write(
    program: Program,
    language: str,
    *,
    texts: Mapping[str, str],
    faq: Iterable[tuple[str, str]],
    by: User,
    at: datetime,
) -> ProgramText:
    """Set what the page of a program says in one language; pairs of which both halves are empty are left out.

    Raises: Forbidden, UnknownLanguage, HalfAQuestion, TooManyQuestions.
    """
    policy.require(by, "manage_program_pages")
    if language not in dict(settings.LANGUAGES):
        raise UnknownLanguage
    given = {name: texts.get(name, "").strip() for name in FIELDS}
    asked = _checked(faq)
    row, _created = ProgramText.objects.get_or_create(program=program, language=language)
    values = {**given, "faq": asked}
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    if changed:
        audit.record(by, "program.page_written", program, at=at, language=language, fields=changed)
    return row


def _texts(program: Program, own: ProgramText | None, fallback: ProgramText | None, language: str) -> Texts:
    said = {name: _said(name, own, fallback, language) for name in FIELDS}
    if not said["who_can_join"] and program.summary:
        said["who_can_join"] = Said(program.summary)  # staff wrote it in a language of their own
    source = own if own is not None and own.faq else fallback
    faq = tuple(Faq(each["question"], each["answer"]) for each in (source.faq if source else []))
    return Texts(**said, faq=faq, faq_language=FALLBACK if faq and source is not own else "")


def _said(name: str, own: ProgramText | None, fallback: ProgramText | None, language: str) -> Said:
    text = getattr(own, name, "")
    if text:
        return Said(text)
    return Said(getattr(fallback, name, ""), FALLBACK if language != FALLBACK else "")


def _checked(faq: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    pairs = [(question.strip(), answer.strip()) for question, answer in faq]
    pairs = [pair for pair in pairs if any(pair)]
    if any(not all(pair) for pair in pairs):
        raise HalfAQuestion
    if len(pairs) > MOST_QUESTIONS:
        raise TooManyQuestions
    return [
        {"question": question[:LONGEST_QUESTION], "answer": answer[:LONGEST_ANSWER]}
        for question, answer in pairs
    ]
