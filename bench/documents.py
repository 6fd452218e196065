"""Draw statements as PDF, beside WeasyPrint alone on the same HTML in the same process, with one worker and with two; and whether memory stays
flat over many documents."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measure import in_a_process, numbers, peak_mb

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = 60


def run(arguments: list[str]) -> dict[str, object]:
    """Draw `--n` documents with one worker and with two at once, and the same HTML with the library alone."""
    from concurrent.futures import ThreadPoolExecutor

    [count] = numbers(arguments, "--n", [100])
    _seed()
    one = in_a_process("documents", count)
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        two = list(pool.map(lambda _each: in_a_process("documents", count), range(2)))
    both = sum(each["documents_per_second"] for each in two)
    found: dict[str, Any] = {
        "one_worker": one,
        "two_workers_documents_per_second": round(both, 2),
        "two_workers_against_one": round(both / one["documents_per_second"], 2),
        "seconds_of_both": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(found), file=sys.stderr)
    return {"documents": found}


def as_json(text: str) -> str:
    """Draw one statement many times, in turn with the bare library; called in a process of its own."""
    from django.template.loader import render_to_string

    from payouts.exports import pdf
    from payouts.exports.statement_page import page_of
    from payouts.models import Statement

    count = int(text)
    statement = Statement.objects.order_by("pk").get()
    pdf.render(statement)  # fonts and style sheet are read once
    html = render_to_string("documents/statement.html", {"page": page_of(statement)})
    ours, bare, memory = 0.0, 0.0, []
    for number in range(count):
        began = time.perf_counter()
        pdf.render(statement)
        ours += time.perf_counter() - began
        if number % 5 == 0:  # in turn, so that a busy machine is busy for both
            began = time.perf_counter()
            _library(html)
            bare += time.perf_counter() - began
        if number in (count // 10, count - 1):
            memory.append(peak_mb())
    per_bare = bare / len(range(0, count, 5))
    return json.dumps(
        {
            "documents": count,
            "lines": LINES,
            "documents_per_second": round(count / ours, 2),
            "bare_library_documents_per_second": round(1 / per_bare, 2),
            "times_the_bare_library": round(ours / count / per_bare, 2),
            "peak_mb_after_a_tenth": memory[0],
            "peak_mb": memory[-1],
        }
    )


def _library(html: str) -> bytes:
    """Draw the same page as the library does when it is told nothing but the page and the style sheet."""
    import weasyprint

    from prm.documents import closed_fetcher, static_path

    fetcher = closed_fetcher()
    style = weasyprint.CSS(filename=static_path("documents/statement.css"), url_fetcher=fetcher)
    drawn: bytes = weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(stylesheets=[style])
    return drawn


def _seed() -> None:
    """Put one statement with sixty lines in place, by the product's own verbs."""
    from bench import seed
    from partners.models import Membership
    from payouts import accrual, periods, release
    from prm.accounts.models import User
    from prm.lib.periods import Month
    from referrals.models import Credit

    program, members = seed.program("documents", seed.PERCENT, 1)
    seed.events("documents", members, LINES, span=timedelta(days=10))
    Credit.objects.filter(membership__in=members).update(attributed_at=seed.BEGIN)
    accrual.sweep(at=AT)
    member = Membership.objects.select_related("program").get(pk=members[0])
    release.release_due(at=AT)
    periods.close(program, Month(2026, 1), by=User.objects.get(email="bench@halden.example"), at=AT)
    assert member.statements.get().line_count  # a statement without lines would measure nothing
