"""Open the report of the heaviest partner with any number of conversions behind it, on PostgreSQL: the page's queries, time and blocks, beside the
same figures grouped from the raw rows in the same run. Rows are put in place by SQL, and counted into daily totals by the worker's own code."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measure import in_a_process, numbers, peak_mb

SIZES = (10_000, 100_000, 1_000_000)
MEMBERS, LINKS, DAYS = 20, 200, 364
OPENED = 15  # times each page is opened; the median counts
PAGES = {
    "a year by link": "?by=link&period=365d",
    "a year by day": "?period=365d",
    "a month by country": "?by=country",
}
# One click before each conversion. The first member has half of everything, over all its links.
_CLICKS = """
INSERT INTO referrals_click (click_id, kind, link_id, visitor, clicked_at, referrer_host, sub_id, sub2, sub3, sub4, sub5, campaign,
    country, ad_parameter, address_hash, agent_hash)
SELECT lpad(%(slug)s || n, 26, '0'), 'person', (%(links)s)[1 + CASE WHEN n %% 2 = 0 THEN n / 2 %% %(heavy)s ELSE %(heavy)s + n %% %(others)s END],
    lpad((n %% 50000)::text, 26, '0'), %(begin)s + n * (interval '364 days' / %(count)s), '', 's' || n %% 40, '', '', '', '',
    'c' || n %% 25, (ARRAY['FR', 'GB', 'DE', 'PL', 'US'])[1 + n %% 5], '', '', ''
FROM generate_series(0::bigint, %(count)s - 1) AS n
"""
_CONVERSIONS = """
INSERT INTO referrals_conversion (public_id, source, external_id, kind, state, occurred_at, recorded_at, country, amount_minor, currency,
    code_text, click_id, product, category, quantity, tax_minor, shipping_minor, discount_minor, cost_minor, sub_id, campaign, channel,
    lead_key, payment_key, address_hash, deal_key, attributes, original_external_id, payload_sha256)
SELECT 'cnv_' || click_id, %(slug)s, click_id, 'sale', 'recorded', clicked_at + interval '1 minute', clicked_at, country,
    500 + id * 7919 %% 49501, 'GBP', '', click_id, 'p' || id %% 30, '', 1, 0, 0, 0, 0, '', '', 'api', '', '', '', '', '{}', '', ''
FROM referrals_click WHERE link_id = ANY(%(links)s)
"""
_CREDITS = """
INSERT INTO referrals_credit (conversion_id, membership_id, role, share, reason, click_id, occurred_at, attributed_at, rated_at)
SELECT v.id, l.membership_id, 'sourced', 1, 'last_click', c.id, v.occurred_at, v.recorded_at, v.recorded_at
FROM referrals_conversion v JOIN referrals_click c ON c.click_id = v.click_id JOIN referrals_link l ON l.id = c.link_id
WHERE v.source = %(slug)s
"""
_RAW = """
SELECT l.public_id, count(*) AS clicks, count(DISTINCT c.visitor), sum(s.sales), sum(s.minor)
FROM referrals_click c JOIN referrals_link l ON l.id = c.link_id LEFT JOIN (
    SELECT r.click_id, count(*) AS sales, sum(v.amount_minor) AS minor FROM referrals_credit r
    JOIN referrals_conversion v ON v.id = r.conversion_id
    WHERE r.membership_id = %(member)s AND r.superseded_at IS NULL AND r.role <> 'assisted' AND v.state <> 'rejected'
        AND r.occurred_at >= %(begin)s GROUP BY 1) s ON s.click_id = c.id
WHERE l.membership_id = %(member)s AND c.kind = 'person' AND c.clicked_at >= %(begin)s GROUP BY 1 ORDER BY 5 DESC
"""


def run(arguments: list[str]) -> dict[str, object]:
    """Measure every size, the smallest first, and compare each with the first."""
    found: list[dict[str, Any]] = []
    for size in numbers(arguments, "--n", SIZES):
        _seed(size)
        each = in_a_process("reports", size)
        found.append(each)
        for name, facts in each["pages"].items():
            first = found[0]["pages"][name]
            facts["time_against_the_first_size"] = round(facts["ms"] / first["ms"], 2)
            facts["blocks_against_the_first_size"] = round(facts["blocks"] / max(first["blocks"], 1), 2)
        print(json.dumps(each), file=sys.stderr)
    return {"reports": found}


def as_json(size: str) -> str:
    """Return what one size costs; called in a process of its own."""
    from django.conf import settings
    from django.test import Client
    from django.test.utils import override_settings

    from partners.models import Member
    from payouts.models import DailyTotal

    member = Member.objects.select_related("user").get(partner__name=f"{_slug(int(size))} 0")
    membership = member.partner.memberships.get()
    counted, days = _count()
    client = Client()
    client.force_login(member.user)
    raw = min(_sql(_RAW, {"member": membership.pk, "begin": _begin()}) for _time in range(3))
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(ALLOWED_HOSTS=["*"], STORAGES={**settings.STORAGES, **plain}):
        pages = {name: _page(client, query) for name, query in PAGES.items()}
    return json.dumps(
        {
            "conversions": int(size),
            "of_the_heaviest": int(size) // 2,
            "days_counted": days,
            "counting_seconds": round(counted, 2),
            "counted_per_second": round(2 * int(size) / counted),
            "daily_rows_of_the_heaviest": DailyTotal.objects.filter(membership=membership).count(),
            "raw_ms": round(raw * 1000, 1),
            "pages": {
                name: {**facts, "raw_times_the_page": round(raw * 1000 / facts["ms"], 2)}
                for name, facts in pages.items()
            },
            "peak_mb": peak_mb(),
        }
    )


def _count() -> tuple[float, int]:
    from payouts.reports import keeping

    began = time.perf_counter()
    days = keeping.work(until=lambda: False)
    seconds = time.perf_counter() - began
    _sql("ANALYZE payouts_dailytotal", {})
    return seconds, days


def _page(client: Any, query: str) -> dict[str, Any]:
    url = f"/portal/reports/{query}"
    with _listening() as asked:
        answer = client.get(url)
    if answer.status_code != 200 or b"report-rows" not in answer.content:
        raise RuntimeError(f"{url} answered {answer.status_code}, or shows nothing.")
    own = [each for each in asked if "payouts_dailytotal" in each[0] or '"referrals_link"' in each[0]]
    times = []
    for _time in range(OPENED):
        began = time.perf_counter()
        client.get(url)
        times.append(time.perf_counter() - began)
    return {
        "queries": len(asked),
        "queries_of_the_report": len(own),
        "ms": round(statistics.median(times) * 1000, 1),
        "blocks": sum(_blocks(*each) for each in own),
    }


@contextmanager
def _listening() -> Iterator[list[tuple[str, Any]]]:
    from django.db import connection

    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield asked


def _blocks(sql: str, params: Any) -> int:
    """Return how many blocks of tables and indexes a query looks at."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        [[plan]] = cursor.fetchall()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _sql(statement: str, values: dict[str, Any]) -> float:
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    return time.perf_counter() - began


def _slug(size: int) -> str:
    return f"r{size}"


def _begin() -> datetime:
    """Return the first midnight of the year that ends today."""
    now = datetime.now(UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)


def _seed(size: int) -> None:
    from bench import seed
    from partners.models import Member, Membership
    from prm.accounts.models import User
    from referrals.marks import mark
    from referrals.models import Link

    program, members = seed.program(_slug(size), seed.PERCENT, MEMBERS)
    heaviest = Membership.objects.get(pk=members[0])
    user = User.objects.create(email=f"{_slug(size)}@partner.example", full_name="Bench Partner")
    Member.objects.create(partner=heaviest.partner, user=user, role="owner", joined_at=_begin())
    owners = [members[0]] * LINKS + members[1:]
    links = Link.objects.bulk_create(
        Link(
            membership_id=owner,
            slug=f"{_slug(size)}-{number}",
            label=f"Link {number}",
            destination_url="https://shop.halden.example/",
            created_at=_begin(),
        )
        for number, owner in enumerate(owners)
    )
    values = {
        "slug": _slug(size),
        "links": [link.pk for link in links],
        "heavy": LINKS,
        "others": MEMBERS - 1,
        "begin": _begin(),
        "count": size,
    }
    for statement in (
        _CLICKS,
        _CONVERSIONS,
        "ANALYZE referrals_click, referrals_conversion",
        _CREDITS,
        "ANALYZE",
    ):
        _sql(statement, values)
    mark((program.pk, (_begin() + timedelta(days=number)).date()) for number in range(DAYS + 1))
