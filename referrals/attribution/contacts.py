"""Read the contacts that could be credited for a batch of events: codes, clicks, what was told, who brought the customer, and leads that were
credited before. The number of queries does not grow with the batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from referrals.attribution.settings import LONGEST_WINDOW, TouchKind
from referrals.choices import ClickKind, ConversionState, CreditRole
from referrals.facts import Event, Key
from referrals.models import Click, Code, Credit, Touch
from tiers.choices import EventKind

# Of one visitor the latest so many clicks are looked at.
MOST_CLICKS = 200
LEADS = (EventKind.SIGNUP, EventKind.QUALIFIED_LEAD)
_COUNTED: Mapping[str, TouchKind] = {ClickKind.PERSON: "click", ClickKind.VIEW: "view"}
_TOLD: Mapping[str, TouchKind] = {"deal": "deal", "lead": "lead", "intro": "intro"}
_LONGEST = LONGEST_WINDOW + timedelta(days=1)


class Owner(Protocol):
    """Who brought a customer to a program, as `referrals.ownership` tells it."""

    @property
    def referral(self) -> int: ...
    @property
    def program(self) -> int: ...
    @property
    def membership(self) -> int: ...
    @property
    def since_at(self) -> datetime: ...
    @property
    def earns_until_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def customer(self) -> int: ...
    def holds(self, at: datetime) -> bool: ...


class CodeRow(NamedTuple):
    """A code, and how often it was used when that is limited."""

    pk: int
    membership: int
    is_active: bool
    starts_at: datetime | None
    ends_at: datetime | None
    use_limit: int | None
    uses: int


class Clicked(NamedTuple):
    """A click of a person, or a view."""

    pk: int
    kind: TouchKind
    membership: int
    at: datetime


class Told(NamedTuple):
    """A deal, a lead or an introduction; a lead may be an event that was credited before: `key` while it is in the same batch."""

    pk: int
    kind: TouchKind
    membership: int
    at: datetime
    ends_on: date | None = None
    is_withdrawn: bool = False
    is_event: bool = False
    key: Key | None = None


@dataclass
class Contacts:
    """What was read, each under what an event finds it by; customers are known by their key at the shop."""

    codes: dict[str, CodeRow] = field(default_factory=dict)
    named: dict[str, tuple[str, Clicked | None]] = field(default_factory=dict)
    of_visitor: dict[str, list[Clicked]] = field(default_factory=dict)
    of_reference: dict[tuple[str, str], list[Told]] = field(default_factory=dict)
    of_email: dict[str, list[Told]] = field(default_factory=dict)
    of_customer: dict[Key, list[Told]] = field(default_factory=dict)
    emails: dict[Key, str] = field(default_factory=dict)
    owners: dict[Key, list[Owner]] = field(default_factory=dict)

    def read_codes(self, events: Iterable[Event]) -> None:
        """Read the codes on orders. Limited ones are locked, so that nobody else counts a use of them meanwhile."""
        texts = {event.code for event in events if event.code}
        if not texts:
            return
        names = ("code", "pk", "membership_id", "is_active", "starts_at", "ends_at", "use_limit", "uses")
        rows = Code.objects.filter(code__in=texts)
        for text, *row in rows.values_list(*names):
            self.codes[text] = CodeRow(*row)
        limited = [code.pk for code in self.codes.values() if code.use_limit is not None]
        if limited:
            for text, *row in Code.objects.filter(pk__in=limited).lock().values_list(*names):
                self.codes[text] = CodeRow(*row)

    @property
    def limited(self) -> set[str]:
        """Return the codes that are good for so many orders only."""
        return {text for text, code in self.codes.items() if code.use_limit is not None}

    def read_clicks(self, events: Sequence[Event]) -> None:
        """Read the clicks that are named, and the others of the same visitors."""
        clicked = [event for event in events if event.click_id]
        if not clicked:
            return
        rows = Click.objects.filter(click_id__in={event.click_id for event in clicked})
        for click_id, visitor, *row in rows.values_list("click_id", "visitor", *_CLICK):
            self.named[click_id] = visitor, _clicked(*row)
        visitors = {visitor for visitor, _click in self.named.values() if visitor}
        if visitors:
            self._read_visitors(visitors, clicked)

    def _read_visitors(self, visitors: Collection[str], events: Sequence[Event]) -> None:
        latest = max(event.occurred_at for event in events)
        earliest = min(event.occurred_at for event in events) - _LONGEST
        rows = Click.objects.filter(visitor__in=visitors, clicked_at__gt=earliest, clicked_at__lte=latest)
        order = [F("clicked_at").desc(), F("pk").desc()]
        place = Window(RowNumber(), partition_by=[F("visitor")], order_by=order)
        rows = rows.filter(kind__in=_COUNTED).annotate(place=place).filter(place__lte=MOST_CLICKS)
        for visitor, *row in rows.values_list("visitor", *_CLICK):
            click = _clicked(*row)
            if click is not None:
                self.of_visitor.setdefault(visitor, []).append(click)

    def read_told(
        self, events: Sequence[Event], customers: Mapping[int, Key], emails: Mapping[Key, str]
    ) -> None:
        """Read deals, leads and introductions: by the reference an order names, by its customer, and by the key of its e-mail address."""
        self.emails = {key: email for key, email in emails.items() if email}
        keys = {event.buyer.email_key for event in events if event.buyer.email_key} | set(
            self.emails.values()
        )
        deals = {event.deal for event in events if event.deal}
        leads = {event.lead for event in events if event.lead}
        asked = [
            Q(kind="deal", reference__in=deals) if deals else None,
            Q(kind__in=("lead", "intro"), reference__in=leads) if leads else None,
            Q(customer__in=customers) if customers else None,
            Q(email_key__in=keys) if keys else None,
        ]
        wanted = [each for each in asked if each is not None]
        if not wanted:
            return
        condition = wanted[0]
        for each in wanted[1:]:
            condition |= each
        rows = Touch.objects.filter(condition).values_list(
            "pk",
            "kind",
            "membership_id",
            "touched_at",
            "ends_on",
            "withdrawn_at",
            "reference",
            "customer",
            "email_key",
        )
        for pk, kind, membership, at, ends_on, withdrawn_at, reference, customer, email in rows:
            told = Told(pk, _TOLD[kind], membership, at, ends_on, withdrawn_at is not None)
            if reference:
                self.of_reference.setdefault(("deal" if kind == "deal" else "lead", reference), []).append(
                    told
                )
            if email:
                self.of_email.setdefault(email, []).append(told)
            if customer in customers:
                self.of_customer.setdefault(customers[customer], []).append(told)

    def read_leads(self, customers: Mapping[int, Key]) -> None:
        """Read who was credited with the sign-ups and leads of these customers: to have brought the lead is a contact, too."""
        if not customers:
            return
        rows = Credit.objects.standing().filter(
            conversion__customer__in=customers, conversion__kind__in=LEADS
        )
        rows = rows.exclude(role=CreditRole.ASSISTED).exclude(conversion__state=ConversionState.REJECTED)
        for pk, customer, membership, at in rows.values_list(
            "conversion_id", "conversion__customer", "membership_id", "occurred_at"
        ):
            told = Told(pk, "lead", membership, at, is_event=True)
            self.of_customer.setdefault(customers[customer], []).append(told)

    def clicks_of(self, event: Event) -> list[Clicked]:
        """Return the click an event names and those of the same visitor before it, each once. A click later than the event is
        looked at only when it was named."""
        if not event.click_id or event.click_id not in self.named:
            return []
        visitor, named = self.named[event.click_id]
        earliest = event.occurred_at - _LONGEST
        found = {
            click.pk: click
            for click in (self.of_visitor.get(visitor, ()) if visitor else ())
            if earliest < click.at <= event.occurred_at
        }
        if named is not None:
            found[named.pk] = named
        return list(found.values())

    def told_of(self, event: Event, customer: Key | None) -> list[Told]:
        """Return what was told that belongs to an event, each once."""
        if not (self.of_reference or self.of_email or self.of_customer):
            return []
        found: dict[tuple[object, ...], Told] = {}
        emails = {event.buyer.email_key, self.emails.get(customer, "") if customer else ""} - {""}
        for told in (
            *(self.of_reference.get(("deal", event.deal), ()) if event.deal else ()),
            *(self.of_reference.get(("lead", event.lead), ()) if event.lead else ()),
            *(each for email in emails for each in self.of_email.get(email, ())),
            *(self.of_customer.get(customer, ()) if customer else ()),
        ):
            found[told.is_event, told.pk, told.key, told.membership] = told
        return list(found.values())

    def owners_of(self, event: Event, customer: Key | None) -> list[Owner]:
        """Return who had brought the customer when the event happened, one per program."""
        known = self.owners.get(customer) if customer else None
        return [] if not known else [owner for owner in known if owner.holds(event.occurred_at)]

    @property
    def membership_ids(self) -> set[int]:
        """Return everybody who could be credited."""
        found = {code.membership for code in self.codes.values()}
        found |= {click.membership for _visitor, click in self.named.values() if click is not None}
        found |= {click.membership for clicks in self.of_visitor.values() for click in clicks}
        for by in (self.of_reference.values(), self.of_email.values(), self.of_customer.values()):
            found |= {told.membership for rows in by for told in rows}
        return found | {owner.membership for owners in self.owners.values() for owner in owners}


_CLICK = ("pk", "kind", "link__membership_id", "clicked_at")


def _clicked(pk: int, kind: str, membership: int, at: datetime) -> Clicked | None:
    counted = _COUNTED.get(kind)
    return Clicked(pk, counted, membership, at) if counted else None
