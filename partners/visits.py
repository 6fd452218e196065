"""Count how often a program page is opened, by day and by the link that led there. A visit is a number: it names nobody, and losing one
never keeps anybody from reading the page."""

from __future__ import annotations

import logging
from datetime import date

from django.db import DatabaseError, transaction
from django.db.models import F

from partners.models import ProgramVisit
from tiers.models import Program

log = logging.getLogger(__name__)


def count(program: Program, *, on: date, source_key: str = "") -> bool:
    """Add one visit and say whether it could be written."""
    try:
        with transaction.atomic():
            _add(program, on, source_key)
    except DatabaseError:
        log.warning("A visit of program %s could not be counted.", program.pk, exc_info=True)
        return False
    return True


def _add(program: Program, on: date, source_key: str) -> None:
    known = ProgramVisit.objects.filter(program=program, source_key=source_key, visited_on=on)
    if known.update(count=F("count") + 1):
        return
    # The first of the day; one that came in the same moment is counted with it.
    ProgramVisit.objects.get_or_create(program=program, source_key=source_key, visited_on=on)
    known.update(count=F("count") + 1)
