"""Under which terms somebody earns: the plan in force for a membership at a moment, where it stood then, and who recruited it. Read once
for a batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from partners.intervals import Gap, gaps_of, is_in_a_gap
from partners.models import Membership, Placement
from partners.placement import is_fall
from payouts.models import Reserve
from payouts.reserves import Reserves
from prm.lib.countries import code_of
from tiers import rulebook
from tiers.engine.compute import Rater
from tiers.engine.facts import PlanFacts, Standing

DEEPEST = 10  # levels of recruiters looked up at most; a ring of recruiters would have no end


@dataclass(slots=True)
class Terms:
    """What a batch needs to know of memberships and plans."""

    book: rulebook.Rulebook
    members: dict[int, Membership]
    placements: dict[int, list[Placement]]
    _standings: dict[tuple[int, int, int, bool], Standing] = field(default_factory=dict)
    _plans: dict[int, dict[int | str, PlanFacts]] = field(default_factory=dict)
    _levels: dict[int, int] = field(default_factory=dict)
    _reserves: Reserves | None = None
    _gaps: dict[int, tuple[Gap, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, member_ids: Collection[int]) -> Terms:
        """Read the memberships, who recruited them as far as their plans pay recruiters, and the plans."""
        members = _members(member_ids)
        programs = {member.program_id for member in members.values()}
        terms = cls(rulebook.Rulebook.load(programs), members, {})
        terms._add_recruiters()
        rows = Placement.objects.filter(membership__in=terms.members).select_related("tier")
        for placement in rows.order_by("starts_at"):
            terms.placements.setdefault(placement.membership_id, []).append(placement)
        return terms

    def rater(self, member: Membership, at: datetime, customer_since: datetime | None) -> Rater | None:
        """Return the plan that rates what happened at `at`, None before the first version."""
        return self.book.rater_for(
            member.program_id,
            at,
            member_key=member.public_id,
            joined_at=member.joined_at,
            customer_since=customer_since,
        )

    def version(self, program_id: int, version_id: int | str) -> Rater | None:
        """Return a version of the program's plan by its id."""
        plan = self.plans(program_id).get(version_id)
        return None if plan is None else self.book.rater(plan)

    def plans(self, program_id: int) -> dict[int | str, PlanFacts]:
        """Return every version of a program's plan."""
        if program_id not in self._plans:
            self._plans[program_id] = {plan.version_id: plan for plan in self.book.plans(program_id)}
        return self._plans[program_id]

    def raters(self, program_id: int) -> Iterator[Rater]:
        """Yield every version of a program's plan, ready to rate."""
        return (self.book.rater(plan) for plan in self.plans(program_id).values())

    def is_stateful(self, program_id: int) -> bool:
        """Say whether any version of the plan has to remember something, or to go back when something comes in late."""
        return any(rater.is_stateful or rater.is_ordered for rater in self.raters(program_id))

    def has_budgets(self, program_id: int) -> bool:
        """Say whether any rule has a budget that all partners share."""
        return any(rater.needs.budgets for rater in self.raters(program_id))

    def standing(
        self, member: Membership, at: datetime, *, depth: int = 0, customer_since: datetime | None = None
    ) -> Standing:
        """Return where a membership stood at `at` toward a customer; before its first placement, in no tier.

        Customers from before a demotion may keep the terms of the tier the partner has left
        (`partners.models.Placement.leaves_out`).
        """
        placement, is_kept = self._placement(member.pk, at, customer_since)
        key = (member.pk, placement.pk if placement is not None else 0, depth, is_kept)
        if key not in self._standings:
            self._standings[key] = _standing(member, placement, depth, is_kept=is_kept)
        return self._standings[key]

    def recruiters(self, member: Membership, at: datetime) -> Iterator[tuple[int, Membership]]:
        """Yield who recruited a membership, and who recruited that one, as far as plans pay it and as they were there; each from
        the moment it was named on."""
        seen = {member.pk}
        for depth in range(1, self._deepest(member.program_id) + 1):
            if member.recruited_at is None or at < member.recruited_at:
                return
            above = self.members.get(member.recruiter_id or 0)
            if above is None or above.pk in seen:
                return
            seen.add(above.pk)
            member = above
            was_there = above.joined_at <= at and (above.ended_at is None or at < above.ended_at)
            if was_there and not is_in_a_gap(self._gaps.get(above.pk, ()), at):
                yield depth, above

    def longer_hold(
        self,
        member: Membership,
        seller: Membership,
        products: Collection[tuple[str, str]],
        at: datetime,
    ) -> Reserve | None:
        """Return why what a member earns waits longer than the program says, nothing when it does not. What a recruiter earns waits
        at least as long as the sale it is earned on, and an order as long as the product that waits longest."""
        if self._reserves is None:
            self._reserves = Reserves.load({each.program_id for each in self.members.values()})
        if not self._reserves:
            return None
        both = (member.pk, seller.pk)
        waits = (
            self._reserves.longest(member.program_id, both, product, category, at)
            for product, category in dict.fromkeys(products)
        )
        found = max(
            (each for each in waits if each is not None), key=lambda each: each.hold_days, default=None
        )
        return found if found is not None and found.hold_days > member.program.hold_days else None

    def _deepest(self, program_id: int) -> int:
        if program_id not in self._levels:
            rules = (rule for plan in self.plans(program_id).values() for rule in plan.rules)
            levels = max((len(rule.levels) for rule in rules if rule.kind == "override"), default=0)
            self._levels[program_id] = min(levels, DEEPEST)
        return self._levels[program_id]

    def _add_recruiters(self) -> None:
        programs = {member.program_id for member in self.members.values()}
        levels = max((self._deepest(program) for program in programs), default=0)
        self._read_recruiters(programs, levels=levels)
        above = {each.recruiter_id for each in self.members.values() if levels and each.recruiter_id}
        self._gaps = gaps_of(above & self.members.keys())

    def _read_recruiters(self, programs: Collection[int], *, levels: int) -> None:
        for _level in range(levels):
            known = self.members.values()
            missing = {pk for each in known if (pk := each.recruiter_id) is not None} - self.members.keys()
            if not missing:
                return
            # A recruiter in another program earns under another plan, in another currency: not here.
            self.members |= {
                pk: member for pk, member in _members(missing).items() if member.program_id in programs
            }

    def _placement(
        self, member_id: int, at: datetime, customer_since: datetime | None
    ) -> tuple[Placement | None, bool]:
        """Return the placement that counts, and whether it is one the membership has left."""
        rows = self.placements.get(member_id, ())
        last = len(rows) - 1
        while last >= 0 and rows[last].starts_at > at:
            last -= 1
        if last < 0:
            return None, False
        ends_at = rows[last].ends_at
        if ends_at is not None and ends_at <= at:
            return None, False
        found = _counting(rows, last, customer_since, at)
        return rows[found], found != last


def _counting(rows: Sequence[Placement], place: int, customer_since: datetime | None, at: datetime) -> int:
    """Return which placement rates a customer at `at` where a membership stands in `rows[place]`.

    After a fall that lets customers keep their terms it is the one before. A rise takes nothing away that was promised at an
    earlier fall: what is kept counts on as long as it is the higher tier.
    """
    if place == 0:
        return place
    now, before = rows[place], rows[place - 1]
    if now.leaves_out(customer_since, at=at):
        return _counting(rows, place - 1, customer_since, at)
    if not is_fall(now.tier, before.tier):
        return place
    found = _counting(rows, place - 1, customer_since, at)
    is_kept = found < place - 1 and is_fall(rows[found].tier, now.tier)
    return found if is_kept else place


def _members(ids: Collection[int]) -> dict[int, Membership]:
    rows = Membership.objects.filter(pk__in=ids).select_related("program", "partner").order_by("pk")
    return {member.pk: member for member in rows}


def _standing(
    member: Membership, placement: Placement | None, depth: int, *, is_kept: bool = False
) -> Standing:
    return Standing(
        tier_key=placement.tier.key if placement is not None else "",
        tier_name=placement.tier.name if placement is not None else "",
        membership=member.public_id,
        partner_country=code_of(member.partner.country),
        partnership_type=member.program.partnership_type,
        tags=frozenset(member.tags),
        joined_at=member.joined_at,
        depth=depth,
        is_kept=is_kept,
    )
