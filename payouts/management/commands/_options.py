"""What several commands ask for in the same words: a legal entity, a month, the programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prm.lib.periods import Month
from prm.runs.command import UsageError
from tiers.models import LegalEntity, Program


def entity_of(options: Mapping[str, Any]) -> LegalEntity:
    """Return the entity named by `--entity`, or the only one there is. Raises UsageError."""
    found = LegalEntity.objects.order_by("pk")
    if options["entity"]:
        found = found.filter(number_prefix=options["entity"])
    entities = list(found[:2])
    if len(entities) != 1:
        raise UsageError("Name the legal entity by its number prefix: --entity HG.")
    return entities[0]


def month_of(text: str) -> Month:
    """Read a month. Raises UsageError."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def programs_of(options: Mapping[str, Any]) -> list[Program]:
    """Return the program named by `--program`, or all there are. Raises UsageError."""
    programs = list(Program.objects.order_by("slug"))
    if not options["program"]:
        return programs
    chosen = [program for program in programs if program.slug == options["program"]]
    if not chosen:
        known = ", ".join(program.slug for program in programs)
        raise UsageError(f"There is no program {options['program']}; there are: {known}.")
    return chosen
