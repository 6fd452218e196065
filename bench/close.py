"""Close a month of any size on PostgreSQL, statements without documents: lines a second, memory, and what a membership costs, beside one bare
INSERT … SELECT of the same statement lines and entries. What is closed is put in place by SQL."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

from bench.measure import bare_copy, in_a_process, numbers, peak_mb

SIZES = (100, 1000)
LINES = 100
_COMMISSIONS = """
INSERT INTO payouts_commission (public_id, key, credit_id, conversion_id, membership_id, plan_version_id, rule_key, kind, "window",
    customer_key, volume, base_minor, rate, flat_minor, amount_minor, currency, because, effective_at, period_id, payable_at, state,
    pause_reason, accrued_in_id, computed_at)
SELECT 'com_bench_' || c.id, 'bench:' || c.id, c.id, v.id, c.membership_id, %(version)s, 'ten', 'earned', '',
    '', 0, v.amount_minor, 10, 0, v.amount_minor / 10, 'GBP', '{}', v.occurred_at, %(period)s, v.occurred_at, 'on_hold',
    '', t.id, v.occurred_at
FROM referrals_credit c JOIN referrals_conversion v ON v.id = c.conversion_id
JOIN payouts_transaction t ON t.key = 'bench:' || c.membership_id
WHERE v.kind = 'sale' AND c.membership_id = ANY(%(members)s)
"""
_EARNED = """
SELECT c.membership_id, sum(v.amount_minor / 10) FROM referrals_credit c JOIN referrals_conversion v ON v.id = c.conversion_id
WHERE v.kind = 'sale' AND c.membership_id = ANY(%s) GROUP BY 1
"""


def run(arguments: list[str]) -> dict[str, object]:
    """Close every size, the smallest first, and compare what a membership costs."""
    [lines] = numbers(arguments, "--lines", [LINES])
    found: list[dict[str, Any]] = []
    for size in numbers(arguments, "--n", SIZES):
        _seed(size, lines)
        each = in_a_process("close", size)
        found.append(each)
        each["cost_per_membership_against_the_first"] = round(
            each["ms_per_membership"] / found[0]["ms_per_membership"], 2
        )
        print(json.dumps(each), file=sys.stderr)
    return {"close": found}


def as_json(size: str) -> str:
    """Close the month that is seeded and return what it cost; called in a process of its own."""
    from bench import seed
    from payouts import periods, reconciliation
    from payouts.models import Statement, StatementLine
    from prm.accounts.models import User
    from prm.lib.periods import Month
    from tiers.models import Program

    program = Program.objects.get(slug=_slug(int(size)))
    by = User.objects.get(email="bench@halden.example")
    before = peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    period = periods.close(program, Month(2026, 1), by=by, at=seed.BEGIN + timedelta(days=40))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    lines = StatementLine.objects.filter(statement__period=period).count()
    members = Statement.objects.filter(period=period).count()
    if reconciliation.check():
        raise RuntimeError("The books do not agree after the close.")
    peak = peak_mb()
    mine = f"(SELECT id FROM payouts_statement WHERE period_id = {period.pk})"
    rows, bare_seconds = bare_copy("payouts_statementline", f"statement_id IN {mine}")
    return json.dumps(
        {
            "memberships": members,
            "lines": lines,
            "seconds": round(seconds, 2),
            "lines_per_second": round(lines / seconds),
            "ms_per_membership": round(seconds / members * 1000, 2),
            "cpu_ms_per_membership": round(cpu_seconds / members * 1000, 2),
            "bare_rows_per_second": round(rows / bare_seconds),
            "times_the_bare_insert": round(seconds / bare_seconds, 1),
            "peak_mb": peak,
            "grown_mb": peak - before,
        }
    )


def _slug(size: int) -> str:
    return f"close-{size}"


def _seed(size: int, lines: int) -> None:
    """Put a month of booked lines in place whose hold is over: `lines` sales for each of `size` memberships."""
    from django.db import connection, transaction

    from bench import seed
    from partners.models import Membership
    from payouts import ledger
    from payouts.calendar import month_of
    from payouts.choices import AccountKind, TransactionKind
    from payouts.models import Period
    from prm.lib.money import Money
    from prm.lib.periods import Month
    from referrals.models import Credit
    from tiers.models import PlanVersion

    program, members = seed.program(_slug(size), seed.PERCENT, size)
    seed.events(_slug(size), members, size * lines, span=timedelta(days=29))
    period: Period = month_of(program, Month(2026, 1))
    version = PlanVersion.objects.get(plan__program=program)
    expense = ledger.program_account(program, AccountKind.EXPENSE)
    for start in range(0, size, 500):
        chunk = members[start : start + 500]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_EARNED, [chunk])
            earned = dict(cursor.fetchall())
            known = Membership.objects.filter(pk__in=chunk).select_related("program").order_by("pk")
            accounts = ledger.accounts_of(known, [AccountKind.PENDING])
            ledger.post_many(
                [
                    ledger.Posting(
                        key=f"bench:{pk}",
                        kind=TransactionKind.ACCRUAL,
                        period=period,
                        effective_at=seed.BEGIN,
                        moves=ledger.shift(
                            down=expense,
                            up=accounts[pk, AccountKind.PENDING],
                            amount=Money(int(earned[pk]), "GBP"),
                        ),
                    )
                    for pk in chunk
                ],
                at=seed.BEGIN,
            )
            cursor.execute(_COMMISSIONS, {"version": version.pk, "period": period.pk, "members": chunk})
            Credit.objects.filter(membership__in=chunk).update(rated_at=seed.BEGIN)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
