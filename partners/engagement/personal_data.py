"""What the archive tells and an erasure removes of activities and figures entered by hand. What counted stays countable: the day, the kind and
the decision; titles, texts, addresses and files of a partner that is erased go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from partners.erasure import Case, learn_eraser
from partners.models import Activity, StaffFigure
from partners.personal_data import Row, Subject, learn_files, learn_section, rows
from prm.lib import uploads
from prm.lib.scrubbing import ERASED, scrub_rows

if TYPE_CHECKING:
    from prm.accounts.models import User


def learn() -> None:
    """Name what is told and what is removed."""
    learn_section("partner-activities", _activities, covers=["partners.activity"])
    learn_section("partner-figures", _figures, covers=["partners.stafffigure"])
    learn_files(_files)
    learn_eraser("engagement", erase, removes=removes)


def removes(case: Case) -> Iterator[str]:
    """Say what would go."""
    count = _of_partners(case).count()
    if count:
        text = ngettext(
            "Title, text, address and file of %(n)s activity",
            "Titles, texts, addresses and files of %(n)s activities",
            count,
        )
        yield text % {"n": count}


@transaction.atomic
def erase(case: Case, by: User, at: datetime) -> None:
    """Remove what says who somebody is from activities and figures."""
    gone = _of_partners(case)
    for place in gone.exclude(file="").values_list("file", flat=True):
        # Only when everything else is done: a file cannot be brought back by a rollback.
        transaction.on_commit(partial(uploads.discard, place))
    gone.exclude(reason="").update(reason=ERASED)
    gone.update(title=ERASED, url="", description="", file="", file_name="")
    StaffFigure.objects.filter(membership__partner__in=case.partner_ids).update(note=ERASED)
    scrub_rows(Activity.objects.all(), case.needles, "title", "url", "description", "file_name", "reason")
    scrub_rows(StaffFigure.objects.all(), case.needles, "note")


def _of_partners(case: Case) -> QuerySet[Activity]:
    return Activity.objects.filter(membership__partner__in=case.partner_ids)


def _of(subject: Subject) -> QuerySet[Activity]:
    told = Q(told_by=subject.user) if subject.user is not None else Q(pk=None)
    return Activity.objects.filter(told | Q(membership__partner__in=subject.partners))


def _activities(subject: Subject) -> Iterator[Row]:
    same = "kind state title held_on url description file_name told_at decided_at reason"
    return rows(
        _of(subject),
        id="public_id",
        membership="membership__public_id",
        **{name: name for name in same.split()},
    )


def _figures(subject: Subject) -> Iterator[Row]:
    found = StaffFigure.objects.filter(membership__partner__in=subject.partners)
    same = "metric value counted_on note entered_at"
    return rows(found, membership="membership__public_id", **{name: name for name in same.split()})


def _files(subject: Subject) -> Iterator[tuple[str, IO[bytes]]]:
    for given in _of(subject).exclude(file="").order_by("pk").iterator(chunk_size=100):
        if given.file.name and given.file.storage.exists(given.file.name):
            safe = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in given.file_name)
            yield f"{given.public_id}-{safe}", given.file.open("rb")
