"""What a move from one tier to another does, in sentences for whoever is about to decide: rates, terms, customers and places. What is booked
is never among it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from partners import terms
from partners.models import Membership, Placement
from partners.tier_rates import rates_of
from prm.accounts.back_office import locale
from prm.lib import l10n
from prm.lib.periods import local_day
from prm.mail.models import OutgoingMail
from tiers.models import PlanVersion, Program, Tier


@dataclass(frozen=True)
class Mail:
    """A message as its reader would get it."""

    subject: str
    text: str
    to: str


class Effects:
    """What moves within one program do; rates, terms and places are read once."""

    def __init__(self, program: Program, *, at: datetime) -> None:
        self.program, self.at = program, at
        self.rates = rates_of(program, at=at)
        self._own_terms = terms.own_of_tiers(program, at)

    def rates_text(self, before: Tier | None, after: Tier) -> str:
        """Say what both tiers earn: 8% before, 12% after."""
        told = {"before": self.rate(before), "after": self.rate(after)}
        return _("%(before)s before, %(after)s after") % told

    def rate(self, tier: Tier | None) -> str:
        """Return what a tier earns on a sale."""
        return (self.rates.get(tier.pk, "") if tier is not None else "") or "–"

    def of(self, membership: Membership, before: Tier | None, after: Tier) -> Iterator[str]:
        """Yield what happens when a membership goes from one tier to the other."""
        told = {"before": self.rate(before), "after": self.rate(after), "tier": after.name}
        own = PlanVersion.objects.filter(plan__program=self.program, member_key=membership.public_id)
        if own.in_force(at=self.at).exists():
            yield _("The partner has rates of its own: they stay in force, whatever its tier.")
        elif told["before"] == told["after"]:
            yield _("New sales earn by %(tier)s from then on: %(after)s, as now.") % told
        else:
            yield _("New sales earn by %(tier)s from then on: %(after)s instead of %(before)s.") % told
        yield _("No commission that is booked changes, whatever its state.")
        yield from self.of_terms(before, after)
        yield from self.of_capacity(after)

    def of_terms(self, before: Tier | None, after: Tier) -> Iterator[str]:
        """Say which terms are to be accepted anew."""
        own = self._own_terms.get(after.pk)
        if own is not None:
            text = _(
                "%(tier)s has terms of its own, version %(number)s: the partner is asked to accept them."
            )
            yield text % {"tier": after.name, "number": own.number}
        elif before is not None and before.pk in self._own_terms:
            yield _("The terms of %(tier)s no longer count: those of the program do.") % {"tier": before.name}

    def of_capacity(self, after: Tier) -> Iterator[str]:
        """Say how full the tier is then."""
        if after.capacity is None:
            return
        taken = Placement.objects.open().filter(tier=after).count()
        told = {"tier": after.name, "count": taken, "most": after.capacity}
        if taken >= after.capacity:
            yield _("%(tier)s is full: %(count)s of %(most)s places are taken.") % told
        else:
            yield _("%(tier)s has %(count)s of %(most)s places taken.") % told


def of_customers(keeps: bool, until: datetime | None, before: Tier, program: Program) -> str:
    """Say whose terms customers from before a fall keep."""
    if not keeps:
        return _("Customers from before earn by the new tier as well.")
    if until is None:
        return _("Customers from before keep earning by %(tier)s for good.") % {"tier": before.name}
    day = l10n.date_text(local_day(until, program.zone), locale(), "long")
    return _("Customers from before keep earning by %(tier)s until %(date)s.") % {
        "tier": before.name,
        "date": day,
    }


def rehearse(act: object) -> list[Mail]:
    """Return the messages an act would send: it is done and undone at once, so what is shown is what will be sent.

    Whatever it refuses passes on to the caller.
    """
    assert callable(act)  # noqa: S101
    with transaction.atomic():
        last = OutgoingMail.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        act()
        made = list(OutgoingMail.objects.filter(pk__gt=last).order_by("pk"))
        transaction.set_rollback(True)
    return [Mail(each.subject, each.text, each.to) for each in made]
