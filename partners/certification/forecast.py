"""Foretell what certified shares fall to when nobody renews anything: at each day on which somebody's last credential ends. Nobody is
counted twice, and who holds a longer one does not lapse with the shorter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from django.utils.translation import ngettext

from partners.certification.metrics import credentials_as_of, on_list
from partners.models import Partner, Staff
from tiers.models import Program
from tiers.qualify import Question
from tiers.requirement_words import figure_text

_RATIO = Question("certified_ratio")


@dataclass(frozen=True, slots=True)
class Step:
    """From the day `on`, `certified` of `people` are certified, `ratio` percent; `lapsed` are who no longer is from that day on."""

    on: date
    ratio: Fraction
    certified: int
    people: int
    lapsed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Somebody on the list, and how long they are certified: not at all, until `ends_on` (that day no more), or for good."""

    staff: Staff
    is_certified: bool
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """A partner's list at an instant, with what each person holds in a program: key of the certification and when it ends."""

    people: tuple[Staff, ...]
    held: Mapping[int, Sequence[tuple[str, date | None]]]

    def heads(self, question: Question) -> list[Head]:
        """Return the people a question asks about, with how long each is certified."""
        roles, countries = question.values("role"), question.values("country")
        asked = (
            each
            for each in self.people
            if (not roles or each.role in roles) and (not countries or each.country in countries)
        )
        return [self._head(each, question.values("certification")) for each in asked]

    def _head(self, person: Staff, keys: Sequence[str]) -> Head:
        ends = [end for key, end in self.held.get(person.pk, ()) if not keys or key in keys]
        if not ends or None in ends:
            return Head(person, bool(ends))
        return Head(person, True, max(end for end in ends if end is not None))


def roster(partner: Partner, program: Program, *, at: datetime) -> Roster:
    """Load a partner's list and what counts at an instant, in two queries."""
    people = on_list(_RATIO, at=at).filter(partner=partner).order_by("full_name", "pk")
    held: dict[int, list[tuple[str, date | None]]] = {}
    counting = credentials_as_of(program, at=at).filter(staff__partner=partner)
    for staff_id, key, ends_on in counting.values_list("staff", "certification__key", "expires_on"):
        held.setdefault(staff_id, []).append((key, ends_on))
    return Roster(tuple(people), held)


def now(found: Sequence[Head], on: date) -> Step | None:
    """Return where a list stands, None for an empty one."""
    certified = sum(each.is_certified for each in found)
    return Step(on, Fraction(100 * certified, len(found)), certified, len(found)) if found else None


def steps(found: Sequence[Head]) -> list[Step]:
    """Return each fall that is to come, the first one first."""
    certified = sum(each.is_certified for each in found)
    lapsing: dict[date, list[str]] = {}
    for each in found:
        if each.ends_on is not None:
            lapsing.setdefault(each.ends_on, []).append(each.staff.full_name)
    told = []
    for day in sorted(lapsing):
        certified -= len(lapsing[day])
        told.append(
            Step(day, Fraction(100 * certified, len(found)), certified, len(found), tuple(lapsing[day]))
        )
    return told


def lapses(
    partner: Partner, question: Question, *, at: datetime, program: Program | None = None
) -> list[Step]:
    """Return how a partner's certified share falls from `at` on when nothing is renewed.

    Without a program it is that of the partner's first membership, living ones first.
    """
    place = program or _program_of(partner)
    return steps(roster(partner, place, at=at).heads(question)) if place is not None else []


def first_below(found: Iterable[Step], threshold: Fraction) -> Step | None:
    """Return the first fall that lands below a threshold."""
    return next((step for step in found if step.ratio < threshold), None)


def sentence(step: Step, on: date, locale: str) -> str:
    """Say when a share falls and to what, such as: In 43 days you fall to 76 %."""
    days = (step.on - on).days
    text = ngettext("In %(days)s day you fall to %(ratio)s.", "In %(days)s days you fall to %(ratio)s.", days)
    return text % {"days": days, "ratio": ratio_text(step.ratio, locale)}


def ratio_text(ratio: Fraction, locale: str) -> str:
    """Write a share of 0 to 100, rounded down to tenths, so that nothing below a threshold looks like it."""
    return figure_text(_RATIO, ratio, "", locale)


def _program_of(partner: Partner) -> Program | None:
    places = partner.memberships.select_related("program").order_by("pk")
    place = places.filter(ended_at=None).first() or places.first()
    return place.program if place is not None else None
