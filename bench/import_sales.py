"""Import a large file of order lines by a mapping, then the same file again: lines a second and peak memory, each in a process of its own.
The limit beside it is reading the same lines as CSV and doing nothing."""

from __future__ import annotations

import csv
import gzip
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.measure import in_a_process, numbers, peak_mb

SOURCE = "bench"
COPIES = 3  # of the demo's file, when no other is given: each with event ids of its own


def run(arguments: list[str]) -> dict[str, object]:
    """Import the file given after `--file` (else the demo's, three times over), at most `--n` lines of it."""
    given = arguments[arguments.index("--file") + 1] if "--file" in arguments else ""
    [most] = numbers(arguments, "--n", [10**9])
    with tempfile.TemporaryDirectory(prefix="prm-bench-import-") as folder:
        path = Path(folder) / "sales.csv"
        lines = _write(path, given, most)
        _house()
        found: list[dict[str, Any]] = []
        for name in ("first", "second"):
            each = {"import": name, "lines": lines, **in_a_process("import_sales", path)}
            found.append(each)
            print(json.dumps(each), file=sys.stderr)
    if found[1]["created"] or not found[1]["changes_nothing"]:
        raise RuntimeError("The second import of the same file changed something.")
    return {"import": found}


def as_json(path: str) -> str:
    """Import the file once and return what it cost; called in a process of its own."""
    from django.utils import timezone

    from prm.runs.progress import Reporter
    from referrals import imports, mapping_memory, sales_mapped

    before = peak_mb()
    bare = _bare(path)
    with Path(path).open("rb") as stream:
        delimiter, header, rows = sales_mapped.look(stream)
        told = mapping_memory.suggest(SOURCE, header, rows, delimiter=delimiter)
        result = imports.import_file(
            stream, source=SOURCE, at=timezone.now(), reporter=Reporter(), mapping=told
        )
    return json.dumps(
        {
            "created": result.created,
            "known": result.replayed,
            "failed": result.failed,
            "faults": [str(each) for each in result.errors[:3]],
            "changes_nothing": result.changes_nothing,
            "seconds": round(result.seconds, 1),
            "lines_per_second": round(result.rows / result.seconds),
            "times_bare_reading": round(result.seconds / bare, 1),
            "peak_mb": peak_mb(),
            "grown_mb": peak_mb() - before,
        }
    )


def _bare(path: str) -> float:
    began = time.perf_counter()
    with Path(path).open(encoding="utf-8", newline="") as stream:
        for _row in csv.reader(stream):
            pass
    return time.perf_counter() - began


def _write(path: Path, given: str, most: int) -> int:
    """Write the lines to be imported as plain CSV and return how many there are."""
    source = (
        Path(given) if given else Path(__file__).resolve().parents[1] / "demo/online_retail/orders.csv.gz"
    )
    written = 0
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        for copy in range(1 if given else COPIES):
            with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
                lines = csv.reader(stream)
                header = next(lines)
                if not copy:
                    writer.writerow(header)
                ids = [header.index(name) for name in ("event_id", "original_event_id") if name in header]
                for cells in lines:
                    if written == most:
                        return written
                    for place in ids:
                        cells[place] = f"{cells[place]}.{copy}" if copy and cells[place] else cells[place]
                    writer.writerow(cells)
                    written += 1
    return written


def _house() -> None:
    """Put the demo's programs, partners and codes in place, so that lines find somebody to be credited to."""
    from datetime import timedelta

    from django.utils import timezone

    from demo import build, dataset

    now = dataset.moment_after(timezone.now(), timedelta(0))
    build.Build(now=now, shift=timedelta(0), tell=lambda line: None).people_and_programs()
