"""The order in which the rules of a version are tried, and why it is that one: what is about fewer comes first, then the place a person
gave it. A rule that cannot be read stands last, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tiers.engine.facts import RuleFacts
from tiers.engine.reading import Unreadable, read_rule
from tiers.models import PlanVersion, Rule
from tiers.rulebook import stored

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

UNREAD = 9
WHY: dict[int, StrOrPromise] = {
    0: gettext_lazy("about one deal"),
    1: gettext_lazy("about one partner"),
    2: gettext_lazy("about a product or category"),
    3: gettext_lazy("for a tier"),
    4: gettext_lazy("for everybody"),
    UNREAD: gettext_lazy("cannot be read"),
}


@dataclass(frozen=True)
class Ranked:
    """A rule in its place: what it is about, and as the engine reads it."""

    rule: Rule
    rank: int
    facts: RuleFacts | None
    fault: str = ""

    @property
    def why(self) -> StrOrPromise:
        return WHY[self.rank]


@dataclass(frozen=True)
class Order:
    """The rules of a version, the first one first."""

    rules: list[Ranked] = field(default_factory=list)

    def beside(self, rule: Rule, *, step: int) -> Rule | None:
        """Return the rule that `rule` would change places with, none when that one is about more or less."""
        at = next((at for at, each in enumerate(self.rules) if each.rule.pk == rule.pk), None)
        if at is None or not 0 <= at + step < len(self.rules):
            return None
        other = self.rules[at + step]
        return other.rule if other.rank == self.rules[at].rank else None


def ranked(version: PlanVersion) -> Order:
    """Return the rules of a version in the order they are tried."""
    currency = version.plan.program.currency
    found = [_ranked(rule, currency) for rule in version.rules.all()]
    return Order(sorted(found, key=lambda each: (each.rank, each.rule.position, each.rule.key)))


def read(rule: Rule, currency: str) -> tuple[RuleFacts | None, str]:
    """Return a stored rule as the engine reads it, or why it cannot."""
    try:
        return read_rule(stored(rule), currency=currency), ""
    except Unreadable as error:
        return None, _(error.message) % dict(error.params)


def _ranked(rule: Rule, currency: str) -> Ranked:
    facts, fault = read(rule, currency)
    return Ranked(rule, UNREAD if facts is None else facts.specificity, facts, fault)
