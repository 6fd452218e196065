"""Write what was decided about new events: who is credited, why, by which uses of codes, and whose customers they are. All of it is written
in the transaction that records the events, in a number of statements that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.db.models import F

from prm.lib.bulk import BulkWriter
from prm.lib.periods import local_day
from referrals import marks, ownership, writing
from referrals.attribution import record
from referrals.attribution.apply import NOBODY, Candidates, Judged
from referrals.attribution.candidates import MOVES, Candidate
from referrals.attribution.contacts import Contacts
from referrals.attribution.rule import Award, Verdict
from referrals.choices import CreditRole
from referrals.customers import Customers, first_sales
from referrals.facts import Event, Key
from referrals.models import Code, ConversionLine, Referral

_LINE = ("conversion_id", "position", "product", "category", "quantity", "amount_minor", "currency")
_SOURCED, _ASSISTED = CreditRole.SOURCED.value, CreditRole.ASSISTED.value


@dataclass
class Crediting:
    """The decisions about a batch of events on their way into the books."""

    candidates: Candidates
    customers: Customers
    judged: dict[Key, Judged] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Event], customers: Customers, contacts: Contacts) -> Crediting:
        """Read everything that could be credited for events."""
        known = customers.pks
        candidates = Candidates.of(
            events,
            contacts=contacts,
            customers=known,
            emails={each.key: each.keys.get("email_key", "") for each in customers.by_key.values()},
            owners=ownership.owners_of(known) if known else (),
        )
        if known and candidates.rules.ask_for_new_customers:
            candidates.bought = {known[pk]: at for pk, at in first_sales(known).items()}
        return cls(candidates, customers)

    def decide(self, event: Event) -> None:
        """Decide who brought an event, those before it having been decided. One that names its sale is credited as that is; only its
        code has to be somebody's.

        Raises: UnknownCode, OtherCurrency.
        """
        customer = self.customers.key_of(event)
        judged = self.candidates.decide(event, customer)
        if event.original_external_id:
            return
        self.judged[event.key] = judged
        self.candidates.learn(event, customer, judged)
        if customer is not None:
            self._foresee_owner(event, customer, judged)

    def write(self, events: Iterable[Event], created: Mapping[Key, int], *, at: datetime) -> set[int]:
        """Write the credits and records of those events that were created just now; return those that have a credit."""
        fresh = [(event, created[event.key]) for event in events if event.key in created]
        judged = [(event, pk, self.judged.get(event.key, NOBODY)) for event, pk in fresh]
        ownership.open_for(self._pairs(judged), at=at)
        resolve = self._resolver(created)
        credits = [
            self._credit(event, pk, award, resolve=resolve, at=at)
            for event, pk, each in judged
            for award in each.decision.awards
        ]
        writing.insert_credits(credits)
        record.write(
            (
                record.Row(
                    pk, each.program.pk if each.program else None, each.version, each.decision.verdicts
                )
                for _event, pk, each in judged
            ),
            resolve=resolve,
            at=at,
        )
        _write_lines(fresh)
        self._count_uses(judged)
        marks.mark(_day_of(event, each) for event, _pk, each in judged)
        return {credit[0] for credit in credits}

    def _foresee_owner(self, event: Event, customer: Key, judged: Judged) -> None:
        """Let later events of the batch see who brought the customer by this one, as `ownership.open_for` will write it."""
        award = owning(judged, event)
        if award is None or judged.program is None:
            return
        program = judged.program
        known = self.candidates.contacts.owners.get(customer, ())
        mine = [owner for owner in known if owner.program == program.pk]
        if any(owner.ended_at is None or event.occurred_at <= owner.ended_at for owner in mine):
            return
        until = ownership.earns_until(
            event.occurred_at, award.candidate.settings.recurring_months, program.zone
        )
        owner = ownership.Owner(0, 0, program.pk, award.membership_id, event.occurred_at, until, None)
        self.candidates.learn_owner(event, customer, owner)

    def _pairs(self, judged: Iterable[tuple[Event, int, Judged]]) -> list[ownership.Pair]:
        """Return the events that make somebody the owner of a customer: those `_foresee_owner` saw."""
        opening = set(self.candidates.opened.values())
        pairs = []
        for event, pk, each in judged:
            award = owning(each, event) if event.key in opening else None
            customer = self.customers.pk_of(event)
            if award is not None and each.program is not None and customer is not None:
                months = award.candidate.settings.recurring_months
                pairs.append(
                    ownership.Pair(
                        pk, customer, award.membership_id, each.program.pk, event.occurred_at, months
                    )
                )
        return pairs

    def _resolver(self, created: Mapping[Key, int]) -> record.Resolve:
        """Return what finds the keys of contacts that are rows of this batch themselves."""
        referrals: dict[int | None, int] = {}
        if any(_is_unwritten(each) for judged in self.judged.values() for each in judged.decision.verdicts):
            opening = [created[key] for key in self.candidates.opened.values() if key in created]
            rows = Referral.objects.filter(conversion__in=opening)
            referrals = dict(rows.values_list("conversion_id", "pk"))

        def resolve(candidate: Candidate) -> int:
            if candidate.key is None:
                return candidate.pk
            event = created.get(candidate.key, 0)
            return referrals.get(event, 0) if candidate.source == "referral" else event

        return resolve

    def _credit(
        self, event: Event, conversion: int, award: Award, *, resolve: record.Resolve, at: datetime
    ) -> writing.Row:
        """Return a credit as `writing.CREDIT` names its columns, with the one contact it came by."""
        one = award.candidate
        source, pk = one.source, one.pk if one.key is None else resolve(one)
        return (
            conversion,
            award.membership_id,
            _ASSISTED if award.is_assist else _SOURCED,
            award.share,
            award.reason.value,
            pk if source == "code" else None,
            pk if source == "click" else None,
            pk if source == "touch" else None,
            pk or None if source == "referral" else None,
            event.occurred_at,
            at,
            None,
            None,
        )

    def _count_uses(self, judged: Iterable[tuple[Event, int, Judged]]) -> None:
        """Count what limited codes were used; their rows are held since they were read."""
        uses: dict[int, int] = {}
        for event, _pk, each in judged:
            for award in each.decision.awards:
                if award.candidate.use_limit is not None and not award.is_assist and event.kind not in MOVES:
                    uses[award.candidate.pk] = uses.get(award.candidate.pk, 0) + 1
        for pk, count in sorted(uses.items()):
            Code.objects.filter(pk=pk).update(uses=F("uses") + count)


def owning(judged: Judged, event: Event) -> Award | None:
    """Return the award that makes a membership the owner of the event's customer: the largest share, of equal ones the first. What takes
    a sale back makes nobody one."""
    shared = [award for award in judged.decision.awards if not award.is_assist]
    return max(shared, key=lambda award: award.share) if shared and event.kind not in MOVES else None


def _is_unwritten(verdict: Verdict) -> bool:
    return verdict.candidate.key is not None and verdict.candidate.source == "referral"


def _write_lines(fresh: Iterable[tuple[Event, int]]) -> None:
    BulkWriter(ConversionLine, _LINE).write(
        (pk, place, line.product, line.category, line.quantity, line.amount_minor, event.amount.currency)
        for event, pk in fresh
        for place, line in enumerate(event.lines, start=1)
    )


def _day_of(event: Event, judged: Judged) -> tuple[int | None, date]:
    if judged.program is None:
        return None, event.occurred_at.astimezone(UTC).date()
    return judged.program.pk, local_day(event.occurred_at, judged.program.zone)
