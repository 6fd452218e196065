"""Remember what the columns of a shop's file mean, by its header. A file with the same columns of the same source is read as the last one
was, and a person can still say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from referrals import mapping, mapping_guess, reading
from referrals.mapping import BadMapping, FileMapping
from referrals.models import ImportMapping


def suggest(
    source: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, delimiter: str
) -> FileMapping:
    """Return how a file is read: as the last one with this header was, else by a guess."""
    known = recall(source, header)
    return known if known is not None else mapping_guess.guess(header, rows, delimiter=delimiter)


def recall(source: str, header: Sequence[str]) -> FileMapping | None:
    """Return what was remembered of a header, None when nothing was or it says no sense any more."""
    row = ImportMapping.objects.filter(source=source, header_sha256=mapping.header_sha256(header)).first()
    if row is None:
        return None
    try:
        told = mapping.read(row.mapping)
        mapping.check(told, header)
    except BadMapping:
        return None
    return told


@transaction.atomic
def remember(
    source: str, header: Sequence[str], told: FileMapping, *, by: User, at: datetime
) -> ImportMapping:
    """Keep what the columns of a source's files with this header mean, in place of what was kept before.

    Raises: Forbidden, BadValue, BadMapping.
    """
    policy.require(by, "import_conversions")
    source = reading.word(source, field="source", longest=40, required=True)
    mapping.check(told, header)
    row, _is_new = ImportMapping.objects.update_or_create(
        source=source,
        header_sha256=mapping.header_sha256(header),
        defaults={"mapping": told.as_json(), "changed_at": at, "changed_by": by},
    )
    audit.record(by, "import_mapping.remembered", row, at=at, source=source, columns=sorted(told.columns))
    return row


def named(public_id: str) -> FileMapping | None:
    """Return a remembered mapping by its public id."""
    row = ImportMapping.objects.filter(public_id=public_id).first()
    return mapping.read(row.mapping) if row is not None else None
