"""Open rounds by the calendar and carry them out: every membership gets one case, in chunks, and what the program's own setting decides is
decided. A round carried out again writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from partners.choices import ReviewOutcome, ReviewState, RoundKind, RoundState
from partners.models import Membership, ReviewRound, TierReview
from partners.tier_reviews import decisions, writing
from partners.tier_reviews.calendar import due_rounds
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.errors import Refused
from prm.lib.periods import local_day, start_of_day
from prm.runs import lifecycle
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tiers import schemes
from tiers.models import Program, TierScheme
from tiers.qualify.scheme import AUTOMATIC

if TYPE_CHECKING:
    from datetime import date

    from prm.accounts.models import User

RUN_KIND = "partners.tier_review"
PHASES = ("Figures", "Notices and decisions")
CHUNK = 2_000
BY_CALENDAR = (RoundKind.PROMOTION, RoundKind.DEMOTION, RoundKind.ANNIVERSARY)


class NoScheme(Refused):
    message = _("Nothing is asked of the tiers of this program yet: publish a scheme first.")


class LookedAtToday(Refused):
    message = _("The tiers of this program were looked at by hand today already.")


def open_due(*, at: datetime) -> list[ReviewRound]:
    """Open the rounds that are due in all programs by `at` and were not opened yet, and return them, the earliest first.

    It looks back to the newest round there is, never before the day the scheme in force took effect, nor before the day it was
    published: nobody is reviewed on days of a calendar that was not told yet.
    """
    opened: list[ReviewRound] = []
    for program in Program.objects.filter(tier_schemes__isnull=False).distinct().order_by("pk"):
        opened += _open_due(program, at=at)
    return opened


def open_on(program: Program, kind: str, day: date, *, at: datetime) -> ReviewRound | None:
    """Return the round of a kind on a day, opening it when there is none; None when no scheme is in force then."""
    found = ReviewRound.objects.filter(program=program, kind=kind, due_on=day).first()
    if found is not None:
        return found
    scheme = schemes.in_force(program, at=max(at, start_of_day(day, program.zone)))
    return _open(program, scheme, kind, day, by=None, at=at)[0] if scheme is not None else None


@transaction.atomic
def open_by_hand(program: Program, *, by: User, at: datetime) -> ReviewRound:
    """Open a round for everybody in a program today, for rises and falls; `start` sets a worker to it.

    Raises: Forbidden, NoScheme, LookedAtToday.
    """
    policy.require(by, "decide_reviews")
    scheme = schemes.in_force(program, at=at)
    if scheme is None:
        raise NoScheme
    today = local_day(at, program.zone)
    row, created = _open(program, scheme, RoundKind.BY_HAND, today, by=by, at=at)
    if not created:
        raise LookedAtToday
    return row


def start(row: ReviewRound, *, by: User | None, at: datetime) -> Run:
    """Set a worker to a round and return its run; asked again, the same one."""
    return lifecycle.start(
        RUN_KIND,
        title=f"Tier review of {row.program.name}, {row.due_on}",
        at=at,
        by=by,
        subject=row.public_id,
        phases=PHASES,
        parameters={"round": row.public_id},
        idempotency_key=f"tier-review:{row.public_id}",
    )


def start_waiting(*, at: datetime) -> int:
    """Set workers to the rounds that are not finished, and return how many rounds those are.

    One whose worker failed is tried again: nobody's review may stand still until a person looks. What a person stopped stays so.
    """
    rows = unfinished()
    for row in rows:
        with suppress(lifecycle.AlreadyRunning):  # by the command: it does the same
            run = start(row, by=None, at=at)
            if run.state == RunState.FAILED:
                lifecycle.retry(run, at=at)
    return len(rows)


def unfinished(program: Program | None = None) -> list[ReviewRound]:
    """Return the rounds that are not finished, of one program or of all, the earliest first."""
    rows = ReviewRound.objects.exclude(state=RoundState.FINISHED).exclude(kind=RoundKind.EXPIRY)
    if program is not None:
        rows = rows.filter(program=program)
    return list(rows.select_related("program").order_by("due_on", "pk"))


def latest_run(row: ReviewRound) -> Run | None:
    """Return the job that last worked on a round."""
    return Run.objects.filter(kind=RUN_KIND, subject=row.public_id).newest_first().first()


def carry_out(row: ReviewRound, reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Evaluate every membership of a round, then send notices and make decisions where the program's own setting says so.

    Rounds of the program that were due earlier and are not finished come first. Returns the outcomes; again, the same.
    """
    earlier = ReviewRound.objects.filter(program=row.program_id, due_on__lt=row.due_on).exclude(
        state=RoundState.FINISHED
    )
    for each in [*earlier.order_by("due_on", "pk"), row]:
        _carry_out(ReviewRound.objects.select_related("program", "scheme").get(pk=each.pk), reporter, at=at)
    row.refresh_from_db()
    return {"round": row.public_id, **row.counts}


def look_at_one(membership: Membership, *, at: datetime) -> TierReview | None:
    """Look at one membership for which a decision by hand has ended; the caller holds its lock."""
    program = membership.program
    row = open_on(program, RoundKind.EXPIRY, local_day(at, program.zone), at=at)
    if row is None or membership.ended_at is not None:
        return None
    row.program = program
    writing.write(writing.Sitting.of(row), first=membership.pk, last=membership.pk, at=at)
    case = TierReview.objects.filter(round=row, membership=membership).first()
    if case is not None:
        settle(case, at=at)
    _finish(row, at=at)
    return case


def settle(case: TierReview, *, at: datetime) -> bool:
    """Do with a proposal what the program's own setting says: carry a rise out, give notice of a fall, or leave it to a person.

    What stands in the way, such as a tier that is full, leaves the proposal waiting.
    """
    process = schemes.scheme_of(case.round.scheme).process
    if case.state != ReviewState.PROPOSED:
        return False
    try:
        if case.outcome == ReviewOutcome.UP and process.up == AUTOMATIC:
            decisions.decide(case, by=None, at=at)
        elif case.outcome == ReviewOutcome.DOWN and process.down == AUTOMATIC:
            decisions.notify(case, by=None, at=at)
        else:
            return False
    except Refused:
        return False
    return True


def _open_due(program: Program, *, at: datetime) -> Iterator[ReviewRound]:
    scheme = schemes.in_force(program, at=at)
    if scheme is None or scheme.effective_at is None or scheme.published_at is None:
        return
    since = local_day(max(scheme.effective_at, scheme.published_at), program.zone)
    newest = ReviewRound.objects.filter(program=program, kind__in=BY_CALENDAR).order_by("-due_on").first()
    if newest is not None:
        since = max(since, newest.due_on)
    until = local_day(at, program.zone)
    for kind, day in due_rounds(program, schemes.scheme_of(scheme), since=since, until=until):
        if start_of_day(day, program.zone) < scheme.effective_at:
            continue
        row, created = _open(program, scheme, kind, day, by=None, at=at)
        if created:
            yield row


@transaction.atomic
def _open(
    program: Program, scheme: TierScheme, kind: str, day: date, *, by: User | None, at: datetime
) -> tuple[ReviewRound, bool]:
    row, created = ReviewRound.objects.get_or_create(
        program=program,
        kind=kind,
        due_on=day,
        defaults={
            "scheme": scheme,
            "measured_at": start_of_day(day, program.zone),
            "opened_at": at,
            "opened_by": by,
        },
    )
    if created:
        audit.record(by, "review_round.opened", row, at=at, kind=kind, due_on=day)
    return row, created


def _carry_out(row: ReviewRound, reporter: Reporter, *, at: datetime) -> None:
    if row.state == RoundState.FINISHED:
        return
    ReviewRound.objects.filter(pk=row.pk, state=RoundState.SCHEDULED).update(state=RoundState.RUNNING)
    sitting = writing.Sitting.of(row)
    members = writing.to_look_at(row)
    reporter.phase(PHASES[0], total=members.count())
    for first, last, count in _chunks(members):
        persistently(partial(writing.write, sitting, first=first, last=last, at=at))
        reporter.advance(count)
    proposed = TierReview.objects.filter(round=row, state=ReviewState.PROPOSED)
    ids = list(proposed.order_by("membership_id").values_list("pk", flat=True))
    reporter.phase(PHASES[1], total=len(ids))
    for pk in ids:
        case = TierReview.objects.select_related("round__scheme").get(pk=pk)
        case.round.program = row.program
        persistently(partial(settle, case, at=at))
        reporter.advance(1)
    _finish(row, at=at)


def _finish(row: ReviewRound, *, at: datetime) -> None:
    found = TierReview.objects.filter(round=row).order_by().values_list("outcome").annotate(Count("pk"))
    counts = dict.fromkeys(ReviewOutcome.values, 0) | dict(found)
    ReviewRound.objects.filter(pk=row.pk).update(state=RoundState.FINISHED, counts=counts, finished_at=at)
    row.refresh_from_db(fields=["state", "counts", "finished_at"])


def _chunks(members: Any) -> Iterator[tuple[int, int, int]]:
    """Yield the first and last key of each chunk, and how many memberships it holds."""
    after = 0
    while True:
        keys = members.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
        chunk = list(keys[:CHUNK])
        if not chunk:
            return
        yield chunk[0], chunk[-1], len(chunk)
        after = chunk[-1]
