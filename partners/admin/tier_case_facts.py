"""What the page of one case shows: what was measured beside what is asked, the rows behind each figure, what happened when, and how the
membership fared before. Old figures are shown as they were evaluated, by the version of their time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from operator import itemgetter
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from partners import metrics
from partners.admin.tier_words import RungLines, Wording
from partners.choices import AppealState, ReviewOutcome, ReviewState
from partners.models import Appeal, Placement, TierOverride, TierReview
from partners.tier_reviews.ladders import Ladders
from prm.accounts.back_office import Fact, link_to, locale
from prm.lib import l10n
from prm.lib.periods import local_day
from tiers import requirement_sentences as sentences
from tiers import schemes
from tiers.models import Program
from tiers.qualify import Question, Scheme, Verdict, evaluate

FORMER_SHOWN = 20
# Where staff find what a row of evidence names, by how its public id begins.
_LISTS = {
    "cnv": "referrals_conversion_changelist",
    "cus": "referrals_customer_changelist",
    "act": "partners_activity_changelist",
    "crd": "partners_credential_changelist",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A case with its scheme, its ladder as it was, and the verdict on what was measured."""

    case: TierReview
    program: Program
    scheme: Scheme
    wording: Wording
    verdict: Verdict
    again: Verdict | None


def read(case: TierReview) -> Read:
    """Evaluate the stored figures of a case once more; the same figures give the same verdict."""
    program = case.membership.program
    scheme = schemes.scheme_of(case.round.scheme)
    ladder = Ladders(program).with_(case.from_tier_id, case.measured_tier_id, case.to_tier_id)
    verdict = _verdict(scheme, ladder, case.figures, case)
    again = _verdict(scheme, ladder, case.last_figures, case) if case.last_looked_at else None
    return Read(case, program, scheme, Wording(program), verdict, again)


def _verdict(scheme: Scheme, ladder: Any, figures: Any, case: TierReview) -> Verdict:
    return evaluate(scheme, ladder, metrics.loaded(figures), current=case.from_tier.key)


def rungs_of(found: Read) -> list[dict[str, Any]]:
    """Return the tiers a case is about, each requirement with its figures then and at the last look."""
    case, shown = found.case, []
    top = max(case.from_tier.rank, case.to_tier.rank)
    low = case.from_tier.rank if case.outcome == ReviewOutcome.UP else case.to_tier.rank
    following = [each.rung.rank for each in found.verdict.rungs if each.rung.rank > top]
    if case.outcome == ReviewOutcome.KEEP and following:
        top = min(following)
    for number, verdict in enumerate(found.verdict.rungs):
        is_lowest = number == 0
        asked = low < verdict.rung.rank <= top or (case.outcome == ReviewOutcome.KEEP and not is_lowest)
        if not asked or verdict.rung.rank > top:
            continue
        combined = sentences.combined(found.scheme.ask_of(verdict.rung.key))
        lines = found.wording.rung(verdict, combined)
        again = found.wording.rung(found.again.rungs[number], combined) if found.again else None
        shown.append({"rung": lines, "rows": _pairs(lines, again), "is_reached_now": _reached(again)})
    return shown


def _pairs(lines: RungLines, again: RungLines | None) -> list[dict[str, Any]]:
    later = again.lines if again is not None else [None] * len(lines.lines)
    return [{"line": line, "again": now} for line, now in zip(lines.lines, later, strict=True)]


def _reached(again: RungLines | None) -> bool | None:
    return None if again is None else again.is_reached


def facts_of(found: Read) -> Iterator[Fact]:
    """Yield the facts of a case."""
    case, member = found.case, found.case.membership
    manager = member.partner.account_manager
    yield Fact(_("Partner"), link_to(member.partner, member.partner.name))
    yield Fact(_("Program"), found.program.name)
    yield Fact(_("Stands in"), case.from_tier.name)
    yield Fact(_("Reached by the figures"), case.measured_tier.name)
    if case.outcome != ReviewOutcome.KEEP:
        yield Fact(_("Would go to"), case.to_tier.name)
    yield Fact(_("Round"), link_to(case.round, round_text(case)))
    yield Fact(_("Figures before"), moment(case.round.measured_at, found.program))
    yield Fact(_("Looked after by"), (manager.full_name or manager.email) if manager else _("nobody"))


def round_text(case: TierReview) -> str:
    """Name the round of a case."""
    told = {"kind": case.round.get_kind_display(), "date": l10n.date_text(case.round.due_on, locale())}
    return _("%(kind)s, %(date)s") % told


def steps_of(found: Read, appeal: Appeal | None, *, at: datetime) -> list[dict[str, Any]]:
    """Return what happened and what is still to come, in its order."""
    case, program = found.case, found.program
    planned: list[tuple[datetime | None, str]] = [
        (case.evaluated_at, _("Evaluated")),
        (case.notified_at, _("The partner is told")),
        (case.last_looked_at, _("Looked at again")),
    ]
    if appeal is not None:
        planned.append((appeal.opened_at, _("The partner appeals")))
        if appeal.answered_at is not None:
            words = {AppealState.GRANTED: _("The appeal is granted"), AppealState.REFUSED: _("It is refused")}
            planned.append((appeal.answered_at, words.get(AppealState(appeal.state), _("Answered"))))
    elif case.state == ReviewState.IN_GRACE:
        planned.append((case.appeal_ends_at, _("Last moment to appeal")))
    if case.state in (ReviewState.IN_GRACE, ReviewState.APPEALED):
        planned.append((case.grace_ends_at, _("The grace period ends")))
    planned.append((case.decided_at, _("Decided")))
    planned.append((case.effective_at, _("Takes effect")))
    # What happened in the same moment stays in the order it is told here.
    dated = sorted(((when, text) for when, text in planned if when is not None), key=itemgetter(0))
    return [{"at": moment(when, program), "what": text, "done": when <= at} for when, text in dated]


def moment(instant: datetime, program: Program) -> str:
    """Return an instant in the program's time."""
    return l10n.datetime_text(instant, program.zone, locale())


def last_day(instant: datetime, program: Program) -> str:
    """Return the last day that still counts, of a time that ends with a day."""
    return l10n.date_text(local_day(instant - timedelta.resolution, program.zone), locale(), "long")


def former_of(case: TierReview) -> list[TierReview]:
    """Return the membership's other cases, the newest first."""
    found = TierReview.objects.filter(membership=case.membership_id).exclude(pk=case.pk)
    read_with = ("round", "from_tier", "to_tier", "decided_by")
    return list(found.select_related(*read_with).order_by("-evaluated_at", "-pk")[:FORMER_SHOWN])


def placements_of(case: TierReview) -> list[Placement]:
    """Return where the membership stood, the newest first."""
    found = Placement.objects.filter(membership=case.membership_id).select_related("tier", "placed_by")
    return list(found.order_by("-starts_at", "-pk")[:FORMER_SHOWN])


def overrides_of(case: TierReview) -> list[TierOverride]:
    """Return what was decided by hand for the membership, the newest first."""
    found = TierOverride.objects.filter(membership=case.membership_id).select_related("tier", "made_by")
    return list(found.order_by("-made_at", "-pk")[:FORMER_SHOWN])


def notes_of(case: TierReview, overrides: Sequence[TierOverride], *, at: datetime) -> list[str]:
    """Say what has to be known before anybody decides."""
    program, said = case.membership.program, []
    holding = next((each for each in overrides if each.ended_at is None and each.expires_at > at), None)
    if holding is not None:
        day = last_day(holding.expires_at, program)
        told = {"kind": holding.get_kind_display(), "tier": holding.tier.name, "date": day}
        said.append(
            _("%(kind)s: %(tier)s until %(date)s, because: %(reason)s") % {**told, "reason": holding.reason}
        )
    if case.state == ReviewState.SHADOW:
        said.append(_("This case is for information: it tells what the review would have proposed."))
    if case.membership.ended_at is not None:
        said.append(_("The membership has ended."))
    return said


def question_of(found: Read, key: str) -> Question | None:
    """Return the question of a case with a key."""
    return next((each for each in found.scheme.questions() if each.key == key), None)


def evidence_of(found: Read, question: Question) -> tuple[list[list[str]], int, bool]:
    """Return the rows behind a figure, how many more there were, and whether they are those of the evaluation itself.

    Cases that propose nothing keep no rows: theirs are read once more, as they stand today.
    """
    kept = found.case.evidence.filter(question=question.key).first()
    if kept is not None:
        return list(kept.rows), kept.more, True
    rows = metrics.rows_behind(
        found.case.membership_id, question, found.program, at=found.case.round.measured_at
    )
    return [[each.what, each.at.isoformat(), str(each.value)] for each in rows], 0, False


def list_of(what: str) -> str:
    """Return where staff find what a row of evidence names; empty for words."""
    name = _LISTS.get(what.split("_")[0]) if "_" in what else None
    return f"{reverse(f'admin:{name}')}?q={what}" if name else ""


def row_of(row: Sequence[str], question: Question, program: Program) -> dict[str, Any]:
    """Return one row of evidence as a page shows it."""
    what, when, value = row[0], datetime.fromisoformat(row[1]), Fraction(row[2])
    figure = sentences.figure_text(question, value, program.currency, locale())
    return {"what": what, "url": list_of(what), "at": when, "figure": figure}
