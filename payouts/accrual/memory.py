"""Fill what the engine remembers of memberships from the books. What it finds is what a fold over all their events so far would have
left behind; callers hold the memberships' locks, so that nobody adds to it meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from django.db.models import Count as CountOf
from django.db.models import F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from partners.models import Membership
from payouts.accrual import metrics
from payouts.accrual.happenings import Happening
from payouts.accrual.terms import Terms
from payouts.models import Commission
from prm.lib.periods import Month, months_between
from referrals.models import Credit
from tiers.engine import windows
from tiers.engine.compute import Rater
from tiers.engine.facts import RuleFacts, Window
from tiers.engine.memory import Count, Memory, Slot
from tiers.engine.needs import counted_limits
from tiers.models import Program

_FAR = datetime(9000, 1, 1, tzinfo=UTC)


class Refolded(NamedTuple):
    """A membership whose credits from `start` on are rated again: the books are read as if those did not exist."""

    membership_id: int
    start: datetime | None

    def kept(self) -> Q:
        """Return the condition for lines that stay: those of other memberships' credits and of earlier ones."""
        others = Q(credit=None) | ~Q(credit__membership=self.membership_id)
        if self.start is None:
            return others
        of_sale = Q(credit__conversion__original=None) | Q(
            credit__conversion__original__occurred_at__lt=self.start
        )
        return others | (Q(credit__occurred_at__lt=self.start) & of_sale)


class Scope(NamedTuple):
    """What a memory is wanted for: events between two instants, sales they take back included, by some customers or, with
    None, by any."""

    earliest: datetime
    latest: datetime
    customers: frozenset[int] | None

    @classmethod
    def of(cls, happenings: Collection[Happening]) -> Scope:
        """Return the scope of happenings, one at least."""
        instants = [each.occurred_at for each in happenings]
        instants += [each.original_at for each in happenings if each.original_at is not None]
        customers = frozenset(customer for each in happenings if (customer := each.customer) is not None)
        return cls(min(instants), max(instants), customers)

    @classmethod
    def of_credits(cls, credits: QuerySet[Credit]) -> Scope:
        """Return the scope of credits nobody has read yet, of any number."""
        span = credits.aggregate(
            first=Min("occurred_at"), sold=Min("conversion__original__occurred_at"), last=Max("occurred_at")
        )
        first = min(each for each in (span["first"], span["sold"], _FAR) if each is not None)
        return cls(first, max(span["last"] or first, first), None)

    def months(self, zone: tzinfo) -> list[Month]:
        """Return every month from the first to the last."""
        return list(months_between(Month.of(self.earliest, zone), Month.of(self.latest, zone)))


@dataclass(slots=True)
class Loader:
    """Reads memories for a scope; everything is read in groups, whatever the number of memberships."""

    terms: Terms
    scope: Scope
    apart_from: Refolded | None = None

    def load(self, members: Collection[Membership]) -> dict[int, Memory]:
        """Return the memories of these memberships, one for each; those of a program share its budgets."""
        memories = {member.pk: self._empty(member) for member in members}
        by_program: dict[int, list[Membership]] = defaultdict(list)
        for member in members:
            by_program[member.program_id].append(member)
        for _program_id, known in sorted(by_program.items()):
            self._fill(known[0].program, known, memories)
        return memories

    def _empty(self, member: Membership) -> Memory:
        zone = member.program.zone
        plans = self.terms.plans(member.program_id).values()
        return Memory(
            zone=zone,
            joined=Month.of(member.joined_at, zone),
            began={plan.version_id: plan.effective_at for plan in plans},
        )

    def _fill(self, program: Program, members: list[Membership], memories: dict[int, Memory]) -> None:
        raters = list(self.terms.raters(program.pk))
        lines = self._lines(members)
        if any(rater.needs.slots or rater.needs.capped for rater in raters):
            self._fill_windows(lines, memories, self._window_names(program, members, raters))
        if self.scope.customers != frozenset() and any(
            rater.needs.slots or rater.needs.customers for rater in raters
        ):
            self._fill_customers(lines, memories)
        if self.scope.customers != frozenset() and any(rater.needs.customers for rater in raters):
            self._fill_payments(raters, lines, memories)
        if any(rater.needs.budgets for rater in raters):
            budgets = self._budgets(program, raters)
            for member in members:
                memories[member.pk].budgets = budgets
        if any(rater.needs.metrics for rater in raters):
            self._fill_metrics(program, members, raters, memories)

    def _lines(self, members: Iterable[Membership]) -> QuerySet[Commission]:
        """Return the lines that events brought; what a month brought counts in no window."""
        mine = Commission.objects.filter(
            membership__in=[member.pk for member in members], credit__isnull=False
        )
        return mine if self.apart_from is None else mine.filter(self.apart_from.kept())

    def _window_names(
        self, program: Program, members: Iterable[Membership], raters: Iterable[Rater]
    ) -> set[str]:
        """Return the windows that these happenings, and the sales they take back, can lie in."""
        zone = program.zone
        kinds = {wanted.window for rater in raters for wanted in (*rater.needs.slots, *rater.needs.capped)}
        months = self.scope.months(zone)
        joined = {Month.of(member.joined_at, zone) for member in members}
        return {windows.LIFETIME} | {
            windows.key_of(kind, month, since)
            for kind in kinds
            for month in months
            for since in (joined if kind.kind == "joining" else [None])
        }

    def _fill_windows(
        self,
        lines: QuerySet[Commission],
        memories: dict[int, Memory],
        names: Collection[str],
    ) -> None:
        rows = (
            lines.filter(window__in=names)
            .order_by()
            .values_list("membership_id", "rule_key", "plan_version_id", "window")
            .annotate(counted=Sum("volume"), minor=Sum("amount_minor"))
        )
        for member_id, rule_key, version_id, window, volume, amount in rows:
            rule, memory = self._rule(memories, member_id, version_id, rule_key)
            if rule is None:
                continue
            if not rule.is_windowed:
                if counted_limits(rule) is not None:
                    key = (rule_key, window)
                    memory.capped[key] = memory.capped.get(key, 0) + int(amount)
            elif rule.kind != "lifetime_value":
                memory.slots[Slot(rule_key, version_id, window)] = Count(int(volume), int(amount))

    def _fill_customers(self, lines: QuerySet[Commission], memories: dict[int, Memory]) -> None:
        rows = (
            lines.filter(self._bought())
            .order_by()
            .values_list("membership_id", "rule_key", "plan_version_id", "window", "customer_key")
            .annotate(counted=Sum("volume"), minor=Sum("amount_minor"))
        )
        for member_id, rule_key, version_id, window, customer, volume, amount in rows:
            rule, memory = self._rule(memories, member_id, version_id, rule_key)
            if rule is None:
                continue
            if rule.is_windowed:
                memory.slots[Slot(rule_key, version_id, window, customer)] = Count(int(volume), int(amount))
            else:
                memory.customer(rule_key, customer).amount += int(amount)

    def _bought(self, path: str = "customer_key__in") -> Q:
        """Return the condition for lines about the customers of the scope."""
        if self.scope.customers is None:
            return ~Q(customer_key="") if path == "customer_key__in" else Q()
        known = [str(customer) for customer in self.scope.customers]
        return Q(**{path: known})

    def _rule(
        self, memories: dict[int, Memory], member_id: int, version_id: int, rule_key: str
    ) -> tuple[RuleFacts | None, Memory]:
        rater = self.terms.version(self.terms.members[member_id].program_id, version_id)
        return (rater.rule(rule_key) if rater is not None else None), memories[member_id]

    def _fill_payments(
        self, raters: Collection[Rater], lines: QuerySet[Commission], memories: dict[int, Memory]
    ) -> None:
        """Count what a recurring rule has seen of each customer: the sales it earned on, refunded or not."""
        rules = {rule.key for rater in raters for rule in rater.plan.rules if rule.kind == "recurring"}
        rows = (
            lines.filter(self._bought("conversion__customer__in"), rule_key__in=rules, kind="earned")
            .exclude(conversion__customer=None)
            .order_by()
            .values_list("membership_id", "rule_key", "conversion__customer_id")
            .annotate(first=Min("effective_at"), payments=CountOf("conversion", distinct=True))
        )
        for member_id, rule_key, customer, first, payments in rows:
            seen = memories[member_id].customer(rule_key, str(customer))
            seen.first_at, seen.payments = first, payments

    def _budgets(self, program: Program, raters: Collection[Rater]) -> dict[tuple[str, str], int]:
        """Return what all memberships have booked under rules with a budget, in the windows of these happenings."""
        wanted = {(each.rule, each.window) for rater in raters for each in rater.needs.budgets}
        months = self.scope.months(program.zone)
        return {
            (rule, windows.key_of(window, month)): self._spent(program, rule, window, month)
            for rule, window in sorted(wanted, key=str)
            for month in _one_of_each(window, months)
        }

    def _spent(self, program: Program, rule: str, window: Window, month: Month) -> int:
        # What a refund moves counts where its sale did.
        lines = Commission.objects.filter(membership__program=program, rule_key=rule).annotate(
            sold_at=Coalesce("conversion__original__occurred_at", F("effective_at"))
        )
        if self.apart_from is not None:
            lines = lines.filter(self.apart_from.kept())
        first, last = windows.months_of(window, month)
        if first is not None:
            lines = lines.filter(sold_at__gte=first.starts_at(program.zone))
        if last is not None:
            lines = lines.filter(sold_at__lt=last.ends_at(program.zone))
        return int(lines.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])

    def _fill_metrics(
        self,
        program: Program,
        members: Collection[Membership],
        raters: Collection[Rater],
        memories: dict[int, Memory],
    ) -> None:
        start = self.apart_from.start if self.apart_from is not None else None
        if self.apart_from is not None and start is None:
            return  # everything is told again, from the first event on
        kinds = {wanted.window for rater in raters for wanted in rater.needs.metrics}
        for member in members:
            month = Month.of(start or self.scope.earliest, program.zone)
            first = _first_month(kinds, month, memories[member.pk].joined)
            counted = metrics.Counted(self.terms, member, first, until=start)
            counted.into(memories[member.pk], latest=self.scope.latest)


def _first_month(kinds: Iterable[Window], month: Month, joined: Month | None) -> Month | None:
    """Return the first month any window that `month` lies in reaches back to, None when one has no beginning."""
    firsts = [windows.months_of(kind, month, joined)[0] for kind in kinds]
    known = [first for first in firsts if first is not None]
    return min(known) if len(known) == len(firsts) else None


def _one_of_each(window: Window, months: Iterable[Month]) -> list[Month]:
    """Return one month of each window the months lie in."""
    return list({windows.key_of(window, month): month for month in months}.values())
