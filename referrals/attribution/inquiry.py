"""Answer a partner who asks why an order is not its own: which of its contacts were seen, what became of each, and what decided. Nobody learns
anything of an order that no contact of its own is on, nor ever who another partner is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from prm import audit
from prm.lib.errors import Refused
from prm.lib.periods import start_of_day
from referrals import identity
from referrals.attribution.record import Entry
from referrals.attribution.why import EARNS
from referrals.choices import AttributionCause, ClickKind, ConversionState, CreditRole
from referrals.models import AttributionRecord, Click, Code, Conversion, Credit, Link, Touch

if TYPE_CHECKING:
    from prm.accounts.models import User

MOST_AN_HOUR = 60
MOST_STORIES = 50
MOST_CLICKS = 100
MOST_RECORDS = 20_000  # of one day; more are not looked through for a question
LONGEST = 100
_HOUR = 3600

ORDER, DAY, EMAIL = "order", "day", "email"
CREDITED, HELPED, OTHERS, NOBODY, NOT_RECORDED = "credited", "helped", "others", "nobody", "not_recorded"


class AskOneThing(Refused):
    """Nothing was asked, or more than one thing at once."""

    message = _("Enter an order number, a day or an e-mail address.")
    field = "order"


class TooLong(Refused):
    """The order number is longer than any."""

    message = _("An order number has 100 characters at most.")
    field = "order"


class TooOften(Refused):
    """The membership has asked too often within an hour."""

    message = _("That is enough for now: 60 questions an hour are the most. Try again later.")


@dataclass(frozen=True)
class Contact:
    """A contact of the asking partner's own, as the decision about an order keeps it; `name` is its link, code or reference."""

    entry: Entry
    name: str = ""
    sub_id: str = ""


@dataclass(frozen=True)
class Story:
    """What is told of one order. `outcome` says whose it became; `decided_by` by what kind of contact, when that was not the partner's own."""

    conversion: str
    order: str
    kind: str
    occurred_at: datetime
    contacts: tuple[Contact, ...] = ()
    outcome: str = NOBODY
    share: str = ""
    decided_by: tuple[str, ...] = ()
    version: int | None = None
    corrected_at: datetime | None = None
    refunds: str = ""
    is_refunded: bool = False


@dataclass(frozen=True)
class Loose:
    """A click of the partner's own that is on no order: how it was counted, and where it was made."""

    kind: str
    at: datetime
    link: str
    sub_id: str = ""


@dataclass(frozen=True)
class Inquiry:
    """What was asked and what was found. `is_known` tells of an order number without a contact of one's own whether it was ever told to us."""

    how: str
    asked: str
    asked_at: datetime
    stories: tuple[Story, ...] = ()
    loose: tuple[Loose, ...] = ()
    is_known: bool = False
    uncounted: dict[str, int] = field(default_factory=dict)

    def about(self, conversion: str) -> Story | None:
        """Return what was found of one order."""
        return next((story for story in self.stories if story.conversion == conversion), None)

    def as_json(self) -> dict[str, Any]:
        """Return all of it in plain values, as a question keeps it; an address that was asked for is not in it."""
        return {
            "how": self.how,
            "asked": self.asked,
            "asked_at": self.asked_at.isoformat(),
            "is_known": self.is_known,
            "uncounted": self.uncounted,
            "stories": [_story_json(story) for story in self.stories],
            "loose": [
                {"kind": click.kind, "at": click.at.isoformat(), "link": click.link, "sub_id": click.sub_id}
                for click in self.loose
            ],
        }


def read(stored: dict[str, Any]) -> Inquiry:
    """Return the inquiry that `as_json` wrote."""
    return Inquiry(
        how=stored["how"],
        asked=stored["asked"],
        asked_at=datetime.fromisoformat(stored["asked_at"]),
        is_known=stored["is_known"],
        uncounted=dict(stored["uncounted"]),
        stories=tuple(_read_story(each) for each in stored["stories"]),
        loose=tuple(
            Loose(each["kind"], datetime.fromisoformat(each["at"]), each["link"], each["sub_id"])
            for each in stored["loose"]
        ),
    )


def ask(
    membership: Membership,
    *,
    by: User,
    at: datetime,
    order: str = "",
    day: date | None = None,
    email: str = "",
) -> Inquiry:
    """Return what is to be told to a partner about an order, a local day or a customer.

    Raises: AskOneThing, TooLong, TooOften.
    """
    order, email = order.strip(), email.strip()
    if sum(map(bool, (order, day, email))) != 1:
        raise AskOneThing
    if len(order) > LONGEST:
        raise TooLong
    _count(membership)
    if order:
        found = _by_order(membership, order, at=at)
    elif day is not None:
        found = _by_day(membership, day, at=at)
    else:
        found = _by_email(membership, email, at=at)
    audit.record(by, "attribution.asked", membership, at=at, how=found.how, found=len(found.stories))
    return found


def _count(membership: Membership) -> None:
    """Count a question; the numbers of orders are not to be tried out one after the other."""
    key = f"inquiries:{membership.pk}"
    cache.add(key, 0, _HOUR)
    try:
        asked = cache.incr(key)
    except ValueError:  # it ran out between the two
        cache.set(key, 1, _HOUR)
        return
    if asked > MOST_AN_HOUR:
        raise TooOften


def _by_order(membership: Membership, order: str, *, at: datetime) -> Inquiry:
    known = list(
        Conversion.objects.filter(external_id=order)
        .select_related("original")
        .order_by("occurred_at", "pk")[:MOST_STORIES]
    )
    stories = tuple(_stories(membership, known))
    return Inquiry(ORDER, order, at, stories, is_known=bool(known))


def _by_email(membership: Membership, email: str, *, at: datetime) -> Inquiry:
    keys = Q(customer__email_key=identity.email_key(email))
    known = Conversion.objects.filter(keys).select_related("original").order_by("-occurred_at", "-pk")
    # Of somebody no contact of one's own leads to, not even that they bought is told.
    return Inquiry(EMAIL, "", at, tuple(_stories(membership, known[:MOST_STORIES])))


def _by_day(membership: Membership, day: date, *, at: datetime) -> Inquiry:
    zone = membership.program.zone
    since, until = start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
    told = AttributionRecord.objects.filter(
        conversion__occurred_at__gte=since, conversion__occurred_at__lt=until
    ).order_by("pk")
    rows = told.values_list("conversion", "candidates")[:MOST_RECORDS]
    mine = {pk for pk, entries in rows if any(entry["membership"] == membership.pk for entry in entries)}
    known = Conversion.objects.filter(pk__in=mine).select_related("original").order_by("occurred_at", "pk")
    stories = tuple(_stories(membership, known[:MOST_STORIES]))
    loose, uncounted = _clicks(membership, since, until, stories)
    return Inquiry(DAY, day.isoformat(), at, stories, loose, uncounted=uncounted)


def _clicks(
    membership: Membership, since: datetime, until: datetime, stories: Sequence[Story]
) -> tuple[tuple[Loose, ...], dict[str, int]]:
    """Return the membership's clicks of a span that are on none of these orders, and how many hits did not count."""
    on_orders = {contact.entry.get("click") for story in stories for contact in story.contacts}
    hits = Click.objects.filter(link__membership=membership, clicked_at__gte=since, clicked_at__lt=until)
    people = hits.filter(kind=ClickKind.PERSON).select_related("link").order_by("-clicked_at", "-pk")
    loose = tuple(
        Loose(click.kind, click.clicked_at, click.link.slug, click.sub_id)
        for click in people[:MOST_CLICKS]
        if click.pk not in on_orders
    )
    others: dict[str, int] = {}
    for kind in hits.exclude(kind=ClickKind.PERSON).values_list("kind", flat=True)[:MOST_RECORDS]:
        others[kind] = others.get(kind, 0) + 1
    return loose, dict(sorted(others.items()))


def _stories(membership: Membership, conversions: Iterable[Conversion]) -> Iterator[Story]:
    """Yield what is told of those orders that a contact of the membership's own is on."""
    rows = list(conversions)
    decided = {row.pk: row.original_id or row.pk for row in rows}  # a refund is credited as its sale is
    records: dict[int, list[AttributionRecord]] = {}
    for record in AttributionRecord.objects.filter(conversion__in=set(decided.values())).order_by("pk"):
        records.setdefault(record.conversion_id, []).append(record)
    credits: dict[int, list[Credit]] = {}
    for credit in Credit.objects.standing().filter(conversion__in=[row.pk for row in rows]).order_by("pk"):
        credits.setdefault(credit.conversion_id, []).append(credit)
    names = _Names.of(membership, (record for found in records.values() for record in found))
    for row in rows:
        found = records.get(decided[row.pk], [])
        entries = found[-1].candidates if found else []
        mine = [entry for entry in entries if entry["membership"] == membership.pk]
        own = next((each for each in credits.get(row.pk, []) if each.membership_id == membership.pk), None)
        if mine or own is not None:
            yield _story(membership, row, found, mine, own, names)


def _story(
    membership: Membership,
    row: Conversion,
    records: Sequence[AttributionRecord],
    mine: Sequence[Entry],
    own: Credit | None,
    names: _Names,
) -> Story:
    latest = records[-1] if records else None
    entries = latest.candidates if latest is not None else []
    others = [entry for entry in entries if entry["membership"] != membership.pk and entry["why"] in EARNS]
    corrected = next((each for each in reversed(records) if each.cause == AttributionCause.CORRECTED), None)
    return Story(
        conversion=row.public_id,
        order=row.external_id,
        kind=row.kind,
        occurred_at=row.occurred_at,
        contacts=tuple(names.contact(entry) for entry in mine),
        outcome=_outcome(row, own, others, is_recorded=latest is not None),
        share=f"{own.share:f}" if own is not None and own.role != CreditRole.ASSISTED else "",
        decided_by=tuple(dict.fromkeys(entry["kind"] for entry in others)),
        version=latest.version.number if latest is not None and latest.version is not None else None,
        corrected_at=corrected.decided_at if corrected is not None else None,
        refunds=row.original_external_id,
        is_refunded=row.state in (ConversionState.REFUNDED, ConversionState.PARTIALLY_REFUNDED),
    )


def _outcome(row: Conversion, own: Credit | None, others: Sequence[Entry], *, is_recorded: bool) -> str:
    if own is not None:
        return HELPED if own.role == CreditRole.ASSISTED else CREDITED
    if not is_recorded:
        return NOT_RECORDED
    return OTHERS if others else NOBODY


@dataclass(frozen=True)
class _Names:
    """What the partner calls its own links, codes and references."""

    clicks: dict[int, tuple[str, str]]
    codes: dict[int, str]
    touches: dict[int, str]

    @classmethod
    def of(cls, membership: Membership, records: Iterable[AttributionRecord]) -> _Names:
        mine = [
            entry for record in records for entry in record.candidates if entry["membership"] == membership.pk
        ]
        clicks = Click.objects.filter(pk__in=_keys(mine, "click"))
        codes = Code.objects.filter(pk__in=_keys(mine, "code"), membership=membership)
        touches = Touch.objects.filter(pk__in=_keys(mine, "touch"), membership=membership)
        links = dict(Link.objects.filter(membership=membership).values_list("pk", "slug"))
        return cls(
            {pk: (links.get(link, ""), sub) for pk, link, sub in clicks.values_list("pk", "link", "sub_id")},
            dict(codes.values_list("pk", "code")),
            dict(touches.values_list("pk", "reference")),
        )

    def contact(self, entry: Entry) -> Contact:
        """Return an entry with the name the partner knows it by."""
        link, sub_id = self.clicks.get(entry.get("click", 0), ("", ""))
        name = link or self.codes.get(entry.get("code", 0), "") or self.touches.get(entry.get("touch", 0), "")
        return Contact(entry, name, sub_id)


def _keys(entries: Iterable[Entry], source: str) -> set[int]:
    return {entry[source] for entry in entries if source in entry}


def _story_json(story: Story) -> dict[str, Any]:
    return {
        "conversion": story.conversion,
        "order": story.order,
        "kind": story.kind,
        "occurred_at": story.occurred_at.isoformat(),
        "contacts": [
            {"entry": contact.entry, "name": contact.name, "sub_id": contact.sub_id}
            for contact in story.contacts
        ],
        "outcome": story.outcome,
        "share": story.share,
        "decided_by": list(story.decided_by),
        "version": story.version,
        "corrected_at": story.corrected_at.isoformat() if story.corrected_at is not None else None,
        "refunds": story.refunds,
        "is_refunded": story.is_refunded,
    }


def _read_story(stored: dict[str, Any]) -> Story:
    corrected = stored["corrected_at"]
    return Story(
        **{
            **stored,
            "occurred_at": datetime.fromisoformat(stored["occurred_at"]),
            "contacts": tuple(Contact(**each) for each in stored["contacts"]),
            "decided_by": tuple(stored["decided_by"]),
            "corrected_at": None if corrected is None else datetime.fromisoformat(corrected),
        }
    )
