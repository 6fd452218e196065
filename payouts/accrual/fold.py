"""Rate happenings one after the other, for who brought them and for who recruited those. What comes out are drafts of lines; nothing
is written here, and a live accrual and a recomputation are the same fold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from partners.models import Membership
from payouts.accrual.happenings import Happening, Teller
from payouts.accrual.sales import REVERSIBLE, Booked, Sale
from payouts.accrual.terms import Terms
from payouts.reserves import facts_of
from prm.lib.ids import public_id
from prm.lib.periods import hold_until
from tiers.engine.case import part_of
from tiers.engine.compute import Rater
from tiers.engine.facts import Event, Line, OriginalLine, Standing
from tiers.engine.fold import for_recruiter
from tiers.engine.later import settle_later
from tiers.engine.memory import Memory
from tiers.models import Program

SaleKey = tuple[int, int]  # who brought it, and the conversion


@dataclass(slots=True, eq=False)
class Draft:
    """One line on its way into the books. `reverses` is the draft or the primary key of the line it takes back."""

    member: Membership
    happening: Happening
    line: Line
    payable_at: datetime
    name: str
    reverses: Draft | int | None = None
    of_credit: int = 0  # the credit whose earnings the line changes: of a reversal, the sale's
    pk: int = 0
    suffix: str = ""  # tells one correction of a credit from the next
    hold: dict[str, Any] | None = None  # why it waits longer than the program says


class Wait(NamedTuple):
    """Until when a line waits, and why when that is longer than the program says."""

    until: datetime
    why: dict[str, Any] | None = None


class Rated(NamedTuple):
    """A happening and what it comes to; no drafts when no rule covers it."""

    happening: Happening
    drafts: list[Draft]


@dataclass(slots=True)
class Fold:
    """Rates happenings with the memories it is given. `sales` are those that came before, by membership and conversion; of
    those that are told here it keeps what `taken_back` names."""

    terms: Terms
    teller: Teller
    memories: dict[int, Memory]
    sales: dict[SaleKey, Sale] = field(default_factory=dict)
    taken_back: Collection[SaleKey] = ()
    to_come: set[SaleKey] = field(default_factory=set)
    _deferred: dict[SaleKey, list[Happening]] = field(default_factory=dict)
    _holds: dict[tuple[int, date, int], datetime] = field(default_factory=dict)
    _zones: dict[int, ZoneInfo] = field(default_factory=dict)

    def rate(self, happening: Happening) -> Iterator[Rated]:
        """Yield what a happening comes to, and after a sale what its refunds do that were told before it.

        A refund whose sale is still to come yields nothing until then.
        """
        key = (happening.membership_id, happening.original_id or happening.conversion_id)
        if happening.original_id is None:
            yield Rated(happening, self._earn(happening, key))
            self.to_come.discard(key)
            for refund in self._deferred.pop(key, ()):
                yield from self.rate(refund)
        elif key in self.to_come:
            self._deferred.setdefault(key, []).append(happening)
        else:
            yield Rated(happening, self._take_back(happening, self.sales.get(key)))

    def _earn(self, happening: Happening, key: SaleKey) -> list[Draft]:
        member = self.terms.members[happening.membership_id]
        since = self.teller.customer_since(happening)
        rater = self.terms.rater(member, happening.occurred_at, since)
        if rater is None:
            lines: tuple[Line, ...] = ()
            event = None
        else:
            event = self.teller.event(happening)
            standing = self.terms.standing(member, happening.occurred_at, customer_since=since)
            memory = self._memory(rater, member)
            lines = rater(event, standing, memory)
            lines = (*lines, *self._later(member, event, standing, lines, memory))
        wait = self._wait(member, member, happening)
        drafts = [self._draft(member, happening, line, wait) for line in lines]
        if event is not None and member.recruiter_id is not None and lines:
            drafts += self._overrides(member, happening, event, lines)
        if key in self.taken_back:
            self._keep(happening, key, event, rater, drafts)
        return drafts

    def _overrides(
        self,
        member: Membership,
        happening: Happening,
        event: Event,
        lines: Collection[Line],
    ) -> Iterator[Draft]:
        seen = for_recruiter(event, lines)
        if seen is None:
            return
        for depth, above in self.terms.recruiters(member, event.occurred_at):
            rater = self.terms.rater(above, event.occurred_at, event.customer_since)
            if rater is None:
                continue
            standing = self.terms.standing(
                above, event.occurred_at, depth=depth, customer_since=event.customer_since
            )
            wait = self._wait(above, member, happening)
            for line in rater(seen, standing, self._memory(rater, above)):
                yield self._draft(above, happening, line, wait)

    def _take_back(self, happening: Happening, sale: Sale | None) -> list[Draft]:
        """Rate a refund by the versions that rated its sale, for everybody who earned on it."""
        if sale is None or not sale.amount:
            return []
        drafts: list[Draft] = []
        owner = self.terms.members[happening.membership_id]
        move = (happening.kind, happening.amount_minor, happening.occurred_at)
        days = owner.program.clawback_days
        told = happening._replace(amount_minor=replace(sale).move(*move, clawback_days=days))
        for member_id in sorted({happening.membership_id, *sale.lines}):
            member = self.terms.members.get(member_id)
            if member is not None:
                depth = 0 if member_id == owner.pk else 1
                drafts += self._reverse(member, told, sale, depth)
        sale.move(*move, clawback_days=days)
        return drafts

    def _reverse(self, member: Membership, happening: Happening, sale: Sale, depth: int) -> Iterator[Draft]:
        since = self.teller.customer_since(happening)
        standing = self.terms.standing(member, happening.occurred_at, depth=depth, customer_since=since)
        is_first = True
        for rater, earned in self._versions(member, happening, sale, depth):
            memory = self._memory(rater, member)
            counted = None if is_first or memory is None else dict(memory.metrics)
            event = self.teller.event(happening, original=sale.original(earned), refunds_kind=sale.kind)
            lines = rater(event, standing, memory)
            for line in (*lines, *self._later(member, event, standing, lines, memory)):
                yield self._taking_back(member, happening, sale, line)
            if memory is not None and counted is not None:
                memory.metrics = counted  # a sale rated by two versions is still one sale
            is_first = False

    def _versions(
        self, member: Membership, happening: Happening, sale: Sale, depth: int
    ) -> Iterator[tuple[Rater, tuple[OriginalLine, ...]]]:
        """Yield each version that rated the sale with what it gave; one that gave nothing still counts the sale back."""
        originals = sale.originals(member.pk)
        for version_id, lines in originals.items():
            rater = self.terms.version(member.program_id, version_id)
            if rater is not None:
                yield rater, lines
        if not originals and not depth:
            rater = self.terms.rater(member, sale.occurred_at, self.teller.customer_since(happening))
            if rater is not None and rater.is_stateful:
                yield rater, ()

    def _taking_back(self, member: Membership, happening: Happening, sale: Sale, line: Line) -> Draft:
        if not line.reverses:  # a window is trued up
            owner = self.terms.members[happening.membership_id]
            held = self._wait(member, owner, sale)
            return self._draft(
                member, happening, line, held._replace(until=max(held.until, happening.occurred_at))
            )
        taken = sale.booked(member.pk, line.reverses)
        # While the sale waits, its reversal waits with it; afterwards it counts at once.
        payable_at = max(taken.payable_at, happening.occurred_at)
        draft = self._draft(member, happening, line, Wait(payable_at))
        draft.reverses, draft.of_credit = taken.row, sale.credit_id
        return draft

    def _keep(
        self,
        happening: Happening,
        key: SaleKey,
        event: Event | None,
        rater: Rater | None,
        drafts: Iterable[Draft],
    ) -> None:
        sale = self.sales[key] = Sale.of(happening)
        if event is not None and rater is not None:
            sale.base = part_of(rater.base(event), event)
        for draft in drafts:
            if draft.line.what in REVERSIBLE:
                sale.book(draft.member.pk, draft.name, Booked(draft.line, draft, draft.payable_at))

    def _draft(self, member: Membership, happening: Happening, line: Line, wait: Wait) -> Draft:
        name = public_id("com")
        return Draft(member, happening, line, wait.until, name, of_credit=happening.pk, hold=wait.why)

    def _later(
        self,
        member: Membership,
        event: Event,
        standing: Standing,
        lines: Collection[Line],
        memory: Memory | None,
    ) -> Iterator[Line]:
        """Yield what later versions of the plan owe now that an earlier one has counted more, or less."""
        if memory is None:
            return iter(())
        return settle_later(
            event, standing, lines, memory, lambda version: self.terms.version(member.program_id, version)
        )

    def _memory(self, rater: Rater, member: Membership) -> Memory | None:
        return self.memories[member.pk] if rater.is_stateful else None

    def _wait(self, member: Membership, seller: Membership, what: Happening | Sale) -> Wait:
        """Return how long a member waits for what it earns on a sale, and why when that is longer than the program says."""
        program, instant = member.program, what.occurred_at
        reserve = self.terms.longer_hold(member, seller, what.products, instant)
        if reserve is None:
            return Wait(self._held_until(program, instant, program.hold_days))
        return Wait(self._held_until(program, instant, reserve.hold_days), facts_of(reserve, program))

    def _held_until(self, program: Program, instant: datetime, days: int) -> datetime:
        """Return when a hold is over; all that happened on one local day is ready at the same instant."""
        if not days:
            return instant
        zone = self._zones.get(program.pk)
        if zone is None:
            zone = self._zones[program.pk] = program.zone
        key = (program.pk, instant.astimezone(zone).date(), days)
        if key not in self._holds:
            self._holds[key] = hold_until(instant, days, zone)
        return self._holds[key]
