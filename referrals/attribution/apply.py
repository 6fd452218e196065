"""Let the rule decide over a batch of events, with everything that could be credited for them. Events are decided in the order they happened,
so that what one brings is a contact of the next, in one batch as in two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from prm.lib.countries import code_of
from prm.lib.errors import Refused
from prm.lib.periods import start_of_day
from referrals.attribution.candidates import MOVES, Candidate, Happening
from referrals.attribution.contacts import LEADS, Clicked, CodeRow, Contacts, Owner, Told
from referrals.attribution.members import Members, Program, Rules
from referrals.attribution.rule import ORGANIC, Decision, decide
from referrals.attribution.settings import Settings
from referrals.facts import Event, Key

_A_DAY = timedelta(days=1)


class UnknownCode(Refused):
    """The code on the order was never given to anybody; a typing error must not turn into a sale without a partner."""

    message = _("No partner has the code %(code)s.")
    field = "code"


class OtherCurrency(Refused):
    """The event is in another currency than the program its membership earns in."""

    message = _("The amount is in %(given)s but the program counts in %(expected)s.")
    field = "currency"


class Judged(NamedTuple):
    """The decision about an event, with the program it counts in and the version of its rules, none for the standard ones."""

    decision: Decision
    program: Program | None = None
    version: int | None = None


NOBODY = Judged(ORGANIC)


@dataclass
class Candidates:
    """Everything that could be credited for a batch of events. `decide` them in the order they happened."""

    contacts: Contacts = field(default_factory=Contacts)
    members: Members = field(default_factory=Members)
    rules: Rules = field(default_factory=Rules)
    bought: dict[Key, datetime] = field(default_factory=dict)
    opened: dict[tuple[int, Key], Key] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        events: Sequence[Event],
        *,
        contacts: Contacts | None = None,
        customers: Mapping[int, Key] | None = None,
        emails: Mapping[Key, str] | None = None,
        owners: Iterable[Owner] = (),
    ) -> Candidates:
        """Read what could be credited. `contacts` may have their codes already; `customers` are those in the books, by primary key,
        and `owners` all who ever brought one of them."""
        found = cls(contacts or Contacts())
        if contacts is None:
            found.contacts.read_codes(events)
        known = customers or {}
        found.contacts.read_clicks(events)
        found.contacts.read_told(events, known, emails or {})
        for owner in owners:
            found.contacts.owners.setdefault(known[owner.customer], []).append(owner)
        found.rules = Rules.load()
        if found.rules.count("lead"):
            found.contacts.read_leads(known)
        found.members = Members.load(found.contacts.membership_ids)
        return found

    def check_code(self, event: Event) -> CodeRow | None:
        """Return the code on an order.

        Raises: UnknownCode.
        """
        if not event.code:
            return None
        code = self.contacts.codes.get(event.code)
        if code is None:
            raise UnknownCode(params={"code": event.code})
        return code

    def decide(self, event: Event, customer: Key | None = None) -> Judged:
        """Return who brought `event`, of `customer`.

        Raises: UnknownCode, OtherCurrency.
        """
        code = self.check_code(event)
        candidates = self._candidates(event, code, customer)
        if not candidates:
            return NOBODY
        decision = decide(self._happening(event, customer), candidates)
        if not decision.awards:
            return Judged(decision)
        program = self.members.programs[decision.awards[0].candidate.earner.program_id]
        if event.amount.currency != program.currency:
            raise OtherCurrency(params={"given": event.amount.currency, "expected": program.currency})
        version, _settings = self.rules.at(program, event.occurred_at)
        return Judged(decision, program, version)

    def learn(self, event: Event, customer: Key | None, judged: Judged) -> None:
        """Let the events after this one see what it changed: the code it used, the lead it was, the first purchase."""
        for award in judged.decision.awards:
            one = award.candidate
            if one.use_limit is not None and not award.is_assist and event.kind not in MOVES:
                self.used[one.pk] = self.used.get(one.pk, 0) + 1
        if customer is None or event.kind in MOVES:
            return
        if event.kind in ("sale", "renewal"):
            self.bought.setdefault(customer, event.occurred_at)
        if event.kind in LEADS:
            leads = self.contacts.of_customer.setdefault(customer, [])
            leads += [
                Told(0, "lead", award.membership_id, event.occurred_at, is_event=True, key=event.key)
                for award in judged.decision.awards
                if not award.is_assist
            ]

    def learn_owner(self, event: Event, customer: Key, owner: Owner) -> None:
        """Let the events after this one see whom it makes the owner of its customer."""
        self.contacts.owners.setdefault(customer, []).append(owner)
        self.opened[owner.program, customer] = event.key

    def _candidates(self, event: Event, code: CodeRow | None, customer: Key | None) -> list[Candidate]:
        found = [] if code is None else [self._of_code(event, code)]
        if event.click_id:
            found += [self._of_click(event, click) for click in self.contacts.clicks_of(event)]
        found += [self._of_told(event, told) for told in self.contacts.told_of(event, customer)]
        if customer is not None:
            for owner in self.contacts.owners_of(event, customer):
                found.append(self._of_owner(event, customer, owner))
        return found

    def _settings(self, membership: int, event: Event) -> Settings:
        return self.rules.at(self.members.program_of(membership), event.occurred_at)[1]

    def _of_code(self, event: Event, code: CodeRow) -> Candidate:
        used = code.uses + self.used.get(code.pk, 0)
        return Candidate(
            "code",
            event.occurred_at,
            self.members.earners[code.membership],
            self._settings(code.membership, event),
            "code",
            code.pk,
            is_off=not code.is_active,
            starts_at=code.starts_at,
            ends_at=code.ends_at,
            use_limit=code.use_limit,
            is_used_up=code.use_limit is not None and used >= code.use_limit,
        )

    def _of_click(self, event: Event, click: Clicked) -> Candidate:
        earner = self.members.earners[click.membership]
        return Candidate(
            click.kind, click.at, earner, self._settings(click.membership, event), "click", click.pk
        )

    def _of_told(self, event: Event, told: Told) -> Candidate:
        ends_at = None
        if told.ends_on is not None:
            ends_at = start_of_day(told.ends_on + _A_DAY, self.members.program_of(told.membership).zone)
        return Candidate(
            told.kind,
            told.at,
            self.members.earners[told.membership],
            self._settings(told.membership, event),
            "conversion" if told.is_event else "touch",
            told.pk,
            is_off=told.is_withdrawn,
            ends_at=ends_at,
            key=told.key,
        )

    def _of_owner(self, event: Event, customer: Key, owner: Owner) -> Candidate:
        key = self.opened.get((owner.program, customer)) if not owner.referral else None
        return Candidate(
            "customer",
            owner.since_at,
            self.members.earners[owner.membership],
            self._settings(owner.membership, event),
            "referral",
            owner.referral,
            ends_at=owner.earns_until_at,
            key=key,
        )

    def _happening(self, event: Event, customer: Key | None) -> Happening:
        first = self.bought.get(customer) if customer is not None else None
        return Happening(
            event.occurred_at,
            event.kind,
            event.amount.minor,
            code_of(event.country) if event.country else "",
            _of_lines(event.product, [line.product for line in event.lines] if event.lines else ()),
            _of_lines(event.category, [line.category for line in event.lines] if event.lines else ()),
            event.attributes,
            first if first is not None and first < event.occurred_at else None,
        )


def _of_lines(whole: str, parts: Sequence[str]) -> tuple[str, ...]:
    return (whole, *parts) if whole else tuple(parts)
