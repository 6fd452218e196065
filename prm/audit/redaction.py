"""Take a person out of the audit record: the only change it takes. What was done, by which id, to which id and when stays as it is, and each
event that was redacted names the event of the erasure it was redacted for; the database sees to both."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from prm.audit.models import AuditEvent
from prm.lib.scrubbing import ERASED, Needles


def redact(needles: Needles, *, objects: Iterable[tuple[str, str]], because: AuditEvent) -> int:
    """Scrub notes and details of the events in which the person is named, and the names of the objects given; return how many."""
    theirs = Q(pk__in=[])
    for kind, pk in objects:
        theirs |= Q(object_type=kind, object_pk=pk)
    as_text = AuditEvent.objects.annotate(details_text=Cast("details", TextField()))
    named = needles.found_in("object_text", "note", "details_text")
    count = 0
    for event in (
        as_text.filter(theirs | named).exclude(pk=because.pk).order_by("pk").iterator(chunk_size=500)
    ):
        is_theirs = (event.object_type, event.object_pk) in set(objects)
        new = {
            "object_text": ERASED if is_theirs else needles.scrub(event.object_text),
            "note": needles.scrub(event.note),
            "details": needles.scrub_json(event.details),
        }
        if any(value != getattr(event, name) for name, value in new.items()):
            AuditEvent.objects.filter(pk=event.pk).update(**new, redaction=because)
            count += 1
    return count
