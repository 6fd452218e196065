"""Encrypt every encrypted column again with the first key of PRM_FIELD_KEYS. Exit codes: 0 everything is under the current key, 3 some
values are opened by no key given and stayed as they are, 4 another rotation is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from prm.lib import rotation
from prm.runs.command import Plan, RunCommand
from prm.runs.progress import Reporter

PHASE = "values"


class Command(RunCommand):
    """`manage.py rotate_keys`."""

    help = (
        "Encrypt account numbers and other secrets again with the first key of PRM_FIELD_KEYS. Put a new key in front, restart"
        " every process, then run this; it can be stopped and started again. Keep the last key of the ring for ever: the"
        " indexes that recognise one account at two partners are made with it."
    )
    has_dry_run = True

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Name the work."""
        return Plan(kind="prm.rotate_keys", title="Rotate keys", subject="all", phases=[PHASE])

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rotate column by column."""
        fields = list(rotation.columns())
        reporter.phase(PHASE, total=sum(rotation.count(field) for field in fields))
        done = [_rotate(field, reporter, dry_run=options["dry_run"]) for field in fields]
        return {
            "rotated": sum(each.rotated for each in done),
            "current": sum(each.current for each in done),
            "unreadable": sum(each.unreadable for each in done),
            "columns": [asdict(each) for each in done],
        }

    def summary(self, result: Mapping[str, Any]) -> str:
        """Say what became of each column."""
        verb = "to rotate" if result.get("dry_run") else "rotated"
        lines = [
            f"{each['table']}.{each['column']}: {each['rotated']} {verb}, {each['current']} under the current key,"
            f" {each['unreadable']} unreadable"
            for each in result.get("columns", ())
        ]
        return "\n".join(lines)


def _rotate(field: Any, reporter: Reporter, *, dry_run: bool) -> rotation.Rotated:
    told = [0, 0]

    def tell(now: rotation.Rotated) -> None:
        reporter.advance(now.done - told[0], failed=now.unreadable - told[1])
        told[:] = [now.done, now.unreadable]

    return rotation.rotate(field, tell=tell, dry_run=dry_run)
