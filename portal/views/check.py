"""Let anybody who holds a printed statement check it: the number, the total, and that nothing was changed. It says no names, and a
wrong code learns nothing, not even that the number exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from payouts import statement_facts
from payouts.models import Statement
from prm.lib.money import Money
from prm.lib.periods import Month, local_day


@dataclass(frozen=True)
class CheckedDocument:
    """What the page tells about a document that is ours."""

    number: str
    month: Month
    issued_on: date
    closing: Money


@require_safe
@never_cache
def check(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """Confirm a statement by its number and check code, or say that it cannot be confirmed."""
    found = Statement.objects.select_related("period__program").filter(number=number).first()
    # The comparison takes as long without a statement as with one.
    is_known = constant_time_compare(found.check_code if found else "-" * 12, code.strip().upper())
    if found is None or not is_known or not statement_facts.is_unchanged(found):
        return render(request, "public/document.html", {"document": None}, status=404)
    document = CheckedDocument(
        number=found.number,
        month=found.period.as_month,
        issued_on=local_day(found.issued_at, found.period.program.zone),
        closing=found.closing,
    )
    return render(request, "public/document.html", {"document": document})
