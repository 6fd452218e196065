"""Measure any number of memberships for their tiers on PostgreSQL: the night's snapshots and a review, beside one bare GROUP BY over the same
rows and one SQL statement that decides and writes, in the same run. Ten events a membership, put in place by SQL."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction
from typing import Any

from bench.measure import in_a_process, numbers, peak_mb

SIZES = (1_000, 10_000, 100_000)
PER_MEMBERSHIP = 10
ONE_BY_ONE = 500  # as many memberships are enough to know what one costs
SILVER, GOLD = 1_500_00, 2_600_00
WIDE = (
    ("net_revenue", 1_500_00, 2_600_00),
    ("sales", 5, 9),
    ("average_order", 100_00, 200_00),
    ("new_customers", 1, 3),
    ("customer_retention", 10, 50),
    ("qualified_leads", 0, 0),
    ("deals_won", 0, 0),
    ("points", 0, 0),
)
_CUSTOMERS = """
INSERT INTO referrals_customer (id, public_id, source, external_id, country, first_seen_at)
SELECT %(customers)s + n, 'cus_bench_' || %(customers)s + n, 'bench', %(slug)s || '-' || n, 'France', %(begin)s
FROM generate_series(0, %(members)s * 4 - 1) AS n
"""
# Every fortieth event is a refund of half the sale before it.
_CONVERSIONS = """
INSERT INTO referrals_conversion (id, public_id, source, external_id, kind, state, occurred_at, recorded_at, customer_id, country,
    amount_minor, currency, code_text, click_id, product, category, quantity, tax_minor, shipping_minor, discount_minor, cost_minor,
    sub_id, deal_key, attributes, original_external_id, original_id, payload_sha256)
SELECT %(first)s + n, 'cnv_bench_' || %(first)s + n, 'bench', %(slug)s || '-' || n, CASE WHEN n %% 40 = 39 THEN 'refund' ELSE 'sale' END,
    'recorded', %(begin)s + (n %% 10) * interval '36 days' + (n * 7 %% 86400) * interval '1 second', %(begin)s,
    %(customers)s + n / 10 * 4 + n %% 4, 'France', CASE WHEN n %% 40 = 39 THEN 500 + (n - 1) * 7919 %% 49501 / 2
    ELSE 500 + n * 7919 %% 49501 END, 'GBP', '', '', '', '', 1, 0, 0, 0, 0, '', '', '{}',
    CASE WHEN n %% 40 = 39 THEN %(slug)s || '-' || n - 1 ELSE '' END, CASE WHEN n %% 40 = 39 THEN %(first)s + n - 1 END, ''
FROM generate_series(0::bigint, %(members)s * 10 - 1) AS n
"""
_CREDITS = """
INSERT INTO referrals_credit (conversion_id, membership_id, role, share, reason, occurred_at, attributed_at, rated_at)
SELECT id, %(member)s + (id - %(first)s) / 10, 'sourced', 1, 'code', occurred_at, recorded_at, recorded_at
FROM referrals_conversion WHERE id >= %(first)s
"""
_MEMBERS = """
INSERT INTO partners_membership (id, public_id, partner_id, program_id, state, tags, joined_at)
SELECT %(member)s + n, 'mem_bench_' || %(member)s + n, %(partner)s + n, %(program)s, 'active', '[]', %(begin)s
FROM generate_series(0, %(members)s - 1) AS n
"""
_GROUPED = """
SELECT c.membership_id, count(*) AS rows, sum(CASE WHEN v.kind IN ('refund', 'chargeback') THEN -v.amount_minor ELSE v.amount_minor END) AS net
FROM referrals_credit c JOIN referrals_conversion v ON v.id = c.conversion_id
WHERE c.superseded_at IS NULL AND c.role <> 'assisted' AND v.state <> 'rejected' AND c.occurred_at >= %(since)s AND c.occurred_at < %(at)s
    AND c.membership_id BETWEEN %(member)s AND %(last)s GROUP BY 1
"""
# In the tier their figures reach, but for every twentieth, who is to move.
_PLACEMENTS = f"""
INSERT INTO partners_placement (membership_id, tier_id, starts_at, because, placed_at, keeps_customers)
SELECT p.id, (%(tiers)s)[1 + (CASE WHEN g.net >= %(gold)s THEN 2 WHEN g.net >= %(silver)s THEN 1 ELSE 0 END
    + CASE WHEN p.id %% 20 = 0 THEN 1 ELSE 0 END) %% 3], %(begin)s, 'bench', %(begin)s, false
FROM partners_membership p LEFT JOIN ({_GROUPED}) g ON g.membership_id = p.id WHERE p.id BETWEEN %(member)s AND %(last)s
"""
# One more sale, the day before the second night, for every hundredth membership.
_ONE_MORE = """
INSERT INTO referrals_conversion (public_id, source, external_id, kind, state, occurred_at, recorded_at, country, amount_minor,
    currency, code_text, click_id, product, category, quantity, tax_minor, shipping_minor, discount_minor, cost_minor, sub_id, deal_key,
    attributes, original_external_id, payload_sha256)
SELECT 'cnv_more_' || id, 'more', id, 'sale', 'recorded', %(at)s - interval '1 day', %(at)s, 'France', 10000, 'GBP', '', '', '', '', 1,
    0, 0, 0, 0, '', '', '{}', '', ''
FROM partners_membership WHERE id BETWEEN %(member)s AND %(last)s AND id %% 100 = 0
"""
_ITS_CREDITS = """
INSERT INTO referrals_credit (conversion_id, membership_id, role, share, reason, occurred_at, attributed_at, rated_at)
SELECT id, external_id::bigint, 'sourced', 1, 'code', occurred_at, recorded_at, recorded_at FROM referrals_conversion
WHERE source = 'more' AND external_id::bigint BETWEEN %(member)s AND %(last)s
"""
_DECIDED = f"""
INSERT INTO partners_metricsnapshot (membership_id, scheme_id, tier_id, measured_tier_id, outcome, figures, measured_at, taken_at)
SELECT p.membership_id, %(scheme)s, p.tier_id, m.id, CASE WHEN m.rank > t.rank THEN 'up' WHEN m.rank < t.rank THEN 'down' ELSE 'keep' END,
    jsonb_build_object('net_revenue/trailing:12', jsonb_build_object('value', coalesce(g.net, 0)::text, 'rows', coalesce(g.rows, 0))),
    %(at)s, %(at)s
FROM partners_placement p JOIN tiers_tier t ON t.id = p.tier_id LEFT JOIN ({_GROUPED}) g USING (membership_id)
JOIN tiers_tier m ON m.id = (%(tiers)s)[CASE WHEN g.net >= %(gold)s THEN 3 WHEN g.net >= %(silver)s THEN 2 ELSE 1 END]
WHERE p.ends_at IS NULL AND p.membership_id BETWEEN %(member)s AND %(last)s
ON CONFLICT (membership_id) DO UPDATE SET scheme_id = excluded.scheme_id, tier_id = excluded.tier_id,
    measured_tier_id = excluded.measured_tier_id, outcome = excluded.outcome, figures = excluded.figures,
    measured_at = excluded.measured_at, taken_at = excluded.taken_at
"""


def run(arguments: list[str]) -> dict[str, object]:
    """Measure every size, the smallest first, and compare what a membership costs."""
    found: list[dict[str, Any]] = []
    for size in numbers(arguments, "--n", SIZES):
        _seed(size)
        each = in_a_process("tiers", size)
        found.append(each)
        each["cost_per_membership_against_the_first"] = round(
            found[0]["first_night_per_second"] / each["first_night_per_second"], 2
        )
        print(json.dumps(each), file=sys.stderr)
    return {"tiers": found}


def as_json(size: str) -> str:
    """Return what one size costs; called in a process of its own."""
    from partners.tier_reviews import snapshots
    from tiers.models import Program

    program = Program.objects.get(slug=_slug(int(size)))
    values = _values(program)
    members = values["members"]
    before = peak_mb()
    bare = min(_sql(f"SELECT count(*) FROM ({_GROUPED}) AS g", values) for _time in range(2))
    one_statement = _sql(_DECIDED, values)
    _sql("DELETE FROM partners_metricsnapshot WHERE membership_id BETWEEN %(member)s AND %(last)s", values)
    with _counting() as queries:
        first, written = _night(program)
    again, unchanged = _night(program)
    if written != members or unchanged:
        raise RuntimeError(f"{written} of {members} rows were written, and then {unchanged} again.")
    for statement in (_ONE_MORE, _ITS_CREDITS):
        _sql(statement, values)
    some, changed = _night(program)
    peak = peak_mb()
    alone = _one_by_one(program, min(members, ONE_BY_ONE))
    facts: dict[str, Any] = {
        "memberships": members,
        "events": members * PER_MEMBERSHIP,
        "first_night_seconds": round(first, 2),
        "first_night_per_second": round(members / first),
        "unchanged_seconds": round(again, 2),
        "unchanged_per_second": round(members / again),
        "unchanged_rows_written": unchanged,
        "some_sold_seconds": round(some, 2),
        "some_sold_rows_written": changed,
        "queries_per_chunk": round(len(queries) / -(-members // snapshots.CHUNK), 1),
        "memberships_per_chunk": min(snapshots.CHUNK, members),
        "group_by_per_second": round(members / bare),
        "one_statement_per_second": round(members / one_statement),
        "speed_against_one_statement": round(one_statement / first, 2),
        "unchanged_times_the_group_by": round(again / bare, 1),
        "one_by_one_per_second": round(1 / alone),
        "times_one_by_one": round(members / first * alone),
        "peak_mb": peak,
        "grown_mb": peak - before,
    }
    return json.dumps({**facts, **_review(program), **_wide(program)})


def _night(program: Any) -> tuple[float, int]:
    from bench import seed
    from partners.tier_reviews import snapshots
    from prm.runs.progress import Reporter

    began = time.perf_counter()
    result = snapshots.take([program], Reporter(), at=seed.AFTER)
    return time.perf_counter() - began, int(result["written"])


def _review(program: Any) -> dict[str, Any]:
    """Carry out a review of everybody, twice."""
    from bench import seed
    from partners.models import ReviewEvidence, ReviewRound, TierReview
    from partners.tier_reviews import rounds
    from prm.accounts.models import User
    from prm.runs.progress import Reporter

    by = User.objects.get(email="bench@halden.example")
    row = rounds.open_by_hand(program, by=by, at=seed.AFTER)

    def carry_out() -> None:
        ReviewRound.objects.filter(pk=row.pk).update(
            state="running"
        )  # as one that was interrupted at the end
        rounds.carry_out(row, Reporter(), at=seed.AFTER)

    seconds = [_timed(carry_out) for _time in range(2)]
    cases = TierReview.objects.filter(round=row)
    count = cases.count()
    return {
        "review_seconds": round(seconds[0], 2),
        "review_per_second": round(count / seconds[0]),
        "review_moves": cases.exclude(outcome="keep").count(),
        "review_evidence": ReviewEvidence.objects.filter(review__round=row).count(),
        "review_again_seconds": round(seconds[1], 2),
    }


def _wide(program: Any) -> dict[str, Any]:
    """Measure once more under a scheme that asks for everything sales can answer."""
    from bench import seed

    _publish(program, WIDE, number=2, at=seed.BEGIN + timedelta(days=1))
    with _counting() as queries:
        first, written = _night(program)
    again, unchanged = _night(program)
    return {
        "wide_questions": len(WIDE),
        "wide_per_second": round(written / first),
        "wide_unchanged_per_second": round(written / again),
        "wide_unchanged_rows_written": unchanged,
        "wide_queries": len(queries),
    }


def _one_by_one(program: Any, count: int) -> float:
    """Return the seconds a membership takes when each is measured and written alone."""
    from bench import seed
    from partners import metrics
    from partners.models import Membership, MetricSnapshot, Placement
    from tiers import schemes
    from tiers.qualify import evaluate

    scheme = schemes.in_force(program, at=seed.AFTER)
    if scheme is None:
        raise RuntimeError("There is no scheme.")
    asked, ladder = schemes.scheme_of(scheme), schemes.ladder_of(program, "")
    members = list(Membership.objects.filter(program=program).order_by("pk")[:count])
    began = time.perf_counter()
    for member in members:
        tier = Placement.objects.in_force(at=seed.AFTER).select_related("tier").get(membership=member).tier
        group = metrics.Group(program, member.pk, member.pk)
        figures = metrics.measure(group, asked, at=seed.AFTER)(member.pk)
        verdict = evaluate(asked, ladder, figures, current=tier.key)
        row = MetricSnapshot.objects.get(membership=member)
        row.outcome, row.figures, row.taken_at = verdict.outcome, metrics.stored(figures), seed.AFTER
        row.save()
    return (time.perf_counter() - began) / len(members)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _sql(statement: str, values: dict[str, Any]) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        return _timed(lambda: cursor.execute(statement, values))


@contextmanager
def _counting() -> Iterator[list[str]]:
    from django.db import connection

    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def _slug(size: int) -> str:
    return f"bench-tiers-{size}"


def _values(program: Any) -> dict[str, Any]:
    from bench import seed
    from partners.models import Membership
    from prm.lib.periods import local_day, start_of_day
    from tiers.models import Tier, TierScheme
    from tiers.qualify.windows import months_before

    members = list(Membership.objects.filter(program=program).order_by("pk").values_list("pk", flat=True))
    since = months_before(local_day(seed.AFTER, program.zone), 12)
    return {
        "members": len(members),
        "member": members[0],
        "last": members[-1],
        "since": start_of_day(since, program.zone),
        "at": seed.AFTER,
        "scheme": TierScheme.objects.published().get(program=program).pk,
        "tiers": list(Tier.objects.filter(program=program).order_by("rank").values_list("pk", flat=True)),
        "silver": SILVER,
        "gold": GOLD,
    }


def _publish(program: Any, wanted: Sequence[tuple[str, int, int]], *, number: int, at: Any) -> None:
    from bench import seed
    from tiers.models import TierScheme
    from tiers.qualify import Ask, Question, Requirement, Scheme, Window, dump

    asks = {
        key: Ask(
            tuple(
                Requirement(
                    metric, Question(metric, Window("trailing", 12)), "at_least", Fraction(thresholds[place])
                )
                for metric, *thresholds in wanted
            )
        )
        for place, key in enumerate(("silver", "gold"))
    }
    TierScheme.objects.filter(program=program).update(state="superseded")
    TierScheme.objects.create(
        program=program,
        number=number,
        state="published",
        definition=dump(Scheme(asks=asks)),
        effective_at=at,
        published_at=seed.BEGIN,
        created_at=seed.BEGIN,
    )


def _seed(size: int) -> None:
    from django.db import connection

    from bench import seed
    from partners.models import Membership, Partner
    from referrals.models import Conversion, Customer
    from tiers.models import Tier

    program, _members = seed.program(_slug(size), seed.PERCENT, 0)
    tiers = [
        Tier.objects.create(program=program, key=key, name=key, rank=rank).pk
        for rank, key in enumerate(("bronze", "silver", "gold"), start=1)
    ]
    _publish(program, WIDE[:1], number=1, at=seed.BEGIN)
    partners = Partner.objects.bulk_create(Partner(name=f"{size} {number}") for number in range(size))
    values = {
        "slug": _slug(size),
        "members": size,
        "program": program.pk,
        "begin": seed.BEGIN,
        "tiers": tiers,
        "partner": partners[0].pk,
        "member": _next(Membership),
        "customers": _next(Customer),
        "first": _next(Conversion),
    }
    for statement in (_MEMBERS, _CUSTOMERS, _CONVERSIONS, _CREDITS):
        _sql(statement, values)
    _sql(_PLACEMENTS, {**_values(program), "begin": seed.BEGIN})
    with connection.cursor() as cursor:
        for model in (Membership, Customer, Conversion):
            table = model._meta.db_table
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        cursor.execute("ANALYZE")


def _next(model: Any) -> int:
    from django.db.models import Max

    return int(model.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
