"""The two sets of terms a dry run compares: those in force at each event, and the same with one thing changed. Both are asked the same
question in the same way, so that they can differ in nothing but that one thing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from partners.models import Membership
from payouts.accrual.terms import Terms
from payouts.choices import DryRunKind
from payouts.models import DryRun
from tiers import rulebook
from tiers.engine import PlanFacts, Standing
from tiers.models import Tier


@dataclass(slots=True)
class Tried(Terms):
    """Terms in which some partners are taken to stand in another tier: all of them in one, or each of `moves` in its own."""

    tier: Tier | None = None
    from_tier: str = ""
    chosen: frozenset[str] = frozenset()
    moves: Mapping[str, Tier] = field(default_factory=dict)

    def standing(
        self, member: Membership, at: datetime, *, depth: int = 0, customer_since: datetime | None = None
    ) -> Standing:
        """Return where a membership is taken to stand."""
        # No super() without arguments: slots make the class anew.
        standing = Terms.standing(self, member, at, depth=depth, customer_since=customer_since)
        if (to := self.moves.get(member.public_id)) is not None:
            return replace(standing, tier_key=to.key, tier_name=to.name)
        is_meant = self.from_tier in ("", standing.tier_key) and (
            not self.chosen or member.public_id in self.chosen
        )
        if self.tier is None or not is_meant:
            return standing
        return replace(standing, tier_key=self.tier.key, tier_name=self.tier.name)


@dataclass(frozen=True)
class Pair:
    """The books of both sets of terms, read once; `load` makes terms for some memberships."""

    dry_run: DryRun
    present: rulebook.Rulebook
    tried: rulebook.Rulebook

    @classmethod
    def of(cls, dry_run: DryRun) -> Pair:
        """Read what is in force and what is tried instead."""
        present = rulebook.Rulebook.load([dry_run.program_id])
        return cls(dry_run, present, _tried_book(dry_run, present))

    def load(self, member_ids: Collection[int]) -> tuple[Terms, Terms]:
        """Return the present terms and the tried ones of these memberships and of who recruited them."""
        found = Terms.load(member_ids)
        present = Terms(self.present, found.members, found.placements)
        changes, dry_run = self.dry_run.changes, self.dry_run
        is_tier = dry_run.kind == DryRunKind.TIER
        tried = Tried(
            self.tried,
            _with_settings(Terms.load(member_ids), dry_run).members,
            found.placements,
            tier=dry_run.program.tiers.get(key=changes["to"]) if is_tier else None,
            from_tier=changes.get("from", "") if is_tier else "",
            chosen=frozenset(changes.get("memberships", ())) if is_tier else frozenset(),
            moves=_moves(dry_run),
        )
        return present, tried


def _tried_book(dry_run: DryRun, present: rulebook.Rulebook) -> rulebook.Rulebook:
    """Return the book with what is tried. A version is tried as if it had been in force from the first event on."""
    if dry_run.kind in (DryRunKind.TIER, DryRunKind.MOVES):
        return present
    if dry_run.kind == DryRunKind.SETTING:
        return present.reworded(lambda plan: _reworded(plan, dry_run))
    version = dry_run.version
    if version is None:
        raise LookupError("A dry run of a plan version has one.")
    plan = rulebook.facts(version, effective_at=dry_run.starts_at)
    edition = rulebook.Edition(replace(plan, effective_at=dry_run.starts_at))
    return present.tried_with(dry_run.program_id, edition, member_key=version.member_key)


def _moves(dry_run: DryRun) -> dict[str, Tier]:
    if dry_run.kind != DryRunKind.MOVES:
        return {}
    tiers = {tier.key: tier for tier in dry_run.program.tiers.all()}
    return {member: tiers[key] for member, key in dry_run.changes["moves"].items()}


def _reworded(plan: PlanFacts, dry_run: DryRun) -> PlanFacts:
    facts: dict[str, Any] = {
        name: value if name == "clawback_days" else frozenset(value)
        for name, value in dry_run.changes.items()
    }
    return replace(plan, **facts)


def _with_settings(terms: Terms, dry_run: DryRun) -> Terms:
    """Put a tried setting of the program where its members are asked for it; the rows in memory are this run's own."""
    if dry_run.kind == DryRunKind.SETTING and "clawback_days" in dry_run.changes:
        for member in terms.members.values():
            member.program.clawback_days = dry_run.changes["clawback_days"]
    return terms
