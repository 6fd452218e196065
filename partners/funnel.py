"""Count the way from opening a program page to being approved, by program and by the link somebody came by. Nothing of it names a person,
and what staff entered by hand, who visited nothing, is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.application_forms import definition
from partners.application_forms.definition import AUDIENCE, CHECK, STEPS, TYPE, YOU
from partners.choices import ApplicationState
from partners.models import AbandonedDraft, Application, FormVersion, ProgramVisit, RecruitingLink
from prm.lib.cells import formula_safe
from prm.lib.periods import start_of_day
from tiers.models import Program

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

VISITS, STARTED, SUBMITTED, CONFIRMED, APPROVED = "visits", "started", "submitted", "confirmed", "approved"
_PASSED = {step: f"passed_{step}" for step in (TYPE, YOU, AUDIENCE)}
STAGES: tuple[tuple[str, StrOrPromise], ...] = (
    (VISITS, gettext_lazy("Visits")),
    (STARTED, gettext_lazy("Started")),
    (_PASSED[TYPE], gettext_lazy("Kind of partnership chosen")),
    (_PASSED[YOU], gettext_lazy("About you filled in")),
    (_PASSED[AUDIENCE], gettext_lazy("Audience or company filled in")),
    (SUBMITTED, gettext_lazy("Sent")),
    (CONFIRMED, gettext_lazy("E-mail confirmed")),
    (APPROVED, gettext_lazy("Approved")),
)
KEYS = tuple(key for key, _label in STAGES)
_USUAL_STEPS = (YOU, AUDIENCE, CHECK)  # of applications that are older than forms
HEADER = ("program", "source", "link", *KEYS)


@dataclass(frozen=True)
class Row:
    """One way into one program; `key` is the word of its link, nothing for those who came by none."""

    program: Program
    key: str
    source: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    """One stage with how many reached it, and which part of the stage before; None where nothing was before."""

    key: str
    label: StrOrPromise
    count: int
    tenths: int | None

    @property
    def share(self) -> Decimal | None:
        """Return the part as a fraction of one."""
        return None if self.tenths is None else Decimal(self.tenths).scaleb(-3)


def read(programs: Sequence[Program], *, first: date, last: date) -> list[Row]:
    """Return what happened from `first` to `last`, days of each program's own zone: visits of these days and applications begun on
    them, however far those have come since."""
    counted: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    opened = ProgramVisit.objects.filter(program__in=programs, visited_on__range=(first, last))
    for program_id, key, total in opened.values_list("program_id", "source_key").annotate(Sum("count")):
        counted[program_id, key][VISITS] = total
    for found in _begun(programs, first, last):
        row = counted[found["program_id"], found["source_link__key"] or ""]
        for stage in KEYS[1:]:
            row[stage] = row.get(stage, 0) + found.get(stage, 0)
    names = _names(programs)
    known = {program.pk: program for program in programs}
    rows = [
        Row(known[pk], key, names.get((pk, key), _("No link")), tuple(row.get(stage, 0) for stage in KEYS))
        for (pk, key), row in counted.items()
    ]
    return sorted(
        rows, key=lambda row: (row.program.name, row.program.pk, -row.counts[0], row.source, row.key)
    )


def stages(rows: Sequence[Row]) -> list[Stage]:
    """Return the stages of all rows together, each with its part of the one before."""
    totals = [sum(row.counts[number] for row in rows) for number in range(len(STAGES))]
    return [
        Stage(key, label, total, _tenths(total, totals[number - 1]) if number else None)
        for number, ((key, label), total) in enumerate(zip(STAGES, totals, strict=True))
    ]


def cells(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the rows as text for a file; what people wrote is no formula."""
    for row in rows:
        named = (row.program.name, row.source, row.key)
        yield (*(formula_safe(text) for text in named), *(str(count) for count in row.counts))


def _begun(programs: Sequence[Program], first: date, last: date) -> Iterator[dict[str, Any]]:
    """Return how far the applications of these days came, by program and link."""
    days = Q(pk__in=[])
    for program in programs:
        begins = start_of_day(first, program.zone)
        ends = start_of_day(date.fromordinal(last.toordinal() + 1), program.zone)
        days |= Q(program=program, created_at__gte=begins, created_at__lt=ends)
    sent = Q(submitted_at__isnull=False)
    approved = sent & Q(state=ApplicationState.APPROVED)
    confirmed = (sent & Q(email_confirmed_at__isnull=False)) | approved
    counts = {
        STARTED: Count("pk"),
        SUBMITTED: Count("pk", filter=sent),
        CONFIRMED: Count("pk", filter=confirmed),
        APPROVED: Count("pk", filter=approved),
    }
    rows = Application.objects.filter(days, entered_at=None).order_by()
    counted = rows.values("program_id", "source_link__key", "form_id", "furthest_step").annotate(**counts)
    groups: list[dict[str, Any]] = [dict(row) for row in counted]
    groups += _never_sent(programs, first, last)
    steps = _steps({group["form_id"] for group in groups})
    for group in groups:
        found = dict(group)
        asked = steps.get(found["form_id"], _USUAL_STEPS)
        for step, name in _PASSED.items():
            # Whoever has sent an application has passed every step, by whatever form.
            passed = found["furthest_step"] >= _number_up_to(step, asked)
            found[name] = found[STARTED] if passed else found[SUBMITTED]
        yield found


def _never_sent(programs: Sequence[Program], first: date, last: date) -> Iterator[dict[str, Any]]:
    """Return the applications begun on these days that were deleted because nobody sent them."""
    rows = AbandonedDraft.objects.filter(program__in=programs, began_on__range=(first, last))
    for row in rows:
        yield {
            "program_id": row.program_id,
            "source_link__key": row.source_key or None,
            "form_id": row.form_id,
            "furthest_step": row.furthest_step,
            **dict.fromkeys((SUBMITTED, CONFIRMED, APPROVED), 0),
            STARTED: row.count,
        }


def _steps(forms: Collection[int | None]) -> dict[int, tuple[str, ...]]:
    """Return the steps of each form; what an application keeps is how many of them were passed."""
    found = FormVersion.objects.filter(pk__in=[pk for pk in forms if pk is not None])
    return {form.pk: definition.read(form.definition).steps() for form in found}


def _number_up_to(step: str, asked: Sequence[str]) -> int:
    """Return how many steps are passed with `step`; one a form does not ask is passed with the one before it."""
    return sum(1 for each in asked if STEPS.index(each) <= STEPS.index(step))


def _names(programs: Sequence[Program]) -> dict[tuple[int, str], str]:
    links = RecruitingLink.objects.filter(program__in=programs)
    return {(pk, key): name for pk, key, name in links.values_list("program_id", "key", "name")}


def _tenths(part: int, whole: int) -> int | None:
    """Return a part of a whole in tenths of a percent, rounded half up."""
    return (part * 2000 + whole) // (2 * whole) if whole else None
