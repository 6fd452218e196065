"""Let anybody who holds a printed statement check it: the number, the total, that nothing was changed, and whether another one took its
place. It says no names, and a wrong code learns nothing, not even that the number exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from payouts import statement_facts
from payouts.choices import StatementKind
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
    is_credit_note: bool
    takes_back: str
    replaced_by: str
    credited_by: str


@require_safe
@never_cache
def check(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """Confirm a statement by its number and check code, or say that it cannot be confirmed."""
    found = Statement.objects.select_related("period__program", "corrects").filter(number=number).first()
    # The comparison takes as long without a statement as with one.
    is_known = constant_time_compare(found.check_code if found else "-" * 12, code.strip().upper())
    if found is None or not is_known or not statement_facts.is_unchanged(found):
        return render(request, "public/document.html", {"document": None}, status=404)
    is_credit_note = found.kind == StatementKind.CREDIT_NOTE
    since = {other.kind: other.number for other in found.corrections.all()}
    document = CheckedDocument(
        number=found.number,
        month=found.period.as_month,
        issued_on=local_day(found.issued_at, found.period.program.zone),
        closing=found.closing,
        is_credit_note=is_credit_note,
        takes_back=found.corrects.number if is_credit_note and found.corrects is not None else "",
        replaced_by=since.get(StatementKind.STATEMENT.value, ""),
        credited_by=since.get(StatementKind.CREDIT_NOTE.value, ""),
    )
    return render(request, "public/document.html", {"document": document})
