"""Read plans from the database as the engine wants them, and find the version in force for a partner at a moment. The version that
was in force when an event happened rates it, however late the event arrives."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prm.lib.countries import code_of
from tiers.choices import Grandfather
from tiers.engine.compute import Rater, prepare
from tiers.engine.facts import PlanFacts
from tiers.engine.reading import RULE_FIELDS, read_rule
from tiers.models import PlanVersion, Rule

COUNTRIES = ("country", "partner_country")  # the attributes that are compared by code
EVERYBODY = ""  # the member key of versions that are for the whole program


@dataclass(frozen=True, slots=True)
class Edition:
    """A version as a book holds it: the plan, and who keeps the version before it."""

    plan: PlanFacts
    grandfather: str = Grandfather.NOBODY.value

    def leaves_out(self, joined_at: datetime | None, customer_since: datetime | None) -> bool:
        """Say whether somebody who came before this version keeps the one before; who came at its instant does not."""
        if self.grandfather == Grandfather.NOBODY.value:
            return False
        since = customer_since if self.grandfather == Grandfather.CUSTOMERS.value else joined_at
        return since is not None and since < self.plan.effective_at


@dataclass(slots=True)
class _Chain:
    """Versions that follow one another, the oldest first: each is in force until the next one begins."""

    editions: list[Edition] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)

    def add(self, edition: Edition) -> None:
        place = bisect_right(self.starts, edition.plan.effective_at)
        self.starts.insert(place, edition.plan.effective_at)
        self.editions.insert(place, edition)

    def until(self, at: datetime) -> Iterator[Edition]:
        """Yield what had taken effect at `at`, the newest first."""
        for place in range(bisect_right(self.starts, at) - 1, -1, -1):
            yield self.editions[place]


class Rulebook:
    """The published plans of some programs, read once in two queries and ready to rate."""

    def __init__(self) -> None:
        self._chains: dict[tuple[int, str], _Chain] = defaultdict(_Chain)
        self._raters: dict[int | str, Rater] = {}

    @classmethod
    def load(cls, program_ids: Iterable[int]) -> Rulebook:
        """Read every published version of the plans of these programs, negotiated ones too."""
        versions = (
            PlanVersion.objects.published()
            .filter(plan__program_id__in=program_ids)
            .select_related("plan__program")
            .prefetch_related("rules")
            .order_by("effective_at", "number")
        )
        book = cls()
        for version in versions:
            edition = Edition(facts(version), version.grandfather)
            book._chains[version.plan.program_id, version.member_key].add(edition)
        return book

    def tried_with(self, program_id: int, edition: Edition, *, member_key: str = EVERYBODY) -> Rulebook:
        """Return a book in which `edition` takes effect at its date and nothing after it does, for a dry run."""
        book = Rulebook()
        for key, chain in self._chains.items():
            book._chains[key] = _Chain([*chain.editions], [*chain.starts])
        chain = book._chains[program_id, member_key]
        kept = [each for each in chain.editions if each.plan.effective_at < edition.plan.effective_at]
        book._chains[program_id, member_key] = _Chain(
            [*kept, edition], [each.plan.effective_at for each in (*kept, edition)]
        )
        return book

    def reworded(self, change: Callable[[PlanFacts], PlanFacts]) -> Rulebook:
        """Return a book of the same versions, each with `change` made to it, for a dry run."""
        book = Rulebook()
        for key, chain in self._chains.items():
            editions = [Edition(change(each.plan), each.grandfather) for each in chain.editions]
            book._chains[key] = _Chain(editions, [*chain.starts])
        return book

    def plans(self, program_id: int) -> Iterator[PlanFacts]:
        """Yield every version of the program's plan, those negotiated with single partners too."""
        for (program, _member), chain in self._chains.items():
            if program == program_id:
                yield from (edition.plan for edition in chain.editions)

    def plan_for(
        self,
        program_id: int,
        at: datetime,
        *,
        member_key: str = EVERYBODY,
        joined_at: datetime | None = None,
        customer_since: datetime | None = None,
    ) -> PlanFacts | None:
        """Return the plan in force at `at` for a membership and a customer, None before the first version.

        What was negotiated with the membership wins over what is for everybody. Of several versions the newest
        counts, unless it leaves those alone who came before it: partners by the instant they joined, customers by
        their first sale. They keep the version before, as long as that one does not pass them on as well.
        """
        if member_key != EVERYBODY and (own := self._chains.get((program_id, member_key))) is not None:
            for edition in own.until(at):
                # A partner's own agreement was made after it joined: only its customers can be older.
                if not edition.leaves_out(None, customer_since):
                    return edition.plan
        for_all = self._chains.get((program_id, EVERYBODY))
        if for_all is None:
            return None
        plan = None
        for edition in for_all.until(at):
            plan = edition.plan
            if not edition.leaves_out(joined_at, customer_since):
                break
        return plan  # whoever came before the first version has that one

    def rater_for(
        self,
        program_id: int,
        at: datetime,
        *,
        member_key: str = EVERYBODY,
        joined_at: datetime | None = None,
        customer_since: datetime | None = None,
    ) -> Rater | None:
        """Return the plan in force, as `plan_for` finds it, made ready to rate many events."""
        plan = self.plan_for(
            program_id, at, member_key=member_key, joined_at=joined_at, customer_since=customer_since
        )
        return None if plan is None else self.rater(plan)

    def rater(self, plan: PlanFacts) -> Rater:
        """Return a plan of this book made ready to rate; the same one each time."""
        if plan.version_id not in self._raters:
            self._raters[plan.version_id] = prepare(plan)
        return self._raters[plan.version_id]


def facts(version: PlanVersion, *, effective_at: datetime | None = None) -> PlanFacts:
    """Return a version as the engine reads it; a draft needs the `effective_at` it is to be tried with.

    Raises: tiers.engine.reading.Unreadable.
    """
    starts_at = version.effective_at or effective_at
    if starts_at is None:
        raise ValueError("A draft has no date of effect; name one to try it with.")
    program = version.plan.program
    return PlanFacts(
        plan_key=version.plan.public_id,
        version_number=version.number,
        version_id=version.pk,
        effective_at=starts_at,
        combine=version.combine,  # type: ignore[arg-type]  # held to the closed list by the database
        rules=tuple(read_rule(stored(rule), currency=program.currency) for rule in version.rules.all()),
        deducts=frozenset(version.deducts),
        excluded_products=frozenset(version.excluded_products),
        excluded_categories=frozenset(version.excluded_categories),
        clawback_days=program.clawback_days,
        time_zone=program.time_zone,
        member_key=version.member_key,
    )


def stored(rule: Rule) -> dict[str, Any]:
    """Return a rule as `tiers.engine.reading` takes it."""
    values = {name: getattr(rule, name) for name in RULE_FIELDS}
    countries, conditions = values["countries"], values["conditions"]
    if isinstance(countries, list):
        values["countries"] = [_country(each) for each in countries]
    return {**values, "conditions": _with_codes(conditions)}


def _with_codes(conditions: Any) -> Any:
    """Return conditions in which every country is told by its code; what is not of the right shape is left to the reader."""
    if not isinstance(conditions, dict):
        return conditions
    found = dict(conditions)
    if isinstance(found.get("tests"), list):
        found["tests"] = [_with_codes(each) for each in found["tests"]]
    if found.get("attribute") in COUNTRIES and isinstance(found.get("values"), list):
        found["values"] = [_country(each) for each in found["values"]]
    return found


def _country(value: object) -> object:
    return code_of(value) if isinstance(value, str) else value
