"""What the list of a partner's people shows: who holds what until when, how large the certified share is that tiers ask about, and what it falls
to when nobody renews anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.certification import credentials, forecast
from partners.certification.days import last_day
from partners.certification.forecast import Head, Roster, Step
from partners.checklists import in_language
from partners.models import Certification, Credential, Staff
from portal.formats import active_locale, date_text
from portal.rooms import Room
from portal.status import BAD, INFO, NEUTRAL, OK, WARN, StatusWord
from prm.lib import country_names, l10n
from prm.lib.periods import local_day
from tiers import requirement_sentences, schemes
from tiers.narrowing import Names
from tiers.qualify import Question, Requirement
from tiers.qualify.scheme import AT_LEAST

_ANY = Question("certified_ratio")
_HELD = frozenset({"valid", "waiting"})


@dataclass(frozen=True)
class Share:
    """How many of the people are certified; `fall` says when it becomes less, `missing` what a tier still asks for."""

    label: str
    value: int
    goal: int
    text: str
    fall: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Lapse:
    """A day on which credentials end, whose, and what share is left then."""

    day: date
    names: str
    ratio: str


@dataclass(frozen=True)
class Held:
    """One credential on a person's page."""

    name: str
    word: StatusWord
    earned_on: date
    until: date | None
    how: str
    reason: str
    href: str
    file_href: str


@dataclass(frozen=True)
class PersonRow:
    """Somebody on the list."""

    name: str
    role: str
    country: str
    href: str
    is_you: bool
    signs_in: bool
    left_on: date | None
    held: tuple[Held, ...]


def shares(room: Room, roster: Roster) -> list[Share]:
    """Return the certified share of everybody, of each certification, and each share or count that a tier asks for."""
    today = local_day(room.at, room.zone)
    found = [_share(_("Any certification"), roster.heads(_ANY), today)]
    rows = list(
        Certification.objects.filter(program=room.program, retired_at=None).order_by("created_at", "pk")
    )
    if len(rows) > 1:
        for row in rows:
            question = Question("certified_ratio", params=(("certification", (row.key,)),))
            found.append(_share(in_language(row.name), roster.heads(question), today))
    return [*found, *_asked(room, roster, today)]


def lapses(room: Room, roster: Roster) -> list[Lapse]:
    """Return the days on which somebody stops being certified at all."""
    return [
        Lapse(
            step.on,
            l10n.list_text(step.lapsed, active_locale()),
            forecast.ratio_text(step.ratio, active_locale()),
        )
        for step in forecast.steps(roster.heads(_ANY))
    ]


def share_text(heads: Sequence[Head]) -> str:
    """Return a share as a sentence: 17 of 23 people (73.9%)."""
    step = forecast.now(heads, date.min)
    if step is None:
        return _("Nobody is on the list.")
    text = ngettext(
        "%(certified)s of %(people)s person (%(ratio)s).",
        "%(certified)s of %(people)s people (%(ratio)s).",
        step.people,
    )
    ratio = forecast.ratio_text(step.ratio, active_locale())
    return text % {"certified": step.certified, "people": step.people, "ratio": ratio}


def person_rows(room: Room, people: Sequence[Staff]) -> list[PersonRow]:
    """Return rows for people, each with what they hold, the newest first; two queries for any number."""
    held: dict[int, list[Credential]] = {}
    given = Credential.objects.filter(staff__in=people, certification__program=room.program)
    for each in given.select_related("certification").order_by("-given_at", "-pk"):
        held.setdefault(each.staff_id, []).append(each)
    return [_person(room, each, held.get(each.pk, [])) for each in people]


def _person(room: Room, person: Staff, given: Sequence[Credential]) -> PersonRow:
    may_open = person.member_id == room.member.pk or room.may("manage_staff")
    return PersonRow(
        name=person.full_name or _("Erased person"),
        role=person.get_role_display(),
        country=country_names.name(person.country, active_locale()) if person.country else "",
        href=reverse("portal:staff_person", args=[person.public_id]),
        is_you=person.member_id == room.member.pk,
        signs_in=person.member is not None and person.member.ended_at is None,
        left_on=local_day(person.left_at, room.zone) if person.left_at else None,
        held=tuple(_held(room, each, may_open=may_open) for each in given),
    )


def _held(room: Room, credential: Credential, *, may_open: bool) -> Held:
    state = credentials.state_on(credential, local_day(room.at, room.zone))
    is_public = credential.state in ("valid", "revoked")
    return Held(
        name=in_language(credential.certification.name),
        word=_word(credential, state),
        earned_on=credential.earned_on,
        until=last_day(credential),
        how=credential.get_source_display(),
        reason=credential.reason,
        href=reverse("public:credential", args=[credential.public_id]) if is_public else "",
        file_href=reverse("portal:staff_proof_file", args=[credential.public_id])
        if credential.proof and may_open
        else "",
    )


def _word(credential: Credential, state: str) -> StatusWord:
    until = last_day(credential)
    if state == "valid":
        if until is None:
            return StatusWord(_("Valid"), "tick", OK)
        return StatusWord(_("Valid until %(date)s") % {"date": date_text(until, active_locale())}, "tick", OK)
    if state == credentials.EXPIRED:
        return StatusWord(_("Expired"), "clock", WARN)
    if state == "waiting":
        return StatusWord(_("Being checked"), "clock", INFO)
    if state == "refused":
        return StatusWord(_("Not accepted"), "cross", NEUTRAL)
    return StatusWord(_("Revoked"), "cross", BAD)


def _share(label: str, heads: Sequence[Head], today: date) -> Share:
    return Share(
        label=label,
        value=sum(each.is_certified for each in heads),
        goal=max(1, len(heads)),
        text=share_text(heads),
        fall=_fall(forecast.steps(heads), today),
    )


def _asked(room: Room, roster: Roster, today: date) -> Iterator[Share]:
    """Say for each tier that asks for certified people how far the list is from it."""
    row = schemes.in_force(room.program, at=room.at)
    if row is None:
        return
    scheme, names, locale = schemes.scheme_of(row), Names(room.program), active_locale()
    for rungs in schemes.ladders(room.program).values():
        for rung in rungs:
            for each in scheme.ask_of(rung.key).requirements:
                if (
                    each.question.metric in ("certified_ratio", "certified_count")
                    and each.operator == AT_LEAST
                ):
                    text = requirement_sentences.sentence(each, room.program, locale, names=names)
                    label = _("%(tier)s asks: %(requirement)s") % {"tier": rung.name, "requirement": text}
                    yield _requirement(label, each, roster.heads(each.question), today)


def _requirement(label: str, asked: Requirement, heads: Sequence[Head], today: date) -> Share:
    certified = sum(each.is_certified for each in heads)
    needed = _needed(asked, len(heads))
    to_come = forecast.steps(heads)
    below = next((step for step in to_come if step.certified < needed), None) if certified >= needed else None
    missing = needed - certified
    said = ngettext("%(count)s more person is needed.", "%(count)s more people are needed.", missing)
    return Share(
        label=label,
        value=min(certified, needed),
        goal=max(1, needed),
        text=share_text(heads),
        fall=_fall([below] if below else [], today),
        missing=said % {"count": missing} if missing > 0 else "",
    )


def _needed(asked: Requirement, people: int) -> int:
    """Return how many people have to be certified: of a share, the least whole number that reaches it."""
    share = asked.threshold * people / 100 if asked.question.metric == "certified_ratio" else asked.threshold
    return -(-Fraction(share).numerator // Fraction(share).denominator)


def _fall(to_come: Sequence[Step], today: date) -> str:
    return forecast.sentence(to_come[0], today, active_locale()) if to_come else ""
