"""Turn what an inlet was told into an event and record it, by the same verb as the API. A call is answered with a state, a code and a field,
whatever it holds; nothing a stranger writes ends in an error of ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.db import DatabaseError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from referrals import api_values, attribution_versions, clicks, conversions, inlet_signing, inlets, reading
from referrals.choices import Channel, ClickKind
from referrals.facts import Event, Status
from referrals.models import Click, Conversion, Inlet
from referrals.reading import BadValue
from referrals.repeats import OtherBody

NEEDED = ("event_id", "kind", "amount", "currency")
TEXTS = (
    "customer_id",
    "customer_email_sha256",
    "country",
    "click_id",
    "code",
    "original_event_id",
    "product",
    "category",
    "sub_id",
    "campaign",
    "deal",
    "lead",
)
PARTS = ("tax", "shipping", "discount", "cost")
PARAMETERS = (*NEEDED, "occurred_at", *TEXTS, "quantity", *PARTS, "ts", inlet_signing.SIGNATURE)
TIME = "ts"
TOLERANCE = timedelta(minutes=5)
MOST_PARAMETERS = 40
MOST_BYTES = 8 * 1024
TRIES = 3
# A browser that has no amount to tell says none; `_` only keeps pictures from being remembered.
PIXEL_DEFAULTS = {"amount": "0"}
_KEYED = ("customer_email", "customer_vat_number", "payment_fingerprint", "customer_ip")
_UNTOLD = dict.fromkeys((*TEXTS, *_KEYED), "")


class Unreadable(Refused):
    """The query is no list of parameters, each told once, in UTF-8."""

    message = _("The parameters cannot be read: send each once, percent-encoded in UTF-8.")


class Unsigned(Refused):
    """The signature is missing, or another one than we come to."""

    message = _("The signature is not that of these parameters with the secret of this inlet.")
    code = "bad_signature"
    field = inlet_signing.SIGNATURE


class Stale(Refused):
    """The call was signed too long ago, or is said to come from the future."""

    message = _("Send the current time in ts, in seconds since 1970: it may differ by five minutes at most.")
    code = "stale"
    field = TIME


class KindNotAllowed(Refused):
    """The inlet may not tell events of this kind."""

    message = _("This inlet may tell: %(kinds)s.")
    field = "kind"


class UnknownClick(Refused):
    """A pixel is believed only about a click of a person that we have recorded."""

    message = _("We know no click of a person with this id.")
    field = "click_id"


class OldClick(Refused):
    """The click is older than the time in which clicks count."""

    message = _("The click is older than clicks count in this program.")
    field = "click_id"


class Busy(Refused):
    """The database is busy with something else; nothing was recorded."""

    message = _("Nothing was recorded. Send it again in a moment.")


@dataclass(frozen=True)
class Told:
    """What became of a call that was taken."""

    status: str
    public_id: str
    event: Event


def parameters(*queries: str) -> dict[str, str]:
    """Return the parameters of the query and the body.

    Raises: Unreadable.
    """
    pairs: list[tuple[str, str]] = []
    for query in queries:
        if len(query) > MOST_BYTES:
            raise Unreadable
        try:
            pairs += parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        except ValueError:
            raise Unreadable from None
    values = dict(pairs)
    if len(values) != len(pairs) or any("\0" in text for pair in pairs for text in pair):
        raise Unreadable
    return values


def post(inlet: Inlet, values: Mapping[str, str], *, at: datetime) -> Told:
    """Record what a server tells with a signature.

    Raises: Unsigned, Stale, BadValue, KindNotAllowed, Busy, and what `conversions.record` raises.
    """
    if not inlet_signing.is_signed(values, inlets.secrets_of(inlet, at=at)):
        raise Unsigned
    if (inlet.needs_time or TIME in values) and not _is_fresh(values.get(TIME, ""), at=at):
        raise Stale
    event = replace(_event(inlet, values, at=at), channel=Channel.POSTBACK)
    return _recorded(inlet, event, is_timed="occurred_at" in values, at=at)


def show(inlet: Inlet, values: Mapping[str, str], *, at: datetime) -> Told:
    """Record what a browser tells without a secret, about a click of a person that still counts.

    Raises: BadValue, KindNotAllowed, UnknownClick, OldClick, Busy, and what `conversions.record` raises.
    """
    told = {name: value for name, value in values.items() if name != "_"}
    event = replace(_event(inlet, {**PIXEL_DEFAULTS, **told}, at=at), channel=Channel.PIXEL)
    if event.kind not in inlets.PIXEL_KINDS:
        raise _not_allowed(inlet)
    _require_click(event)
    return _recorded(inlet, event, is_timed="occurred_at" in values, at=at)


def _is_fresh(text: str, *, at: datetime) -> bool:
    is_number = text.isascii() and text.isdecimal() and len(text) <= 11
    return is_number and abs(at.timestamp() - int(text)) <= TOLERANCE.total_seconds()


def _event(inlet: Inlet, values: Mapping[str, str], *, at: datetime) -> Event:
    unknown = sorted(set(values) - set(PARAMETERS))
    if unknown:
        raise BadValue(_("There is no such field."), code="unknown_field", field=reading.shown(unknown[0]))
    missing = next((name for name in NEEDED if not values.get(name, "").strip()), None)
    if missing is not None:
        raise BadValue(_("This must not be empty."), code="missing", field=missing)
    kind = reading.kind(values["kind"])
    if kind not in inlet.kinds:
        raise _not_allowed(inlet)
    told: dict[str, Any] = {
        **_UNTOLD,
        **{name: values[name].strip() for name in (*NEEDED, *TEXTS) if name in values},
        **{name: values[name].strip() for name in PARTS if values.get(name, "").strip()},
        "source": inlet.source,
        "kind": kind,
        "occurred_at": values.get("occurred_at") or at.isoformat(),
        "quantity": reading.quantity(values.get("quantity", "")),
        "attributes": {},
    }
    return api_values.event_of(told, at=at)


def _not_allowed(inlet: Inlet) -> KindNotAllowed:
    return KindNotAllowed(params={"kinds": ", ".join(inlet.kinds)})


def _require_click(event: Event) -> None:
    if event.click_id:
        clicks.settle([event.click_id])
    row = (
        Click.objects.filter(click_id=event.click_id, kind=ClickKind.PERSON)
        .select_related("link__membership__program")
        .first()
    )
    if row is None:
        raise UnknownClick
    program = row.link.membership.program
    hours = attribution_versions.settings_at(program, at=event.occurred_at).window_hours.get("click", 0)
    if not timedelta() <= event.occurred_at - row.clicked_at < timedelta(hours=hours):
        raise OldClick


def _recorded(inlet: Inlet, event: Event, *, is_timed: bool, at: datetime) -> Told:
    """Record an event, again when the database was busy; an instant nobody told is that of the first telling."""
    for attempt in range(1, TRIES + 1):
        try:
            outcome = conversions.record(_as_first_told(event, is_timed=is_timed), at=at)
        except OtherBody:
            if is_timed or attempt == TRIES or _first_told(event) in (None, event.occurred_at):
                raise
        except OperationalError:
            if transaction.get_connection().in_atomic_block:
                raise
            time.sleep(0.05 * attempt)
        except DatabaseError as error:
            raise Busy from error
        else:
            inlets.note_use(inlet, at=at)
            return Told(str(Status(outcome.status)), outcome.public_id, event)
    raise Busy


def _as_first_told(event: Event, *, is_timed: bool) -> Event:
    first = None if is_timed else _first_told(event)
    return event if first is None else replace(event, occurred_at=first)


def _first_told(event: Event) -> datetime | None:
    same = Conversion.objects.filter(source=event.source, external_id=event.external_id)
    return same.values_list("occurred_at", flat=True).first()
