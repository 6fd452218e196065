"""Write every line of a month as CSV and XLSX, beside COPY TO of the same query into nothing and beside the library's own streaming
writer. Each size runs in a process of its own; sums are compared with the ledger's."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from decimal import Decimal
from typing import Any

from bench.measure import in_a_process, numbers, peak_mb

SIZES = (20_000, 100_000)
_LIBRARY_ROWS = 20_000  # the library is slow: its speed does not depend on the length


def run(arguments: list[str]) -> dict[str, object]:
    """Write every size and compare speed and memory between them."""
    from bench.close import _seed
    from payouts import periods
    from prm.accounts.models import User
    from prm.lib.periods import Month
    from tiers.models import Program

    found: list[dict[str, Any]] = []
    for size in numbers(arguments, "--n", SIZES):
        members = max(size // 2000, 1)
        _seed(members, size // members * 40 // 39 + 1)
        from datetime import timedelta

        from bench import seed

        program = Program.objects.get(slug=f"close-{members}")
        by = User.objects.get(email="bench@halden.example")
        periods.close(program, Month(2026, 1), by=by, at=seed.BEGIN + timedelta(days=40))
        for kind in ("csv", "xlsx"):
            each = in_a_process("export", program.slug, kind)
            first = next((one for one in found if one["format"] == kind), each)
            each["grown_mb_against_the_first"] = each["peak_mb"] - first["peak_mb"]
            found.append(each)
            print(json.dumps(each), file=sys.stderr)
    return {"export": found}


class _Nothing(io.RawIOBase):
    """Takes bytes and forgets them."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return len(data)


def as_json(slug: str, kind: str) -> str:
    """Write one file and return what it cost; called in a process of its own."""
    from payouts.exports import lines
    from payouts.models import Entry, Period

    period = Period.objects.select_related("program").get(program__slug=slug, year=2026, month=1)
    before = peak_mb()
    writer = {"csv": lines.write_csv, "xlsx": lines.write_xlsx}[kind]
    with tempfile.TemporaryFile() as target:
        began = time.perf_counter()
        manifest = writer(period, target)
        seconds = time.perf_counter() - began
    peak = peak_mb()
    bare = _bare(period)
    released = sum(
        Entry.objects.filter(transaction__period=period, transaction__kind="release").values_list(
            "amount_minor", flat=True
        )
    )
    if manifest.total_minor != released:
        raise RuntimeError(f"The file adds up to {manifest.total_minor} and the ledger to {released}.")
    found = {
        "format": kind,
        "rows": manifest.rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(manifest.rows / seconds),
        "copy_to_nothing_rows_per_second": round(manifest.rows / bare),
        "share_of_copy": round(bare / seconds, 2),
        "peak_mb": peak,
        "grown_mb": peak - before,
    }
    if kind == "xlsx":
        rate = _library(period)
        found["library_rows_per_second"] = round(rate)
        found["times_the_library"] = round(manifest.rows / seconds / rate, 1)
    return json.dumps(found)


def _bare(period: Any) -> float:
    """Copy the stored columns into nothing, without a format: what the database alone takes."""
    from django.db import connection

    from payouts.exports import lines

    query = lines._select_plain() + lines._FROM.format(period=period.pk)
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", _Nothing())
        return time.perf_counter() - began


def _library(period: Any) -> float:
    """Return the rows a second of XlsxWriter's own streaming mode on the same rows."""
    import itertools

    import xlsxwriter
    from django.db import transaction

    from payouts.exports import lines

    with transaction.atomic():
        rows = list(itertools.islice(lines._rows(period, 2, is_neutral=False), _LIBRARY_ROWS))
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        began = time.perf_counter()
        with xlsxwriter.Workbook(file.name, {"constant_memory": True, "strings_to_formulas": False}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if column in lines._NUMBERS:
                        sheet.write_number(number, column, Decimal(value))
                    else:
                        sheet.write_string(number, column, value)
        return len(rows) / (time.perf_counter() - began)
