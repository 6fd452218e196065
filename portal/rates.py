"""Say what a partner earns by: the version in force for it, what is coming, and what is proposed, in sentences made from the rules and in
examples computed by the engine that books the money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from partners.mails import moment_text
from partners.models import Membership
from partners.standing import names_for, plan_of, standing_of, who
from portal import offer
from portal.formats import active_locale
from prm.lib.money import Money, exponent
from tiers import audience
from tiers.choices import Grandfather
from tiers.engine.compute import prepare
from tiers.engine.facts import SALE, Event, PlanFacts, Standing
from tiers.models import PlanVersion, Tier
from tiers.rulebook import EVERYBODY, Rulebook

ORDER_SIZES = (50, 200, 1000)  # in the program's currency
COMING = 3


@dataclass(frozen=True)
class Sentence:
    """A sentence of the terms; `differs` from the other terms it stands beside."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Terms:
    """What a partner earns by, from a moment on. `is_own` terms were agreed with it; `customers_keep` older ones."""

    sentences: tuple[Sentence, ...]
    begins: str
    is_own: bool = False
    customers_keep: bool = False


@dataclass(frozen=True)
class Example:
    """What an order earns now and under the other terms."""

    order: Money
    now: Money
    then: Money


class Reading:
    """One membership's terms, read for one page."""

    def __init__(self, membership: Membership, *, at: datetime) -> None:
        self.membership, self.at = membership, at
        self.book = Rulebook.load([membership.program_id])
        self.standing = standing_of(membership, at=at)
        self.now = plan_of(membership, at=at, book=self.book)
        self._names = names_for(membership)

    def current(self, *, beside: PlanFacts | None = None) -> Terms | None:
        """Return the terms in force, marking what `beside` does not say."""
        return None if self.now is None else self.terms(self.now, beside=beside)

    def coming(self) -> list[Terms]:
        """Return what is published already and not yet in force for this partner, the next first."""
        starts = (
            PlanVersion.objects.published()
            .filter(plan__program=self.membership.program_id, effective_at__gt=self.at)
            .filter(member_key__in=(EVERYBODY, self.membership.public_id))
            .order_by("effective_at")
            .values_list("effective_at", flat=True)
        )
        found, before = [], self.now
        for start in starts[: COMING * 2]:
            plan = self.book.plan_for(self.membership.program_id, start or self.at, **who(self.membership))
            if plan is not None and (before is None or plan.version_id != before.version_id):
                found.append(self.terms(plan, beside=before))
                before = plan
        return found[:COMING]

    def terms(self, plan: PlanFacts, *, beside: PlanFacts | None = None) -> Terms:
        """Return a plan as this partner reads it."""
        version = PlanVersion.objects.get(pk=plan.version_id)
        other = None if beside is None else self.told(beside, self.standing)
        return Terms(
            tuple(
                # What ends in a colon only leads to the next sentences.
                Sentence(text, differs=other is not None and text not in other and not text.endswith(":"))
                for text in self.told(plan, self.standing)
            ),
            moment_text(plan.effective_at, self.membership, active_locale()),
            is_own=bool(version.member_key),
            customers_keep=version.grandfather == Grandfather.CUSTOMERS,
        )

    def of_tier(self, tier: Tier) -> list[str]:
        """Return what can earn the partner something in a tier, one sentence for each rule."""
        if self.now is None:
            return []
        mine = audience.for_partner(self.now, self._in(tier))
        program = self.membership.program
        return list(offer.rates_of(program, tier, mine, at=self.at, names=self._names))

    def in_tier(self, tier: Tier) -> list[str]:
        """Return what would be different in another tier."""
        if self.now is None:
            return []
        there = self.told(self.now, self._in(tier))
        here = self.told(self.now, self.standing)
        return [text for text in there if text not in here]

    def _in(self, tier: Tier) -> Standing:
        return replace(self.standing, tier_key=tier.key, tier_name=tier.name)

    def told(self, plan: PlanFacts, standing: Standing) -> list[str]:
        """Return a plan sentence by sentence for a standing."""
        program = self.membership.program
        return audience.told(
            plan, standing, currency=program.currency, locale=active_locale(), names=self._names
        )

    def examples(self, then: PlanFacts) -> list[Example]:
        """Return what orders of some sizes earn now and under `then`; nothing when neither pays for an order alone."""
        found = [
            Example(order, self._earned(self.now, order), self._earned(then, order))
            for order in self._orders()
        ]
        return found if any(row.now or row.then for row in found) else []

    def _orders(self) -> Sequence[Money]:
        currency = self.membership.program.currency
        return [Money(size * 10 ** exponent(currency), currency) for size in ORDER_SIZES]

    def _earned(self, plan: PlanFacts | None, order: Money) -> Money:
        if plan is None:
            return Money(0, order.currency)
        event = Event(key="example", kind=SALE, occurred_at=self.at, amount=order)
        return sum(
            (line.amount for line in prepare(plan)(event, self.standing)), start=Money(0, order.currency)
        )
