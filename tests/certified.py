"""A small school for tests: one program, one certification with a lesson and a quiz, a partner with a member who learns. Built by the verbs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from partners.certification import courses, lessons
from partners.models import Certification, Course, Lesson, Member, Membership, Partner, Staff
from prm.accounts.models import User
from tests.factories.partners import MemberFactory, MembershipFactory
from tests.factories.tiering import StaffFactory
from tests.people import ana, mats
from tiers.models import Program

# 31 January 2026, 10:00 in London: a month later is the end of a shorter one.
NOON = datetime(2026, 1, 31, 10, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def question(text: str, *choices: str) -> dict[str, Any]:
    """Return a question; choices that begin with * are right."""
    return {
        "text": {"en": text},
        "choices": [{"text": {"en": each.lstrip("*")}, "is_right": each.startswith("*")} for each in choices],
    }


# Two choices are right in the third one.
QUESTIONS = [
    question("Which sells in spring?", "*Kites", "Lights"),
    question("Which sells in autumn?", "Kites", "*Lights"),
    question("Which are gifts?", "*Mugs", "*Candles", "Invoices"),
]
RIGHT = [[0], [1], [0, 1]]
TWO_OF_THREE = [[0], [1], [0]]  # 66.7 %, counted as 66


@dataclass
class School:
    """What there is to learn, and Ana, an owner, who may."""

    membership: Membership
    certification: Certification
    course: Course
    text: Lesson
    quiz: Lesson
    ana: User = field(default_factory=ana)

    @property
    def program(self) -> Program:
        return self.membership.program

    @property
    def partner(self) -> Partner:
        return self.membership.partner

    @property
    def member(self) -> Member:
        return Member.objects.get(partner=self.partner, user=self.ana)

    def person(self) -> Staff:
        """Return Ana's row on the list, made when there is none."""
        known = Staff.objects.filter(member=self.member).first()
        return known or StaffFactory.create(
            partner=self.partner, member=self.member, full_name="Ana Prado", email=self.ana.email
        )


def open_school(*, valid_months: int | None = 1, pass_mark: int = 66, takes_proof: bool = False) -> School:
    """Make a certification of one open course: a text and a quiz of three questions."""
    membership = MembershipFactory.create(partner__name="Prado Studio")
    MemberFactory.create(partner=membership.partner, user=ana())
    certification = courses.create_certification(
        membership.program,
        key="sales-specialist",
        name={"en": "Sales specialist", "fr": "Spécialiste de la vente"},
        valid_months=valid_months,
        takes_proof=takes_proof,
        by=mats(),
        at=NOON,
    )
    course = courses.create_course(
        certification, title={"en": "Selling the range"}, pass_mark=pass_mark, by=mats(), at=NOON
    )
    text = lessons.add(
        course, kind="text", title={"en": "Seasons"}, body={"en": "Kites in spring."}, by=mats(), at=NOON
    )
    quiz = lessons.add(
        course, kind="quiz", title={"en": "What sells when"}, questions=QUESTIONS, by=mats(), at=NOON
    )
    courses.open_course(course, by=mats(), at=NOON)
    course.refresh_from_db()
    return School(membership, certification, course, text, quiz)
