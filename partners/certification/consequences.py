"""Say what taking a credential away does to the tier of its holder's partner: which figures change, and which requirement of the tier it stands
in is no longer met. Nothing changes here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from partners.certification.metrics import counting_credentials, on_list
from partners.models import Credential, Membership, Placement
from tiers import schemes
from tiers.qualify import Question, Requirement

if TYPE_CHECKING:
    from tiers.models import Tier

_RATIO, _COUNT = "certified_ratio", "certified_count"


@dataclass(frozen=True, slots=True)
class Consequence:
    """One requirement that a membership's tier, or one below it, asks: its figure before and after, None for unknown."""

    membership: Membership
    tier: Tier
    requirement: Requirement
    before: Fraction | None
    after: Fraction | None

    @property
    def falls(self) -> bool:
        """Say whether it is met before and not after."""
        return self.requirement.is_met_by(self.before) and not self.requirement.is_met_by(self.after)


def of_revoking(credential: Credential, *, at: datetime) -> list[Consequence]:
    """Return the requirements about certified people that the partner's tier asks, with what they come to without a credential.

    The number of queries depends on how many different questions the tier asks, not on how many people there are.
    """
    program = credential.certification.program
    scheme_row = schemes.in_force(program, at=at)
    placed = Placement.objects.open().filter(
        membership__partner=credential.staff.partner_id, membership__program=program
    )
    standing = placed.select_related("tier", "membership__partner", "membership__program").first()
    if scheme_row is None or standing is None:
        return []
    ladder = schemes.ladder_of(program, standing.tier.track)
    asked = [rung.key for rung in ladder if rung.rank <= standing.tier.rank]
    scheme = schemes.scheme_of(scheme_row)
    found: dict[Question, tuple[Fraction | None, Fraction | None]] = {}
    return [
        Consequence(standing.membership, standing.tier, each, *_figures(found, each.question, credential, at))
        for each in _requirements(scheme.ask_of(key).requirements for key in asked)
    ]


def _requirements(asks: Iterable[Iterable[Requirement]]) -> Iterator[Requirement]:
    for ask in asks:
        yield from (each for each in ask if each.question.metric in (_RATIO, _COUNT))


def _figures(
    known: dict[Question, tuple[Fraction | None, Fraction | None]],
    question: Question,
    credential: Credential,
    at: datetime,
) -> tuple[Fraction | None, Fraction | None]:
    if question not in known:
        people = set(
            on_list(question, at=at).filter(partner=credential.staff.partner_id).values_list("pk", flat=True)
        )
        counting = counting_credentials(credential.certification.program, question, at=at)
        held = list(counting.filter(staff__in=people).values_list("pk", "staff"))
        before = len({staff for _pk, staff in held})
        after = len({staff for pk, staff in held if pk != credential.pk})
        known[question] = (
            _value(question, before, len(people)),
            _value(question, after, len(people)),
        )
    return known[question]


def _value(question: Question, certified: int, people: int) -> Fraction | None:
    if question.metric == _COUNT:
        return Fraction(certified)
    return Fraction(100 * certified, people) if people else None
