"""Gather what a partner's tier page says: where it stands and since when, what keeps it there, what the next tier asks and would have earned,
and what was decided before. Every figure is the one reviews evaluate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from partners.certification import forecast
from partners.choices import ReviewOutcome, ReviewState, RoundKind
from partners.models import Membership, MetricSnapshot, Placement, TierOverride, TierReview
from partners.tier_reviews import calendar
from payouts import tier_outlooks
from payouts.models import TierOutlook
from portal.formats import active_locale, date_text
from portal.notices import Notice
from portal.tier_meters import TierMeter, figures_of, meter_of
from prm.lib import l10n
from prm.lib.periods import local_day
from tiers import qualify, requirement_sentences, schemes
from tiers.models import Tier, TierScheme
from tiers.narrowing import Names
from tiers.qualify import Found, RungVerdict
from tiers.qualify.scheme import AT_LEAST, WEIGHTS

MOST_REVIEWS = 24


@dataclass(frozen=True)
class Asked:
    """What one tier asks, beside the partner's figures."""

    name: str
    is_met: bool
    lead: str
    meters: tuple[TierMeter, ...]
    weighed: str = ""


@dataclass(frozen=True)
class Before:
    """One placement; `until` is empty for the present one."""

    tier: Tier
    since: str
    until: str
    because: str


@dataclass(frozen=True)
class Held:
    """One review that was held."""

    day: str
    kind: str
    outcome: str
    state: str
    href: str


@dataclass(frozen=True)
class Story:
    """Everything the page shows; nothing is left to ask."""

    tier: Tier
    above: Tier | None
    since: str
    because: str
    figures_until: str
    keeps: tuple[Asked, ...]
    next: Asked | None
    outlook: TierOutlook | None
    is_computing: bool
    coming: tuple[tuple[str, str], ...]
    history: tuple[Before, ...]
    reviews: tuple[Held, ...]
    notices: tuple[Notice, ...]


def story_of(membership: Membership, tier: Tier, above: Tier | None, *, at: datetime) -> Story:
    """Return what the page says of a membership that stands in `tier`, with `above` next on its ladder."""
    row = schemes.in_force(membership.program, at=at)
    verdicts = _verdicts(membership, tier, row, at=at)
    names = Names(membership.program)
    asked = {each.rung.key: _asked(each, membership, row, names, at=at) for each in verdicts}
    outlook = tier_outlooks.outlook(membership, above, at=at) if above is not None else None
    history = _history(membership, at=at)
    next_up = asked.get(above.key) if above is not None else None
    return Story(
        tier=tier,
        above=above,
        since=history[0].since if history else "",
        because=history[0].because if history else "",
        figures_until=_figures_until(membership, row, at=at),
        keeps=tuple(
            asked[each.rung.key]
            for each in reversed(verdicts)
            if each.rung.rank <= tier.rank and asked[each.rung.key].meters
        ),
        next=next_up if next_up is not None and next_up.meters else None,
        outlook=outlook,
        is_computing=above is not None and outlook is None,
        coming=tuple(_coming(membership, row, at=at)),
        history=history,
        reviews=_reviews(membership),
        notices=tuple(_notices(membership, tier, at=at)),
    )


def _verdicts(
    membership: Membership, tier: Tier, row: TierScheme | None, *, at: datetime
) -> Sequence[RungVerdict]:
    ladder = schemes.ladder_of(membership.program, tier.track)
    if row is None or tier.key not in {rung.key for rung in ladder}:
        return ()
    scheme = schemes.scheme_of(row)
    figures = figures_of(membership, row, scheme, at=at)
    return qualify.evaluate(scheme, ladder, figures, current=tier.key).rungs


def _asked(
    each: RungVerdict, membership: Membership, row: TierScheme | None, names: Names, *, at: datetime
) -> Asked:
    ask = schemes.scheme_of(row).ask_of(each.rung.key) if row is not None else qualify.Ask()
    weighed = ""
    if ask.combine == WEIGHTS:
        weighed = _("What is met counts %(weight)s of %(needed)s.") % {
            "weight": each.weight,
            "needed": each.needed,
        }
    return Asked(
        name=each.rung.name,
        is_met=each.is_met,
        lead=requirement_sentences.combined(ask),
        meters=tuple(_meter(found, membership, names, at=at) for found in each.found),
        weighed=weighed,
    )


def _meter(found: Found, membership: Membership, names: Names, *, at: datetime) -> TierMeter:
    """Return a meter; a certified share that is enough today says when it no longer will be."""
    meter, requirement = meter_of(found, membership.program, names), found.requirement
    is_floor = requirement.operator == AT_LEAST
    if requirement.question.metric != "certified_ratio" or not (is_floor and found.is_met):
        return meter
    steps = forecast.lapses(membership.partner, requirement.question, at=at, program=membership.program)
    step = forecast.first_below(steps, requirement.threshold)
    if step is None:
        return meter
    warning = forecast.sentence(step, local_day(at, membership.program.zone), active_locale())
    return replace(meter, text=f"{meter.text} {warning}")


def _figures_until(membership: Membership, row: TierScheme | None, *, at: datetime) -> str:
    if row is None:
        return ""
    kept = MetricSnapshot.objects.filter(membership=membership, scheme=row).values_list(
        "measured_at", flat=True
    )
    return l10n.datetime_text(kept.first() or at, membership.program.zone, active_locale())


def _history(membership: Membership, *, at: datetime) -> tuple[Before, ...]:
    zone = membership.program.zone
    rows = Placement.objects.filter(membership=membership, starts_at__lte=at).select_related("tier")
    return tuple(
        Before(
            tier=each.tier,
            since=date_text(local_day(each.starts_at, zone)),
            until=date_text(local_day(each.ends_at, zone)) if each.ends_at and each.ends_at <= at else "",
            # A first placement says no more than that there was an approval.
            because=_("Your application was approved.") if each.because == "approved" else each.because,
        )
        for each in rows.order_by("-starts_at", "-pk")
    )


def _reviews(membership: Membership) -> tuple[Held, ...]:
    rows = (
        TierReview.objects.told()
        .filter(membership=membership)
        .select_related("round", "from_tier", "to_tier")
    )
    return tuple(
        Held(
            day=date_text(each.round.due_on),
            kind=str(RoundKind(each.round.kind).label),
            outcome=outcome_text(each),
            state=str(ReviewState(each.state).label),
            href=reverse("portal:tier_review", args=[each.public_id]),
        )
        for each in rows.order_by("-evaluated_at", "-pk")[:MOST_REVIEWS]
    )


def outcome_text(review: TierReview) -> str:
    """Return what a review proposed: Silver to Gold, or that the tier is kept."""
    if review.outcome == ReviewOutcome.KEEP:
        return _("%(tier)s kept") % {"tier": review.from_tier.name}
    return _("%(from)s to %(to)s") % {"from": review.from_tier.name, "to": review.to_tier.name}


def _coming(membership: Membership, row: TierScheme | None, *, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield the next day a tier can rise, and the next one it can fall."""
    if row is None:
        return
    found = calendar.next_review(schemes.scheme_of(row), membership.program, membership.joined_at, at=at)
    rise, fall = found["promotion"], found["demotion"]
    if rise is not None and rise != fall:
        yield _("Who rises"), date_text(rise)
    if fall is not None:
        yield _("Who rises or falls"), date_text(fall)


def _notices(membership: Membership, tier: Tier, *, at: datetime) -> Iterator[Notice]:
    zone = membership.program.zone
    case = open_review(membership)
    if case is not None:
        yield case
    override = TierOverride.objects.filter(membership=membership, ended_at=None).first()
    if override is not None:
        day = local_day(override.expires_at - timedelta.resolution, zone)
        yield Notice(
            "info",
            override.reason,
            title=_("You stand in %(tier)s by our decision until %(date)s.")
            % {"tier": tier.name, "date": date_text(day)},
        )
    elif case is None and _would_fall(membership, tier):
        yield Notice(
            "warn",
            _("At the next review you may fall, unless what is missing below is there by then."),
            title=_("The figures do not reach %(tier)s at the moment.") % {"tier": tier.name},
        )


def open_review(membership: Membership) -> Notice | None:
    """Return the notice of a review of which the partner was told and that is not over."""
    cases = TierReview.objects.told().open().filter(membership=membership)
    case = cases.select_related("to_tier", "membership__program").first()
    if case is None:
        return None
    return Notice(
        "info" if case.outcome == ReviewOutcome.UP else "warn",
        _case_text(case),
        title=_("A review of your tier is open."),
        href=reverse("portal:tier_review", args=[case.public_id]),
        action=_("Read the review"),
    )


def _case_text(case: TierReview) -> str:
    if case.state == ReviewState.APPEALED:
        return _("Your appeal is with us. Until we have answered, nothing changes.")
    zone = case.membership.program.zone
    if case.state == ReviewState.IN_GRACE and case.grace_ends_at is not None:
        return _("Until %(date)s you can bring back what is missing.") % {
            "date": date_text(local_day(case.grace_ends_at - timedelta.resolution, zone))
        }
    if case.effective_at is not None:
        day = date_text(local_day(case.effective_at, zone))
        return _("You stand in %(tier)s from %(date)s.") % {"tier": case.to_tier.name, "date": day}
    return ""


def _would_fall(membership: Membership, tier: Tier) -> bool:
    return MetricSnapshot.objects.filter(
        membership=membership, tier=tier, outcome=ReviewOutcome.DOWN
    ).exists()
