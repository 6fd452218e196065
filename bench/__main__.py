"""Reproducible benchmarks: `python -m bench`. Each figure stands beside a bare limit measured in the same run, because seconds say
more about the machine than about us; the ratio is what to compare.

With DATABASE_URL set it runs there, in a database that must be empty; without, in a throw-away SQLite file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import timedelta


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="prm-bench-") as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prm.settings")
        os.environ["PRM_VAR"] = folder
        import django

        django.setup()
        from django.core.management import call_command

        from prm.accounts.models import User

        call_command("migrate", verbosity=0, interactive=False)
        if User.objects.exists():
            print("This database is not empty; a benchmark needs one of its own.", file=sys.stderr)
            return 2
        result = year()
        print(json.dumps(result, indent=2) if "--json" in sys.argv else "")
    return 0


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
