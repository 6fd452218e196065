"""Reproducible benchmarks: `python -m bench`. Each figure stands beside a bare limit measured in the same run, because seconds say
more about the machine than about us; the ratio is what to compare.

    python -m bench                                      the real year, imported, rated and closed
    python -m bench engine                               rating alone
    tools/with_services.py python -m bench reconcile --n 10000,100000,1000000
    tools/with_services.py python -m bench close --n 100,1000,10000 --lines 100
    tools/with_services.py python -m bench export --n 20000,1000000
    tools/with_services.py python -m bench tiers --n 1000,10000,100000
    tools/with_services.py python -m bench ingest --batches 20 --singles 1000
    python -m bench import --file FILE.csv.gz --n 100000
    tools/with_services.py python -m bench reports --n 10000,100000,1000000
    python -m bench documents --n 200
    tools/with_services.py python -m bench redirect --seconds 3

With DATABASE_URL set it runs there, in a database that must be empty; without, in a throw-away SQLite file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module


def main() -> int:
    arguments = sys.argv[1:]
    name = arguments[0] if arguments and not arguments[0].startswith("-") else "year"
    name = "import_sales" if name == "import" else name  # a module cannot be named by the shorter word
    if name not in BENCHES:
        print(f"There is no benchmark {name}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="prm-bench-") as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prm.settings")
        # A process that a benchmark starts works in the folder of the one that started it.
        os.environ["PRM_VAR"] = os.environ.setdefault("PRM_BENCH_FOLDER", folder)
        import django

        django.setup()
        if "--one" in arguments:  # a process that a benchmark has started
            module = import_module(f"bench.{name}")
            print(module.as_json(*arguments[arguments.index("--one") + 1 :]))
            return 0
        if name != "engine" and not _is_ready(name):
            return 2
        result = BENCHES[name](arguments)
        print(json.dumps(result, indent=2) if "--json" in arguments or name != "year" else "")
    return 0


def _is_ready(name: str) -> bool:
    """Prepare the database a benchmark needs, and say why it cannot be used."""
    from django.core.management import call_command
    from django.db import connection

    from prm.accounts.models import User

    call_command("migrate", verbosity=0, interactive=False)
    if User.objects.exists():
        print("This database is not empty; a benchmark needs one of its own.", file=sys.stderr)
        return False
    if name in NEEDS_POSTGRESQL and connection.vendor != "postgresql":
        print("This benchmark needs PostgreSQL: start it by tools/with_services.py.", file=sys.stderr)
        return False
    return True


def _module(name: str) -> Callable[[list[str]], dict[str, object]]:
    def run(arguments: list[str]) -> dict[str, object]:
        found: dict[str, object] = import_module(f"bench.{name}").run(arguments)
        return found

    return run


def _year(arguments: list[str]) -> dict[str, object]:
    return year()


NEEDS_POSTGRESQL = frozenset({"ingest", "reconcile", "close", "export", "tiers", "reports"})
BENCHES: dict[str, Callable[[list[str]], dict[str, object]]] = {
    "year": _year,
    **{
        name: _module(name)
        for name in (
            "engine",
            "reconcile",
            "close",
            "export",
            "tiers",
            "documents",
            "redirect",
            "ingest",
            "import_sales",
            "reports",
        )
    },
}


def year() -> dict[str, object]:
    """Import, rate and close the real year, and put the same rows bare into the same database."""
    from django.utils import timezone

    from demo import bare, build, dataset
    from payouts.models import Commission, StatementLine
    from referrals.models import Conversion

    now = dataset.moment_after(timezone.now(), timedelta(0))
    made = build.Build(now=now, shift=timedelta(0), tell=lambda line: print(line, file=sys.stderr))
    made.all()
    wrong = build.differences(timedelta(0))
    limits = {"import": Conversion, "commission": Commission, "months and payments": StatementLine}
    found: dict[str, object] = {"books_agree_with_the_file": not wrong}
    for stage in made.stages:
        facts: dict[str, object] = {
            "things": stage.count,
            "seconds": round(stage.seconds, 2),
            "per_second": stage.per_second,
            "peak_mb": stage.peak_mb,
        }
        if stage.name in limits:
            limit = bare.insert(limits[stage.name])
            facts["bare_rows_per_second"] = limit.per_second
            facts["times_the_bare_insert"] = (
                round(stage.seconds / limit.seconds, 1) if limit.seconds else None
            )
        found[stage.name] = facts
        print(f"{stage.name}: {facts}", file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
