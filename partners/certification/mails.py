"""Write about credentials: to the person they are of, when there is an address, and to the owners of the team. Each mailbox is written to once
about one thing, in its own language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.certification.days import last_day
from partners.checklists import in_language
from partners.mails import absolute, day_words
from partners.readers import OWNERS, Reader, readers_of
from partners.tokens import digest
from prm.accounts.emails import fold_email
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Credential, Staff


def page_of(credential: Credential) -> str:
    """Return the address of the page on which anybody can check a credential."""
    return absolute(reverse("public:credential", args=[credential.public_id]))


def person_of(staff: Staff) -> Reader | None:
    """Return how somebody of a partner is written to: by their account, else by the address on the list; None by neither."""
    member = staff.member
    if member is not None and member.ended_at is None and member.user.is_active:
        return Reader(member.user.email, member.user.language, member.user.get_full_name())
    try:
        validate_email(staff.email)
    except ValidationError:
        return None
    return Reader(staff.email, staff.partner.language, staff.full_name)


def earned(credential: Credential) -> None:
    """Tell a person that they passed."""
    reader = person_of(credential.staff)
    if reader is not None:
        _to_person("credential_earned", credential, reader, key="earned")


def lapses(credential: Credential, *, days: int, step: int) -> None:
    """Remind a person that a credential ends in `days` days; `step` is which of the reminders it is."""
    reader = person_of(credential.staff)
    if reader is None:
        return
    signs_in = credential.staff.member is not None and credential.staff.member.ended_at is None
    url = absolute(reverse("portal:training")) if signs_in else page_of(credential)
    text = _("Renew it in Training") if signs_in else _("See the credential")
    _to_person(
        "credential_lapses",
        credential,
        reader,
        key=f"lapses:{step}",
        days=days,
        signs_in=signs_in,
        button_url=url,
        button_text=text,
    )


def lapses_to_owners(credentials: Sequence[Credential], *, on: date) -> int:
    """Tell the owners of one team whose credentials end soon, in one mail each; return how many mailboxes that were.

    An owner who is the only one on the list has been reminded as a person.
    """
    partner = credentials[0].staff.partner
    program = credentials[0].certification.program
    told = 0
    ids = "".join(each.public_id for each in credentials)
    for reader in readers_of(partner, OWNERS):
        if all(_is(reader, each.staff) for each in credentials):
            continue
        with translation.override(reader.language):
            people = [_line(each, reader.language, on) for each in credentials]
        outbox.queue(
            "credentials_lapse",
            to=reader.email,
            key=f"credentials-lapse:{on:%Y%m%d}:{digest(ids + fold_email(reader.email))[:32]}",
            about=partner.public_id,
            language=reader.language,
            context={
                "name": reader.name,
                "partner": partner.name,
                "program": program.name,
                "people": people,
                "button_url": absolute(reverse("portal:staff")),
                "button_text": _("Open the list of your people"),
            },
        )
        told += 1
    return told


def proof_checked(credential: Credential) -> None:
    """Tell who handed a certificate in, and the person it is of, what came of it."""
    readers: dict[str, Reader] = {}
    if credential.given_by is not None and credential.given_by.is_active:
        by = credential.given_by
        readers[by.email_folded] = Reader(by.email, by.language, by.get_full_name())
    person = person_of(credential.staff)
    if person is not None:
        readers.setdefault(fold_email(person.email), person)
    is_accepted = credential.state == "valid"
    for folded, reader in readers.items():
        _to_person(
            "credential_proof_checked",
            credential,
            reader,
            key=f"proof:{digest(folded)[:24]}",
            is_accepted=is_accepted,
            reason=credential.reason,
            button_url=page_of(credential) if is_accepted else absolute(reverse("portal:staff")),
            button_text=_("See the credential") if is_accepted else _("Open the list of your people"),
        )


def revoked(credential: Credential) -> None:
    """Tell a person and the owners of the team that a credential was taken away, and why."""
    readers = {fold_email(each.email): each for each in readers_of(credential.staff.partner, OWNERS)}
    person = person_of(credential.staff)
    if person is not None:
        readers.setdefault(fold_email(person.email), person)
    for folded, reader in readers.items():
        _to_person(
            "credential_revoked",
            credential,
            reader,
            key=f"revoked:{digest(folded)[:24]}",
            reason=credential.reason,
        )


def _to_person(kind: str, credential: Credential, reader: Reader, *, key: str, **values: Any) -> None:
    staff, language, until = credential.staff, reader.language, last_day(credential)
    with translation.override(language):
        name = in_language(credential.certification.name)
    outbox.queue(
        kind,
        to=reader.email,
        key=f"credential-{key}:{credential.public_id}",
        about=credential.public_id,
        language=language,
        context={
            "name": reader.name,
            "person": staff.full_name,
            "is_own": _is(reader, staff),
            "certification": name,
            "partner": staff.partner.name,
            "program": credential.certification.program.name,
            "until_text": day_words(until, language) if until else "",
            "button_url": page_of(credential),
            "button_text": _("See the credential"),
            **values,
        },
    )


def _line(credential: Credential, language: str, on: date) -> Mapping[str, Any]:
    until = last_day(credential) or on  # who asks has looked that there is one
    return {
        "person": credential.staff.full_name,
        "certification": in_language(credential.certification.name),
        "until_text": day_words(until, language),
    }


def _is(reader: Reader, staff: Staff) -> bool:
    person = person_of(staff)
    return person is not None and fold_email(person.email) == fold_email(reader.email)
