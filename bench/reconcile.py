"""Rate and reconcile any number of events on PostgreSQL, beside one bare INSERT … SELECT that writes the same rows in the same run. Each
size runs in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass

from bench.measure import bare_copy, in_a_process, numbers, peak_mb

SIZES = (10_000, 100_000)


@dataclass
class Found:
    """What one size cost. Ratios say how many times the bare insert's time ours took."""

    events: int
    memberships: int
    lines: int
    rate_seconds: float
    rate_per_second: int
    rate_cpu_us: float
    again_seconds: float
    again_per_second: int
    bare_seconds: float
    bare_rows_per_second: int
    times_the_bare_insert: float
    peak_mb: int
    grown_mb: int
    differences: int


def run(arguments: list[str]) -> dict[str, object]:
    """Run every size and compare the cost of an event between them."""
    sizes = numbers(arguments, "--n", SIZES)
    found = []
    for size in sizes:
        _seed(size)
        each = in_a_process("reconcile", size)
        found.append(each)
        first = found[0]
        each["cost_per_event_against_the_first"] = round(
            each["rate_seconds"] / each["events"] / (first["rate_seconds"] / first["events"]), 2
        )
        each["cpu_per_event_against_the_first"] = round(each["rate_cpu_us"] / first["rate_cpu_us"], 2)
        print(json.dumps(each), file=sys.stderr)
    return {"reconcile": found}


def one(size: int) -> Found:
    """Rate what is seeded, reconcile it again and insert it bare; called in a process of its own."""
    from bench import seed
    from partners.models import Membership
    from payouts import reconcile
    from payouts.accrual.sweep import drain
    from payouts.models import Commission

    before = peak_mb()
    now = seed.AFTER
    began, cpu = time.perf_counter(), time.process_time()
    mine = Membership.objects.filter(program__slug=_slug(size))
    known = list(mine.select_related("program").order_by("pk"))
    rated = 0
    for member in known:
        rated += sum(step.rated for step in drain(at=now, membership=member))
    rate_seconds, rate_cpu = time.perf_counter() - began, time.process_time() - cpu
    began = time.perf_counter()
    again = [reconcile.reconcile(member, at=now) for member in known]
    again_seconds = time.perf_counter() - began
    if rated != size or any(each.posted for each in again):
        raise RuntimeError(f"Of {size} events {rated} were rated, and the second run posted something.")
    peak = peak_mb()
    rows, bare_seconds = _bare(known[0].program_id)
    return Found(
        events=size,
        memberships=len(known),
        lines=Commission.objects.filter(membership__in=known).count(),
        rate_seconds=round(rate_seconds, 2),
        rate_per_second=round(size / rate_seconds),
        rate_cpu_us=round(rate_cpu / size * 1e6, 1),
        again_seconds=round(again_seconds, 2),
        again_per_second=round(size / again_seconds),
        bare_seconds=round(bare_seconds, 2),
        bare_rows_per_second=round(rows / bare_seconds),
        times_the_bare_insert=round(rate_seconds / bare_seconds, 1),
        peak_mb=peak,
        grown_mb=peak - before,
        differences=sum(len(each.differences) for each in again),
    )


def _slug(size: int) -> str:
    return f"bench-{size}"


def _seed(size: int) -> None:
    from bench import seed

    _program, members = seed.program(_slug(size), seed.GRADUATED, max(size // seed.PER_MEMBERSHIP, 1))
    seed.events(_slug(size), members, size)


def _bare(program_id: int) -> tuple[int, float]:
    """Write the same rows into tables of the same shape and indexes, without any logic; return how many, and the time."""
    mine = f"IN (SELECT id FROM payouts_period WHERE program_id = {program_id})"
    chosen = {
        "payouts_commission": f"period_id {mine}",
        "payouts_transaction": f"period_id {mine}",
        "payouts_entry": f"debit_id IN (SELECT id FROM payouts_account WHERE program_id = {program_id})",
    }
    copied = [bare_copy(table, where) for table, where in chosen.items()]
    return sum(rows for rows, _seconds in copied), sum(seconds for _rows, seconds in copied)


def as_json(size: str) -> str:
    """Return what one size cost as a line of JSON."""
    return json.dumps(asdict(one(int(size))))
