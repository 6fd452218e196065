"""Rate what a membership brought again and compare it with the books. Only differences are posted, each linked to its cause; when
nothing differs nothing is posted, so that a second run changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from partners.models import Membership
from payouts.accrual.corrections import Cause, correction
from payouts.accrual.fold import Draft, Fold, SaleKey
from payouts.accrual.happenings import Happening, read, since
from payouts.accrual.loading import Batch, load_memories, sales_before
from payouts.accrual.memory import Refolded, Scope
from payouts.accrual.sales import REVERSIBLE
from payouts.accrual.totals import CORRECTED, LATE, RECOMPUTED, Slot, Total
from payouts.accrual.totals import Difference as Difference
from payouts.models import Commission
from referrals.models import Credit

CHUNK = 2000


@dataclass(slots=True)
class Refold:
    """One membership's events from `start` on, told again. `fresh` ones are rated for the first time on the way."""

    batch: Batch
    member: Membership
    start: datetime | None
    fresh: Sequence[Happening] = ()
    totals: dict[Slot, Total] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    rated: list[int] = field(default_factory=list)
    told: int = 0

    def compare(self) -> None:
        """Tell all events again, keeping only what does not agree and what is to be written for the first time."""
        folding, waiting = self._begin()
        fresh = {each.pk for each in self.fresh} - waiting
        self.batch.done.waiting += len(waiting)
        for chunk in self._chunks(fresh):
            self._prepare(folding, chunk)
            for happening in chunk:
                if happening.superseded_at is None:
                    self._tell(folding, happening, fresh)
            self._count_posted(chunk)
            self._forget_what_agrees()
            self.told += len(chunk)

    def differences(self) -> list[Difference]:
        """Return what does not agree."""
        return [
            Difference(
                membership=self.batch.terms.members[slot.member_id].public_id,
                rule_key=slot.rule_key,
                window=slot.window,
                order=cause.happening.key,
                desired_minor=cause.owed,
                posted_minor=cause.booked,
                cause=cause.code,
                caused_by=cause.order,
            )
            for slot, cause in self._causes()
        ]

    def corrections(self) -> list[Draft]:
        """Return the lines that make the books agree."""
        counts: dict[int, int] = {}
        found: list[Draft] = []
        for slot, cause in self._causes():
            credit = cause.happening.pk
            if credit not in counts:
                counts[credit] = Commission.objects.filter(credit=credit).count()
            counts[credit] += 1
            member = self.batch.terms.members[slot.member_id]
            found.append(correction(self.batch.terms, member, slot.rule_key, cause, number=counts[credit]))
        return found

    def _begin(self) -> tuple[Fold, set[int]]:
        self._reach_back()
        mine = Credit.objects.standing().filter(membership=self.member)
        fresh = {each.pk for each in self.fresh}
        refunds = mine.filter(since(self.start), conversion__original__isnull=False)
        refunds = refunds.filter(Q(rated_at__isnull=False) | Q(pk__in=fresh))
        sold = mine.filter(conversion__in=refunds.values("conversion__original"))
        here: set[SaleKey] = set()
        unrated: set[int] = set()
        rows = sold.values_list("pk", "conversion_id", "occurred_at", "rated_at")
        for pk, conversion_id, occurred_at, rated_at in rows:
            if rated_at is None and pk not in fresh:
                unrated.add(conversion_id)
            elif self.start is None or occurred_at >= self.start:
                here.add((self.member.pk, conversion_id))
        waiting = {each.pk for each in self.fresh if each.original_id in unrated}
        memories = load_memories(self.batch, self._scope(), Refolded(self.member.pk, self.start))
        folding = Fold(
            self.batch.terms, self.batch.teller, memories, taken_back=frozenset(here), to_come=set(here)
        )
        return folding, waiting

    def _reach_back(self) -> None:
        """Begin so early that no sale's refunds are told in part, nor what was corrected without what it had earned.

        Refunds share a line's pennies in the order they were rated in: only together do they come to what they should.
        """
        fresh = {each.pk for each in self.fresh}
        while self.start is not None:
            told = self._credits(fresh).filter(conversion__original__isnull=False)
            known = Q(rated_at__isnull=False) | Q(pk__in=fresh)
            same = Credit.objects.standing().filter(known, membership=self.member)
            same = same.filter(conversion__original__in=told.values("conversion__original"))
            sold = told.filter(superseded_at__isnull=False)
            first = [
                same.aggregate(first=Min("occurred_at"))["first"],
                sold.aggregate(first=Min("conversion__original__occurred_at"))["first"],
            ]
            earliest = min((each for each in first if each is not None), default=self.start)
            if earliest >= self.start:
                return
            self.start = earliest

    def _scope(self) -> Scope:
        """Return the stretch of time that is told again; customers are not known before."""
        return Scope.of_credits(self._credits({each.pk for each in self.fresh}))

    def _credits(self, fresh: Iterable[int]) -> QuerySet[Credit]:
        known = Q(rated_at__isnull=False) | Q(pk__in=list(fresh))
        return Credit.objects.filter(known, since(self.start), membership=self.member)

    def _chunks(self, fresh: set[int]) -> Iterator[list[Happening]]:
        rows, after = self._credits(fresh), None
        while True:
            rest = rows if after is None else rows.filter(after)
            chunk = read(rest, limit=CHUNK)
            if chunk:
                yield chunk
            if len(chunk) < CHUNK:
                return
            last = chunk[-1]
            after = Q(occurred_at__gt=last.occurred_at) | Q(occurred_at=last.occurred_at, pk__gt=last.pk)

    def _prepare(self, folding: Fold, chunk: Sequence[Happening]) -> None:
        """Read what the events of a chunk share, and the sales of refunds that were made before the first of all."""
        self.batch.teller.prepare(chunk)
        wanted = {(self.member.pk, each.original_id or 0) for each in chunk if each.original_id is not None}
        missing = wanted - folding.sales.keys() - folding.to_come
        sales, _unrated = sales_before(self.batch, missing, until=self.start)
        folding.sales |= sales

    def _tell(self, folding: Fold, happening: Happening, fresh: set[int]) -> None:
        for rated in folding.rate(happening):
            is_fresh = rated.happening.pk in fresh
            written = [draft for draft in rated.drafts if is_fresh and self._has_what_it_takes(draft, fresh)]
            self.drafts += written
            if is_fresh:
                self.rated.append(rated.happening.pk)
            for draft in rated.drafts:
                line, slot = draft.line, self._slot_of(draft)
                total = self._touch(slot, rated.happening, line.version_id)
                total.desired += line.amount.minor
                total.desired_volume += line.volume
                if draft in written:
                    total.posted += line.amount.minor
                    total.posted_volume += line.volume

    def _has_what_it_takes(self, draft: Draft, fresh: set[int]) -> bool:
        """Say whether the line that a fresh one reverses is in the books or on its way, and name the one in the books.

        Where the sale is told again and booked nothing under this rule, its correction takes the refund into account.
        """
        taken = draft.reverses
        if isinstance(taken, Draft) and taken.happening.pk not in fresh:
            booked = Commission.objects.filter(
                credit=taken.happening.pk,
                membership=taken.member.pk,
                rule_key=taken.line.rule_key,
                kind__in=REVERSIBLE,
            )
            draft.reverses = booked.order_by("pk").values_list("pk", flat=True).first()
            return draft.reverses is not None
        return True

    def _count_posted(self, chunk: Sequence[Happening]) -> None:
        by_pk = {each.pk: each for each in chunk}
        rows = (
            Commission.objects.filter(credit__in=list(by_pk))
            .order_by("pk")
            .values_list(
                "credit_id",
                "membership_id",
                "rule_key",
                "plan_version_id",
                "window",
                "customer_key",
                "amount_minor",
                "volume",
                "reverses__credit_id",
            )
        )
        for credit, member, rule, version, window, customer, amount, volume, reversed_credit in rows:
            of_credit = credit_of(by_pk[credit], reversed_credit or credit)
            slot = self._slot(member, rule, version, window, customer, of_credit)
            total = self._touch(slot, by_pk[credit], version)
            total.posted += amount
            total.posted_volume += volume

    def _touch(self, slot: Slot, happening: Happening, version_id: int | str) -> Total:
        total = self.totals.get(slot)
        if total is None:
            total = self.totals[slot] = Total(version_id=version_id)
        if total.happening is None or slot.credit_id == happening.pk or not slot.credit_id:
            total.happening = happening
        return total

    def _slot_of(self, draft: Draft) -> Slot:
        line, credit = draft.line, credit_of(draft.happening, draft.of_credit)
        return self._slot(draft.member.pk, line.rule_key, line.version_id, line.window, line.customer, credit)

    def _slot(
        self, member_id: int, rule_key: str, version_id: int | str, window: str, customer: str, credit: int
    ) -> Slot:
        # What a recruiter earns on lines that a memory shares out follows their order; only its sum must agree.
        is_shared_out = member_id != self.member.pk and self.batch.terms.is_stateful(self.member.program_id)
        if window or is_shared_out or self._has_budget(rule_key, version_id):
            return Slot(member_id, rule_key, version_id, window, customer, 0)
        return Slot(member_id, rule_key, None, "", "", credit)

    def _has_budget(self, rule_key: str, version_id: int | str) -> bool:
        rater = self.batch.terms.version(self.member.program_id, version_id)
        rule = rater.rule(rule_key) if rater is not None else None
        return rule is not None and rule.limits is not None and rule.limits.budget_max is not None

    def _forget_what_agrees(self) -> None:
        """Keep little: a credit's total that agrees now can only come to differ by what later events add to both sides."""
        self.totals = {
            slot: total for slot, total in self.totals.items() if total.differs or not slot.credit_id
        }

    def _causes(self) -> Iterator[tuple[Slot, Cause]]:
        for slot, total in sorted(self.totals.items(), key=lambda pair: str(pair[0])):
            if total.differs and total.happening is not None:
                yield slot, self._cause(slot, total, total.happening)

    def _cause(self, slot: Slot, total: Total, touched: Happening) -> Cause:
        happening, code = touched, RECOMPUTED
        if slot.credit_id > 0 and touched.pk != slot.credit_id:
            [happening] = read(Credit.objects.filter(pk=slot.credit_id))
        order = happening.key
        if happening.superseded_at is not None:
            code = CORRECTED
        elif self.fresh:
            code, order = LATE, self.fresh[0].key
            happening = happening if slot.credit_id else self.fresh[0]
        change = total.desired - total.posted
        booked = self._booked(slot)
        return Cause(
            happening=happening,
            code=code,
            order=order,
            owed=booked + change,
            booked=booked,
            volume=total.desired_volume - total.posted_volume,
            version_id=total.version_id,
            window=slot.window,
            customer=slot.customer,
        )

    def _booked(self, slot: Slot) -> int:
        """Return all that is booked in a slot, with the lines that are on their way."""
        lines = Commission.objects.filter(
            membership=slot.member_id, rule_key=slot.rule_key, credit__isnull=False
        )
        if slot.member_id != self.member.pk:
            lines = lines.filter(credit__membership=self.member)
        if slot.credit_id < 0:
            lines = lines.filter(credit__conversion__original=-slot.credit_id, credit__superseded_at=None)
        elif slot.credit_id:
            own = Q(reverses=None, credit=slot.credit_id)
            # What was taken back of a credit that stands no more has no slot of its own.
            back = Q(reverses__credit=slot.credit_id, credit__superseded_at__isnull=False)
            lines = lines.filter(own | back)
        else:
            lines = lines.filter(
                plan_version=int(slot.version_id or 0), window=slot.window, customer_key=slot.customer
            )
        booked = int(lines.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])
        return booked + sum(draft.line.amount.minor for draft in self.drafts if slot == self._slot_of(draft))


def credit_of(happening: Happening, credit_id: int) -> int:
    """Return under which credit a line of a happening is counted: with all refunds of a sale, or with what it is about."""
    if happening.original_id is None or happening.superseded_at is not None:
        return credit_id
    return -happening.original_id


def refold(
    batch: Batch, member: Membership, *, start: datetime | None, fresh: Sequence[Happening] = ()
) -> list[Difference]:
    """Rate a membership's events from `start` on again, write what is fresh and what differs, and return the differences."""
    work = Refold(batch, member, start, fresh)
    work.compare()
    found, corrections = work.differences(), work.corrections()
    batch.books.write([*work.drafts, *corrections], at=batch.at)
    Credit.objects.filter(pk__in=work.rated).update(rated_at=batch.at)
    batch.done.rated += len(work.rated)
    batch.done.lines += len(work.drafts) + len(corrections)
    return found
