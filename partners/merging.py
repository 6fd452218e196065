"""Make one partner of two rows that are the same partner. Memberships move with everything that hangs on them, so no money is touched;
the duplicate's row stays, points at the one that goes on, and is never used again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import mails_merging, merging_rows
from partners.merging_pair import Merge
from partners.merging_words import foretold
from partners.models import Membership, Partner
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User


__all__ = ["Merge", "fingerprint", "learn_mover", "look", "merge", "standing"]

Mover = Callable[[Merge], list[str]]
Foreteller = Callable[[Merge], list[str]]
Hindrance = Callable[[Merge], Iterable[str]]
_movers: list[Mover] = []
_foretellers: list[Foreteller] = []
_hindrances: list[Hindrance] = []


class Itself(Refused):
    message = gettext_lazy("A partner cannot be joined with itself.")
    field = "other"


class AlreadyMerged(Refused):
    message = gettext_lazy("%(partner)s was joined with another partner already. Choose that one.")
    field = "other"


class PersonErased(Refused):
    message = gettext_lazy("What is known of %(partner)s was erased. It cannot be joined with another one.")
    field = "other"


class NotNow(Refused):
    message = gettext_lazy("This has to be settled first: %(reasons)s")


class ChangedMeanwhile(Refused):
    message = gettext_lazy("Something has changed since this page was opened. Look at it again.")


def learn_mover(move: Mover, *, foretell: Foreteller, hinders: Hindrance | None = None) -> None:
    """Let a downstream app move what it keeps by partner: do it, say beforehand what it will do, and what stands in the way.

    `move` runs inside the merge, after memberships and people have moved, and answers with what it did.
    """
    if move not in _movers:
        _movers.append(move)
        _foretellers.append(foretell)
        if hinders is not None:
            _hindrances.append(hinders)


def look(duplicate: Partner, *, into: Partner, by: User, at: datetime) -> tuple[list[str], list[str]]:
    """Return what a merge would do and what stands in its way, in sentences; nothing is changed.

    Raises: Forbidden, Itself, AlreadyMerged, PersonErased.
    """
    policy.require(by, "merge_partners")
    _refuse_unfit(duplicate, into)
    merge = Merge(duplicate, into, by, at, merging_rows.pairs(duplicate, into))
    said = [*foretold(merge), *(sentence for tell in _foretellers for sentence in tell(merge))]
    said.append(_("This cannot be undone. Your name stays on record."))
    return said, _in_the_way(merge)


def fingerprint(said: list[str]) -> str:
    """Return what tells one set of sentences from another."""
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def merge(duplicate: Partner, *, into: Partner, by: User, at: datetime, seen: str | None = None) -> Partner:
    """Join `duplicate` with `into`, which goes on, and return it.

    With `seen`, the fingerprint of what a person was shown, nothing is done when it would be something else now.

    Raises: Forbidden, Itself, AlreadyMerged, PersonErased, NotNow, ChangedMeanwhile.
    """
    policy.require(by, "merge_partners")
    return persistently(lambda: _merge(duplicate.pk, into.pk, by=by, at=at, seen=seen))


def standing(partner: Partner) -> Partner:
    """Return the partner that goes on: `partner`, or the one it was joined with, however often that happened."""
    while partner.merged_into is not None:
        partner = partner.merged_into
    return partner


@transaction.atomic
def _merge(duplicate_id: int, into_id: int, *, by: User, at: datetime, seen: str | None) -> Partner:
    both = (duplicate_id, into_id)
    memberships = list(Membership.objects.lock().filter(partner__in=both).values_list("pk", flat=True))
    partners = {each.pk: each for each in Partner.objects.lock().filter(pk__in=both)}
    duplicate, into = partners[duplicate_id], partners[into_id]
    _refuse_unfit(duplicate, into)
    now = Membership.objects.filter(partner__in=both).order_by("pk").values_list("pk", flat=True)
    if memberships != list(now):
        raise ChangedMeanwhile
    if seen is not None and fingerprint(look(duplicate, into=into, by=by, at=at)[0]) != seen:
        raise ChangedMeanwhile
    found = Merge(duplicate, into, by, at, merging_rows.pairs(duplicate, into))
    reasons = _in_the_way(found)
    if reasons:
        raise NotNow(params={"reasons": " ".join(reasons)})
    told = mails_merging.readers(duplicate, into)
    moved = merging_rows.move_memberships(found)
    people = merging_rows.move_people(found)
    filled = merging_rows.fill_gaps(found)
    done = [sentence for move in _movers for sentence in move(found)]
    duplicate.merged_into, duplicate.merged_at, duplicate.merged_by = into, at, by
    duplicate.save(update_fields=["merged_into", "merged_at", "merged_by"])
    audit.record(by, "partner.merged", duplicate, at=at, into=into, memberships=moved, people=people)
    audit.record(
        by,
        "partner.took_over",
        into,
        at=at,
        duplicate=duplicate,
        filled=filled,
        ended=len(found.pairs),
        did=len(done),
    )
    mails_merging.merged(duplicate, into, told)
    return into


def _refuse_unfit(duplicate: Partner, into: Partner) -> None:
    if duplicate.pk == into.pk:
        raise Itself
    for partner in (duplicate, into):
        if partner.merged_into_id is not None:
            raise AlreadyMerged(params={"partner": partner.name})
        if partner.erased_at is not None:
            raise PersonErased(params={"partner": partner.name})


def _in_the_way(merge: Merge) -> list[str]:
    found = list(merging_rows.in_the_way(merge))
    return found + [reason for hinders in _hindrances for reason in hinders(merge)]
