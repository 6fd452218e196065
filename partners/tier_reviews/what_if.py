"""Say who would move if a draft of what tiers ask were in force: everybody is measured under it, in chunks, and nobody is moved. What was
found stays with the draft, by membership and without names, until somebody measures again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners import metrics
from partners.choices import MembershipState
from partners.models import Placement, TierOverride
from partners.tier_reviews.ladders import Ladders
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from prm.runs import lifecycle
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tiers import schemes
from tiers.choices import SchemeState
from tiers.models import Program, TierScheme
from tiers.qualify import Figure, Outcome, Scheme, Verdict, evaluate

if TYPE_CHECKING:
    from prm.accounts.models import User

RUN_KIND = "partners.what_if"
PHASE = "Partners"
CHUNK = 2_000
LISTED = 200  # movers of a pair whose figures are kept; of the others only who they are


class NotADraft(Refused):
    message = _("Only a draft can be tried: this version is published.")


@dataclass(slots=True)
class Pair:
    """Everybody who would go from one tier to another. `anyway` would do so under the version in force as well."""

    outcome: str
    anyway: int = 0
    members: list[int] = field(default_factory=list)
    figures: dict[int, Mapping[str, Figure]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.members)


@dataclass(slots=True)
class Report:
    """Who would move. `held` stand by a decision of a person, or are too new to fall: their tier would stay."""

    at: datetime
    memberships: int = 0
    held: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """Return the report as a draft keeps it: memberships by their primary keys."""
        return {
            "at": self.at.isoformat(),
            "memberships": self.memberships,
            "held": self.held,
            "tiers": [
                {"tier": key, "before": self.before[key], "after": self.after[key]}
                for key in sorted({*self.before, *self.after})
            ],
            "pairs": [
                {
                    "from": before,
                    "to": after,
                    "outcome": pair.outcome,
                    "count": pair.count,
                    "anyway": pair.anyway,
                    "members": pair.members,
                    "figures": {str(pk): metrics.stored(each) for pk, each in pair.figures.items()},
                }
                for (before, after), pair in sorted(self.pairs.items())
            ],
        }


@dataclass(frozen=True, slots=True)
class _Standing:
    membership_id: int
    tier: str
    track: str
    joined_at: datetime


def who_would_move(
    program: Program, scheme: Scheme, *, at: datetime, reporter: Reporter | None = None
) -> Report:
    """Measure every active membership under `scheme`, without writing anything.

    A membership moves in its own ladder; one that stands in a tier no longer in use is counted and moves nowhere.
    """
    report, ladders = Report(at=at), Ladders(program)
    in_force = schemes.in_force(program, at=at)
    present = schemes.scheme_of(in_force) if in_force is not None else None
    for chunk in _chunks(program, ladders):
        group = metrics.Group(program, chunk[0].membership_id, chunk[-1].membership_id)
        figures = metrics.measure(group, scheme, at=at)
        # The same metrics are read twice only where the present version asks other questions.
        others = metrics.measure(group, present, at=at) if present is not None else None
        held = _held(group, at=at)
        for each in chunk:
            found = figures(each.membership_id)
            verdict = _verdict(scheme, ladders, each, found)
            report.memberships += 1
            report.before[each.tier] += 1
            if verdict is None or verdict.outcome == Outcome.KEEP:
                report.after[each.tier] += 1
                continue
            if each.membership_id in held or _is_protected(verdict, scheme, program, each, at=at):
                report.held += 1
                report.after[each.tier] += 1
                continue
            now = _verdict(present, ladders, each, others(each.membership_id)) if present and others else None
            _add(report, each, verdict, found, is_anyway=now is not None and now.target == verdict.target)
        if reporter is not None:
            reporter.advance(len(chunk))
    return report


def ask(row: TierScheme, *, by: User, at: datetime) -> Run:
    """Ring a worker that measures everybody under a draft; while it does, asking again is refused.

    Raises: Forbidden, NotADraft, AlreadyRunning.
    """
    policy.require(by, "see_partners")
    if row.state != SchemeState.DRAFT:
        raise NotADraft
    with transaction.atomic():
        audit.record(by, "tier_scheme.tried", row, at=at, number=row.number)
        return lifecycle.start(
            RUN_KIND,
            title=f"Who would move in {row.program.name}",
            at=at,
            by=by,
            subject=row.public_id,
            phases=[PHASE],
            parameters={"scheme": row.public_id},
        )


def carry_out(run: Run, reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Do what a run is about; one that was interrupted begins again, which harms nothing."""
    row = TierScheme.objects.select_related("program").get(public_id=run.parameters["scheme"])
    reporter.phase(PHASE, total=_standing_now(row.program).count())
    report = who_would_move(row.program, schemes.scheme_of(row), at=at, reporter=reporter)
    kept = {**report.stored(), "definition": schemes.fingerprint(row)}
    # Published meanwhile: what it was published with stays as it is.
    TierScheme.objects.filter(pk=row.pk, state=SchemeState.DRAFT).update(report=kept)
    return {"memberships": report.memberships, "moves": sum(pair.count for pair in report.pairs.values())}


def latest_run(row: TierScheme) -> Run | None:
    """Return the job that last worked on a draft."""
    return Run.objects.filter(kind=RUN_KIND, subject=row.public_id).newest_first().first()


def is_stale(row: TierScheme) -> bool:
    """Say whether a draft was changed after its report was made."""
    return bool(row.report) and row.report.get("definition") != schemes.fingerprint(row)


def moves_of(row: TierScheme, names: Mapping[int, str]) -> dict[str, str]:
    """Return the tier each mover of a stored report would go to, by what `names` calls the membership."""
    return {
        names[pk]: pair["to"] for pair in row.report.get("pairs", []) for pk in pair["members"] if pk in names
    }


def _add(
    report: Report, each: _Standing, verdict: Verdict, figures: Mapping[str, Figure], *, is_anyway: bool
) -> None:
    target = verdict.target.key
    report.after[target] += 1
    pair = report.pairs.setdefault((each.tier, target), Pair(verdict.outcome.value))
    pair.members.append(each.membership_id)
    pair.anyway += is_anyway
    if len(pair.figures) < LISTED:
        pair.figures[each.membership_id] = figures


def _verdict(
    scheme: Scheme, ladders: Ladders, each: _Standing, figures: Mapping[str, Figure]
) -> Verdict | None:
    ladder = ladders.in_use(each.track)
    if all(rung.key != each.tier for rung in ladder):
        return None
    return evaluate(scheme, ladder, figures, current=each.tier)


def _is_protected(
    verdict: Verdict, scheme: Scheme, program: Program, each: _Standing, *, at: datetime
) -> bool:
    if verdict.outcome != Outcome.DOWN:
        return False
    until = local_day(each.joined_at, program.zone) + timedelta(days=scheme.process.protected_days)
    return local_day(at, program.zone) < until


def _held(group: metrics.Group, *, at: datetime) -> set[int]:
    holding = TierOverride.objects.filter(
        membership__program=group.program,
        membership__pk__range=(group.first, group.last),
        ended_at=None,
        expires_at__gt=at,
    )
    return set(holding.values_list("membership_id", flat=True))


def _standing_now(program: Program) -> QuerySet[Placement]:
    active = MembershipState.ACTIVE
    return Placement.objects.open().filter(membership__program=program, membership__state=active)


def _chunks(program: Program, ladders: Ladders) -> Iterator[list[_Standing]]:
    """Yield who stands where, in order of the primary key; each chunk is one short query."""
    after = 0
    while True:
        rows = (
            _standing_now(program)
            .filter(membership_id__gt=after)
            .order_by("membership_id")
            .values_list("membership_id", "tier_id", "membership__joined_at")[:CHUNK]
        )
        chunk = [
            _Standing(pk, ladders.tier(tier).key, ladders.tier(tier).track, joined)
            for pk, tier, joined in rows
        ]
        if not chunk:
            return
        yield chunk
        after = chunk[-1].membership_id
