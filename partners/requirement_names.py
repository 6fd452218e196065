"""What partners keep that a tier's requirement can be narrowed to: certifications, courses, roles, kinds of activity, goals. Certifications go
by their key, courses by their public id, everything else by the value that is stored."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partners.checklists import in_language
from partners.choices import ActivityKind, CourseState, StaffRole
from partners.models import Certification, Course
from partners.models.business_plan import GOAL_METRICS
from tiers import narrowing
from tiers.models import Program
from tiers.narrowing import Value
from tiers.requirement_words import metric_name


def certifications(program: Program) -> list[Value]:
    """Return the certifications of a program, also those no longer given."""
    rows = Certification.objects.filter(program=program).order_by("pk")
    return [Value(row.key, in_language(row.name) or row.key, row.retired_at is None) for row in rows]


def courses(program: Program) -> list[Value]:
    """Return the courses of a program's certifications, also closed ones: who completed them did."""
    rows = Course.objects.filter(certification__program=program).order_by("certification", "position", "pk")
    return [
        Value(row.public_id, in_language(row.title) or row.public_id, row.state == CourseState.OPEN)
        for row in rows
    ]


def roles(_program: Program) -> list[Value]:
    return [Value(value, str(label)) for value, label in StaffRole.choices]


def kinds(_program: Program) -> list[Value]:
    return [Value(value, str(label)) for value, label in ActivityKind.choices]


def goals(_program: Program) -> list[Value]:
    """Return what a goal of a business plan can count."""
    return [
        Value(each, _("Subscribers") if each == "subscribers" else metric_name(each)) for each in GOAL_METRICS
    ]


def learn() -> None:
    """Let requirements name what partners keep."""
    narrowing.learn_values("certification", certifications)
    narrowing.learn_values("course", courses)
    narrowing.learn_values("role", roles)
    narrowing.learn_values("kind", kinds)
    narrowing.learn_values("goal", goals)
