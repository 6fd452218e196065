"""Keep who a partner says it is: names, address, VAT number, languages and what it is good at. Only what really changed is written, and
every change stays in a history that both sides read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners.choices import LegalForm
from partners.models import Partner
from partners.team import is_owner
from prm import audit
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.countries import code_of
from prm.lib.errors import Refused
from prm.lib.vat import checked_number

if TYPE_CHECKING:
    from prm.accounts.models import User

ADDRESS = ("street", "building_number", "postcode", "town", "region", "country")
FIELDS = (
    "name",
    "legal_name",
    "legal_form",
    *ADDRESS,
    "vat_number",
    "website",
    "email",
    "phone",
    "language",
    "languages",
    "specialities",
)
# Taxes rest on these: whoever changes them is asked for tax details again.
IDENTITY = ("legal_name", "country")
CHANGED, IDENTITY_CHANGED = "partner.profile_changed", "partner.identity_changed"
_HISTORY = (CHANGED, "partner.changed", "partner.address_changed")
# What leads to a person is noted as changed without its values, which could not be erased from the record.
_SILENT = frozenset({"email", "phone", "street", "building_number", "postcode"})
_PERSONAL = frozenset({"name", "legal_name", "vat_number", "website"})
_NEEDED = ("name", "legal_name", "legal_form", "street", "town", "country", "email")

Keeper = Callable[[Partner, datetime], bool]
_keepers: dict[str, Keeper] = {}


class NotYourProfile(Refused):
    message = _("Only an owner of the team can change the profile.")


class MergedAway(Refused):
    message = _("This partner was joined with another one. Change that one.")


class KeptElsewhere(Refused):
    message = _("This is kept with the tax details. Change it there.")


class NotAnOption(Refused):
    message = _("Choose one of the answers.")


@dataclass(frozen=True)
class Change:
    """One detail that was changed; values are empty where only the fact is kept."""

    at: datetime
    who: str
    label: str
    before: str
    after: str
    has_values: bool


def learn_keeper(field: str, keeps: Keeper) -> None:
    """Let a downstream app say when it is the one source of a field, which is then not changed here."""
    _keepers[field] = keeps


def kept_elsewhere(partner: Partner, *, at: datetime) -> frozenset[str]:
    """Return the fields that are changed somewhere else now."""
    return frozenset(field for field, keeps in _keepers.items() if keeps(partner, at))


def may_change(partner: Partner, user: User) -> bool:
    """Say whether `user` may change the profile: an owner of the team, or staff that manages partners."""
    return policy.may(user, "manage_partners") or is_owner(partner, user)


@transaction.atomic
def change(partner: Partner, changes: Mapping[str, Any], *, by: User, at: datetime) -> Partner:
    """Write those of `changes` that differ from what is there.

    Raises: NotYourProfile, MergedAway, and what is wrong with a field, by field.
    """
    locked = Partner.objects.lock().get(pk=partner.pk)
    if not may_change(locked, by):
        raise NotYourProfile
    if locked.merged_into_id is not None:
        raise MergedAway
    values, problems = look_at(locked, changes, at=at)
    if problems:
        raise next(iter(problems.values()))
    before = {name: getattr(locked, name) for name in values}
    if not values:
        return locked
    was_personal = is_one_person(locked)
    for name, value in values.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(values))
    silent = _SILENT | (_PERSONAL if was_personal or is_one_person(locked) else frozenset())
    audit.record(
        by,
        CHANGED,
        locked,
        at=at,
        fields=sorted(values),
        changes={name: [before[name], values[name]] for name in sorted(set(values) - silent)},
    )
    if any(before.get(name) for name in IDENTITY):
        audit.record(by, IDENTITY_CHANGED, locked, at=at, fields=sorted(set(values) & set(IDENTITY)))
    return locked


def look_at(
    partner: Partner, changes: Mapping[str, Any], *, at: datetime
) -> tuple[dict[str, Any], dict[str, Refused]]:
    """Return what would be written, in the form it is kept in, and what is wrong, by field."""
    kept = kept_elsewhere(partner, at=at)
    values: dict[str, Any] = {}
    problems: dict[str, Refused] = {}
    country = code_of(str(changes.get("country", partner.country)))
    for name in (field for field in FIELDS if field in changes):
        try:
            value = _checked(name, changes[name], country)
        except Refused as refusal:
            refusal.field = name
            # What was there before and is not touched stands in nobody's way.
            if changes[name] != getattr(partner, name) or name == "name":
                problems[name] = refusal
            continue
        if value == getattr(partner, name):
            continue
        if name in kept:
            problems[name] = KeptElsewhere(field=name)
        values[name] = value
    _follow_the_country(partner, values, problems, country, kept)
    return values, problems


def missing(partner: Partner) -> list[str]:
    """Return the fields a complete profile still misses."""
    return [name for name in _NEEDED if not str(getattr(partner, name)).strip()]


def label_of(name: str) -> str:
    """Return what a field is called."""
    return str(Partner._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def is_one_person(partner: Partner) -> bool:
    """Say whether the partner is a person in business alone, whose names are personal data."""
    return partner.legal_form == LegalForm.SOLE_TRADER


def history(partner: Partner, *, most: int = 30) -> list[Change]:
    """Return what was changed of the profile, newest first."""
    events = (
        AuditEvent.objects.filter(
            object_type=partner._meta.label_lower, object_pk=str(partner.pk), action__in=_HISTORY
        )
        .select_related("actor")
        .order_by("-at", "-pk")[:most]
    )
    return [change for event in events for change in _told(event)]


def identity_changed(partner_ids: Iterable[int], *, since: datetime | None = None) -> dict[int, datetime]:
    """Return when legal name or country last changed, by partner, in one query; who is missing never changed them."""
    wanted = [str(pk) for pk in partner_ids]
    events = AuditEvent.objects.filter(
        action=IDENTITY_CHANGED, object_type=Partner._meta.label_lower, object_pk__in=wanted
    )
    if since is not None:
        events = events.filter(at__gte=since)
    return {int(pk): at for pk, at in events.order_by("at", "pk").values_list("object_pk", "at")}


def _checked(name: str, value: Any, country: str) -> Any:
    if name == "languages":
        return fields.checked_languages(value)
    if name == "specialities":
        return fields.checked_specialities(value)
    longest = Partner._meta.get_field(name).max_length or 140  # type: ignore[union-attr]
    text = fields.one_line(str(value or ""), longest=longest)
    if name == "name" and not text:
        raise fields.Needed
    if not text:
        return ""
    special = _SPECIAL.get(name)
    return special(text, country) if special else text


def _follow_the_country(
    partner: Partner,
    values: dict[str, Any],
    problems: dict[str, Refused],
    country: str,
    kept: frozenset[str],
) -> None:
    """See that postcode and VAT number that stay as they were suit a country that is new."""
    if "country" not in values:
        return
    for name in ("postcode", "vat_number"):
        text = getattr(partner, name)
        if name in values or name in problems or name in kept or not text:
            continue
        try:
            _SPECIAL[name](text, country)
        except Refused as refusal:
            refusal.field = name
            problems[name] = refusal


def _told(event: AuditEvent) -> Iterable[Change]:
    who = event.actor.get_full_name() if event.actor else ""
    changes = event.details.get("changes", {})
    for name in event.details.get("fields", event.details.get("changed", ())):
        if name not in FIELDS:
            continue
        before, after = changes.get(name, ("", ""))
        yield Change(
            event.at, who, label_of(name), text_of(name, before), text_of(name, after), name in changes
        )


def text_of(name: str, value: Any) -> str:
    """Return a value of a field in words."""
    if name == "legal_form":
        return str(dict(LegalForm.choices).get(value, value))
    if name == "language":
        return str(dict(settings.LANGUAGES).get(value, value))
    if name == "languages":
        return ", ".join(fields.language_name(code) for code in value or ())
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value or "")


def _legal_form(text: str, _country: str) -> str:
    if text not in LegalForm.values:
        raise NotAnOption
    return text


def _language(text: str, _country: str) -> str:
    if text not in dict(settings.LANGUAGES):
        raise NotAnOption
    return text


_SPECIAL: Mapping[str, Callable[[str, str], str]] = {
    "legal_form": _legal_form,
    "language": _language,
    "country": fields.checked_country,
    "postcode": fields.checked_postcode,
    "vat_number": checked_number,
    "website": fields.checked_website,
    "email": fields.checked_email,
    "phone": fields.checked_phone,
}
