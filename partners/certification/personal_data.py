"""What the archive tells and an erasure removes of the people on partners' lists, of what they learned and what they hold. That somebody was
certified stays countable; who it was, their certificates and their answers go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from partners.certification.staff import MOMENT
from partners.erasure import Case, learn_eraser
from partners.events import CredentialsChanged
from partners.models import Credential, LessonAttempt, Staff
from partners.personal_data import Row, Subject, learn_files, learn_section, rows
from prm.lib import uploads
from prm.lib.events import announce
from prm.lib.scrubbing import ERASED, scrub_rows

if TYPE_CHECKING:
    from prm.accounts.models import User


def learn() -> None:
    """Name what is told and what is removed."""
    learn_section("people-of-partners", _people, covers=["partners.staff"])
    learn_section("lessons", _attempts, covers=["partners.lessonattempt"])
    learn_section("credentials", _credentials, covers=["partners.credential"])
    learn_files(_files)
    learn_eraser("certification", erase, removes=removes)


def removes(case: Case) -> Iterator[str]:
    """Say what would go."""
    count = _of_case(case).count()
    if count:
        text = ngettext(
            "Name, address, answers and certificates of %(n)s person on a partner's list",
            "Names, addresses, answers and certificates of %(n)s people on partners' lists",
            count,
        )
        yield text % {"n": count}


@transaction.atomic
def erase(case: Case, by: User, at: datetime) -> None:
    """Remove who somebody is from the lists, and what they wrote or gave."""
    people = list(_of_case(case).select_for_update(of=("self",)))
    ids = [each.pk for each in people]
    held = Credential.objects.filter(staff__in=ids)
    for place in held.exclude(proof="").values_list("proof", flat=True):
        # Only when everything else is done: a file cannot be brought back by a rollback.
        transaction.on_commit(partial(uploads.discard, place))
    held.exclude(reason="").update(reason=ERASED)
    held.update(issuer="", number="", proof="", proof_name="")
    LessonAttempt.objects.filter(staff__in=ids).update(answers=[])
    for each in people:
        if each.left_at is None:
            Staff.objects.filter(pk=each.pk).update(left_at=max(at, each.added_at + MOMENT), left_by=by)
    # Without a name there is no page of a credential any more.
    Staff.objects.filter(pk__in=ids).update(full_name="", email="", country="", member=None)
    scrub_rows(Credential.objects.all(), case.needles, "reason", "issuer", "number", "proof_name")
    for partner_id in sorted({each.partner_id for each in people}):
        announce(CredentialsChanged(partner_id))


def _of_case(case: Case) -> QuerySet[Staff]:
    """Return the rows of a person: by account, by mailbox, or by name where no other mailbox stands with it."""
    mine = Q(member__user=case.user_id) | Q(partner__in=case.partner_ids)
    for mailbox in case.mailboxes:
        mine |= Q(email__iexact=mailbox)
    for name in case.names:
        mine |= Q(full_name__iexact=name, email="")
    return Staff.objects.filter(mine).exclude(full_name="").order_by("pk")


def _of_subject(subject: Subject) -> QuerySet[Staff]:
    mine = Q(partner__in=subject.partners)
    if subject.user is not None:
        mine |= Q(member__user=subject.user)
    if subject.mailbox:
        mine |= Q(email__iexact=subject.mailbox)
    return Staff.objects.filter(mine)


def _people(subject: Subject) -> Iterator[Row]:
    same = "full_name email role country added_at left_at"
    found = _of_subject(subject)
    return rows(found, id="public_id", partner="partner__name", **{name: name for name in same.split()})


def _attempts(subject: Subject) -> Iterator[Row]:
    found = LessonAttempt.objects.filter(staff__in=_of_subject(subject))
    same = "round attempted_at score passed answers"
    return rows(
        found,
        person="staff__public_id",
        lesson="lesson__public_id",
        **{name: name for name in same.split()},
    )


def _credentials(subject: Subject) -> Iterator[Row]:
    found = Credential.objects.filter(staff__in=_of_subject(subject))
    same = "state source earned_on expires_on issuer number proof_name given_at decided_at revoked_at reason"
    return rows(
        found,
        id="public_id",
        person="staff__public_id",
        certification="certification__key",
        **{name: name for name in same.split()},
    )


def _files(subject: Subject) -> Iterator[tuple[str, IO[bytes]]]:
    found = Credential.objects.filter(staff__in=_of_subject(subject)).exclude(proof="").order_by("pk")
    for held in found.iterator(chunk_size=100):
        if held.proof.name and held.proof.storage.exists(held.proof.name):
            yield f"{held.public_id}-{_safe(held.proof_name)}", held.proof.open("rb")


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)
