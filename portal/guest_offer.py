"""Say what somebody would earn who is invited: by what everybody has in the tier offered, and by the own rates proposed beside it. Sentences
and examples come from the rules, computed by the engine that will book the money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from partners.invitation_rows import proposed
from partners.models import ProgramInvitation
from portal.formats import active_locale, date_text
from portal.rates import ORDER_SIZES, Example, Sentence
from prm.lib.money import Money, exponent
from prm.lib.periods import local_day
from tiers import audience, rulebook, trial
from tiers.engine.compute import prepare
from tiers.engine.facts import SALE, Event, PlanFacts, Standing
from tiers.models import PlanVersion, Program


@dataclass(frozen=True)
class GuestOffer:
    """What stands on the page of an invitation. Without own rates only `standard` is told."""

    tier: str
    standard: tuple[Sentence, ...]
    own: tuple[Sentence, ...]
    begins: str
    shown: str
    examples: tuple[Example, ...]
    has_own: bool


def offer_to(invitation: ProgramInvitation, *, at: datetime) -> GuestOffer:
    """Read what an invitation offers at `at`."""
    program, standing = invitation.program, _standing(invitation, at)
    everybody = trial.facts_in_force(program, at=at, joined_at=at)
    version = proposed(invitation)
    own = rulebook.facts(version) if version is not None else None
    standard_told = _told(everybody, standing, invitation)
    own_told = _told(own, standing, invitation)
    return GuestOffer(
        tier=invitation.tier.name,
        standard=_marked(standard_told, own_told if own else None),
        own=_marked(own_told, standard_told if everybody else None),
        begins=_begins(version, program, at),
        shown=version.sha256 if version is not None else "",
        examples=_examples(program, standing, everybody, own or everybody, at),
        has_own=version is not None,
    )


def _standing(invitation: ProgramInvitation, at: datetime) -> Standing:
    return Standing(
        tier_key=invitation.tier.key,
        tier_name=invitation.tier.name,
        membership=invitation.membership_key,
        partnership_type=invitation.program.partnership_type,
        joined_at=at,
    )


def _told(plan: PlanFacts | None, standing: Standing, invitation: ProgramInvitation) -> list[str]:
    if plan is None:
        return []
    program = invitation.program
    names = dict(program.tiers.values_list("key", "name"))
    names[invitation.membership_key] = invitation.company or invitation.full_name or invitation.email
    return audience.told(plan, standing, currency=program.currency, locale=active_locale(), names=names)


def _marked(texts: list[str], other: list[str] | None) -> tuple[Sentence, ...]:
    # What ends in a colon only leads to the next sentences.
    return tuple(
        Sentence(text, differs=other is not None and text not in other and not text.endswith(":"))
        for text in texts
    )


def _begins(version: PlanVersion | None, program: Program, at: datetime) -> str:
    if version is None or version.effective_at is None or version.effective_at <= at:
        return _("From the moment you accept")
    return _("From %(day)s on") % {"day": date_text(local_day(version.effective_at, program.zone))}


def _examples(
    program: Program, standing: Standing, now: PlanFacts | None, then: PlanFacts | None, at: datetime
) -> tuple[Example, ...]:
    orders = [Money(size * 10 ** exponent(program.currency), program.currency) for size in ORDER_SIZES]
    found = tuple(
        Example(order, _earned(now, standing, order, at), _earned(then, standing, order, at))
        for order in orders
    )
    return found if any(row.now or row.then for row in found) else ()


def _earned(plan: PlanFacts | None, standing: Standing, order: Money, at: datetime) -> Money:
    total = Money(0, order.currency)
    if plan is not None:
        event = Event(key="example", kind=SALE, occurred_at=at, amount=order)
        for line in prepare(plan)(event, standing):
            total += line.amount
    return total
