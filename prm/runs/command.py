"""The common frame of commands that take long. Exit codes: 0 done, 1 failed, 2 wrong use, 3 done with row errors, 4 already running."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from prm.lib.errors import Refused
from prm.runs import lifecycle, working
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Outlet, Reporter
from prm.runs.terminal import Bar, Lines

OK, FAILED, USAGE, ROW_ERRORS, ALREADY_RUNNING = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class Plan:
    """What a command is about to do, as the row of its run will say it."""

    kind: str
    title: str
    subject: str = ""
    phases: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


class UsageError(CommandError):
    """An argument makes no sense; nothing was done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=USAGE)


class RunCommand(BaseCommand):
    """A management command with progress, `--json` and exit codes; subclasses write `plan` and `work`.

    `add_arguments` of a subclass calls this one's first. `work` gets a reporter and the options and returns what the
    final JSON object shall hold. With `--dry-run` no run is recorded, and `work` undoes what it did.
    """

    has_dry_run = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options all long commands share."""
        parser.add_argument("--json", action="store_true", help="Print one JSON object with the result.")
        parser.add_argument("--no-progress", action="store_true", help="One line every ten seconds, no bar.")
        parser.add_argument(
            "--by", metavar="EMAIL", help="The person of the staff in whose name this is done."
        )
        if self.has_dry_run:
            parser.add_argument(
                "--dry-run", action="store_true", help="Show what would be done, and do nothing."
            )

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Return what is about to be done. Raises UsageError."""
        raise NotImplementedError

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do it, and return the figures to print."""
        raise NotImplementedError

    def summary(self, result: Mapping[str, Any]) -> str:
        """Return the sentence printed at the end when `--json` was not asked for."""
        return "  ".join(f"{name}: {value}" for name, value in result.items())

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command and turn its end into an exit code."""
        plan = self.plan(options)
        outlet = self._outlet(options)
        try:
            state, result = (
                self._dry(outlet, options) if options.get("dry_run") else self._real(plan, outlet, options)
            )
        except lifecycle.AlreadyRunning as refusal:
            self._print(options, {"state": "already_running", "error": str(refusal)})
            raise CommandError(str(refusal), returncode=ALREADY_RUNNING) from refusal
        except Refused as refusal:
            self._print(options, {"state": "failed", "error": str(refusal), "code": refusal.code})
            raise CommandError(str(refusal), returncode=FAILED) from refusal
        self._print(options, {"state": state, **result})
        if state == RunState.CANCELLED:
            raise CommandError("Stopped on request; what was done is kept.", returncode=FAILED)
        if state == RunState.FINISHED_WITH_ERRORS:
            raise CommandError("Done, but some rows were not taken.", returncode=ROW_ERRORS)

    def person(self, options: Mapping[str, Any]) -> Any:
        """Return the person named by `--by`, None when nobody is. Raises UsageError for an unknown address."""
        from django.contrib.auth import get_user_model

        if not options.get("by"):
            return None
        users = get_user_model()
        try:
            return users._default_manager.get_by_natural_key(options["by"])
        except users.DoesNotExist:
            raise UsageError(f"Nobody signs in with {options['by']}.") from None

    def _real(self, plan: Plan, outlet: Outlet, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        run = lifecycle.start(
            plan.kind,
            title=plan.title,
            subject=plan.subject,
            phases=plan.phases,
            parameters=plan.parameters,
            by=self.person(options),
            at=timezone.now(),
            inline=True,
        )
        run = working.work_here(run, lambda reporter: self.work(reporter, options), outlet=outlet)
        return run.state, {**_facts(run), **run.result}

    def _dry(self, outlet: Outlet, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        reporter = Reporter(outlet=outlet)
        result = self.work(reporter, options)
        reporter.finish()
        state = RunState.FINISHED_WITH_ERRORS if reporter.failed_in_all else RunState.FINISHED
        return state, {"dry_run": True, "failed": reporter.failed_in_all, **reporter.extra, **result}

    def _outlet(self, options: Mapping[str, Any]) -> Outlet:
        stream: Any = self.stderr
        on_terminal = stream.isatty() and not options.get("no_progress")
        # The wrapper ends each write with a newline and may colour it red; a bar needs the bare stream.
        bare = getattr(stream, "_out", stream)
        return Bar(bare) if on_terminal else Lines(bare)

    def _print(self, options: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        if options.get("json"):
            self.stdout.write(json.dumps(result, cls=DjangoJSONEncoder, ensure_ascii=False))
        elif "error" not in result:
            self.stdout.write(self.summary(result))


def _facts(run: Run) -> dict[str, Any]:
    took = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0
    return {
        "run": run.public_id,
        "kind": run.kind,
        "failed": run.failed,
        "skipped": run.skipped,
        "seconds": round(took, 3),
    }


__all__ = ["Plan", "RunCommand", "UsageError"]
