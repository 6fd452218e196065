"""One review of a tier as the partner reads it: the figures with the rows behind them, what brings the tier back and until when, and the way
to object. Only an owner appeals; the whole team reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partners import metrics
from partners.choices import AppealState, ReviewOutcome, ReviewState
from partners.engagement import figures
from partners.models import Appeal, ReviewEvidence, TierReview
from partners.tier_reviews import appeals
from partners.tier_reviews.ladders import Ladders
from portal import roles
from portal.formats import active_locale
from portal.forms_tier import AppealForm
from portal.rooms import Room, enter, own_or_404, show
from portal.tier_meters import TierMeter, meter_of
from portal.views.answers import explain_refusal
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from tiers import qualify, requirement_sentences, schemes
from tiers.narrowing import Names
from tiers.qualify import RungVerdict

MOST_ROWS = 200


@dataclass(frozen=True)
class Rows:
    """The rows behind one figure; `more` were left out."""

    title: str
    rows: tuple[tuple[str, str, str], ...]
    more: int


@dataclass(frozen=True)
class Remedy:
    """What brings the tier back; `gap` says how much was missing, and is empty where nobody knew."""

    sentence: str
    gap: str


@dataclass(frozen=True)
class Moment:
    """One step of the review: what, and when."""

    text: str
    when: str
    is_ahead: bool = False


@require_safe
@enter()
def tier_review(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one review."""
    review, there = _find(request, room, public_id)
    return _page(request, there, review)


@require_POST
@enter(roles.APPEAL)
def appeal(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Object to a fall."""
    review, there = _find(request, room, public_id, capability=roles.APPEAL)
    form = AppealForm(request.POST)
    if not form.is_valid():
        return _page(request, there, review, form=form, status=422)
    try:
        made = appeals.appeal(review, text=form.cleaned_data["text"], by=there.user, at=there.at)
    except Refused as refusal:
        explain_refusal(form, refusal)
        return _page(request, there, review, form=form, status=409)
    day = l10n.date_text(made.answer_on, active_locale())
    messages.success(request, _("Your appeal is with us. We answer by %(date)s.") % {"date": day})
    return redirect("portal:tier_review", public_id)


@require_POST
@enter(roles.APPEAL)
def withdraw_appeal(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Take an appeal back."""
    review, there = _find(request, room, public_id, capability=roles.APPEAL)
    found = Appeal.objects.filter(review=review).first()
    try:
        if found is None:
            raise appeals.AppealClosed
        appeals.withdraw_appeal(found, by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your appeal is withdrawn. The review goes on."))
    return redirect("portal:tier_review", public_id)


def _find(
    request: HttpRequest, room: Room, public_id: str, *, capability: str = roles.LOOK
) -> tuple[TierReview, Room]:
    rows = TierReview.objects.told().select_related(
        "membership__program", "membership__partner", "round__scheme__program", "from_tier", "to_tier"
    )
    return own_or_404(request, room, rows, public_id, capability=capability)


def _page(
    request: HttpRequest,
    room: Room,
    review: TierReview,
    *,
    form: AppealForm | None = None,
    status: int = 200,
) -> HttpResponse:
    found = Appeal.objects.filter(review=review).first()
    names = Names(room.program)
    verdicts = _verdicts(review, review.figures)
    again = _verdicts(review, review.last_figures) if review.last_looked_at else []
    return show(
        request,
        room,
        "portal/tier/review.html",
        nav="tier",
        status=status,
        review=review,
        title=_title(review),
        steps=list(_steps(review, found, room)),
        remedies=list(_remedies(review, names)),
        asked=_meters(verdicts, review, names),
        asked_again=_meters(again, review, names),
        evidence=list(_evidence(review, room)),
        appeal=found,
        answer_on=l10n.date_text(found.answer_on, active_locale()) if found else "",
        form=form or AppealForm(),
        may_appeal=_may_appeal(review, found, at=room.at) and room.may(roles.APPEAL),
        may_withdraw=found is not None and found.state == AppealState.OPEN and room.may(roles.APPEAL),
        must_ask_owner=_may_appeal(review, found, at=room.at) and not room.may(roles.APPEAL),
    )


def _title(review: TierReview) -> str:
    told = {"from": review.from_tier.name, "to": review.to_tier.name}
    if review.outcome == ReviewOutcome.UP:
        return _("Review: up from %(from)s to %(to)s") % told
    if review.outcome == ReviewOutcome.DOWN:
        return _("Review: down from %(from)s to %(to)s") % told
    return _("Review: %(from)s kept") % told


def _may_appeal(review: TierReview, found: Appeal | None, *, at: datetime) -> bool:
    return (
        found is None
        and review.state == ReviewState.IN_GRACE
        and review.appeal_ends_at is not None
        and at < review.appeal_ends_at
    )


def _verdicts(review: TierReview, figures: dict[str, object]) -> list[RungVerdict]:
    """Evaluate the figures a case was decided on by its own scheme: the page says what the decision saw."""
    ladder = Ladders(review.membership.program).with_(review.from_tier_id, review.to_tier_id)
    scheme = schemes.scheme_of(review.round.scheme)
    found = qualify.evaluate(scheme, ladder, metrics.loaded(figures), current=review.from_tier.key)
    highest = max(review.from_tier.rank, review.to_tier.rank)
    return [each for each in found.rungs if each.rung.rank <= highest]


def _meters(
    verdicts: list[RungVerdict], review: TierReview, names: Names
) -> list[tuple[str, tuple[TierMeter, ...]]]:
    program = review.membership.program
    rungs = [
        (each.rung.name, tuple(meter_of(found, program, names) for found in each.found)) for each in verdicts
    ]
    return [(name, meters) for name, meters in reversed(rungs) if meters]


def _remedies(review: TierReview, names: Names) -> Iterator[Remedy]:
    """Say what the notice named, in the language of the reader; the notice itself went out in the partner's."""
    program, locale = review.membership.program, active_locale()
    asks = schemes.scheme_of(review.round.scheme).asks
    named = {(tier, each.key): each for tier, ask in asks.items() for each in ask.requirements}
    for kept in review.remedies:
        asked, gap = named.get((kept.get("tier", ""), kept["requirement"])), kept["gap"]
        if asked is None:
            yield Remedy(kept["sentence"], "")
            continue
        sentence = requirement_sentences.sentence(asked, program, locale, names=names)
        missing = Fraction(gap) if gap else None
        text = requirement_sentences.figure_text(
            asked.question, missing, program.currency, locale, is_gap=True
        )
        yield Remedy(sentence, text if missing is not None else "")


def _evidence(review: TierReview, room: Room) -> Iterator[Rows]:
    kept = {row.question: row for row in ReviewEvidence.objects.filter(review=review)}
    scheme = schemes.scheme_of(review.round.scheme)
    for question in scheme.questions():
        row = kept.get(question.key)
        if row is None or not row.rows:
            continue
        shown = row.rows[:MOST_ROWS]
        yield Rows(
            title=_named(question),
            rows=tuple(
                (
                    str(what),
                    l10n.datetime_text(datetime.fromisoformat(when), room.zone, active_locale()),
                    requirement_sentences.figure_text(
                        question, Fraction(value), room.program.currency, active_locale()
                    ),
                )
                for what, when, value in figures.in_words(review.membership_id, shown)
            ),
            more=row.more + len(row.rows) - len(shown),
        )


def _named(question: qualify.Question) -> str:
    window = requirement_sentences.window_text(question.window)
    name = requirement_sentences.metric_name(question.metric)
    return _("%(metric)s %(window)s") % {"metric": name, "window": window} if window else name


def _steps(review: TierReview, found: Appeal | None, room: Room) -> Iterator[Moment]:
    def moment(text: str, instant: datetime | None, *, is_end: bool = False) -> Iterator[Moment]:
        if instant is None:
            return
        # A day that ends at midnight is told as the day before.
        day = local_day(instant - timedelta.resolution if is_end else instant, room.zone)
        yield Moment(text, l10n.date_text(day, active_locale()), is_ahead=instant > room.at)

    yield from moment(_("Figures counted before"), review.round.measured_at)
    yield from moment(_("We told you"), review.notified_at)
    yield from moment(_("Appeal possible until"), review.appeal_ends_at, is_end=True)
    if found is not None:
        yield from moment(_("You appealed"), found.opened_at)
        yield from moment(_("We answered"), found.answered_at)
    yield from moment(_("Grace period until"), review.grace_ends_at, is_end=True)
    yield from moment(_("Looked at again"), review.last_looked_at)
    yield from moment(_("Decided"), review.decided_at)
    yield from moment(_("In effect from"), review.effective_at)
