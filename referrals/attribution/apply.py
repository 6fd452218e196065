"""Read the candidates of a batch of events and let the rule decide. The number of queries does not grow with the batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from prm.lib.errors import Refused
from referrals.attribution.rule import CodeUsed, Decision, Earner, Touch, decide
from referrals.facts import Event
from referrals.models import Click, Code

NEVER = datetime.min.replace(tzinfo=UTC)
LONGEST_WINDOW = timedelta(days=400)
MOST_CLICKS = 20_000


class UnknownCode(Refused):
    """The code on the order was never given to anybody; a typing error must not turn into a sale without a partner."""

    message = _("No partner has the code %(code)s.")
    field = "code"


class OtherCurrency(Refused):
    """The event is in another currency than the program its membership earns in."""

    message = _("The amount is in %(given)s but the program counts in %(expected)s.")
    field = "currency"


@dataclass
class Candidates:
    """Everything that could be credited for a batch of events."""

    codes: dict[str, CodeUsed] = field(default_factory=dict)
    visitors: dict[str, str] = field(default_factory=dict)
    touches: dict[str, list[Touch]] = field(default_factory=dict)
    currencies: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Event]) -> Candidates:
        """Read the codes used and the clicks of the visitors who came."""
        found = cls()
        found._read_codes({event.code for event in events if event.code})
        clicked = [event for event in events if event.click_id]
        if clicked:
            found._read_clicks(clicked)
        return found

    def decide(self, event: Event) -> Decision:
        """Return who brought `event`.

        Raises: UnknownCode, OtherCurrency.
        """
        code = self.codes.get(event.code) if event.code else None
        if event.code and code is None:
            raise UnknownCode(params={"code": event.code})
        touches = self.touches.get(self.visitors.get(event.click_id, ""), ()) if event.click_id else ()
        decision = decide(occurred_at=event.occurred_at, code=code, touches=touches)
        if decision.membership_id is not None:
            expected = self.currencies[decision.membership_id]
            if event.amount.currency != expected:
                raise OtherCurrency(params={"given": event.amount.currency, "expected": expected})
        return decision

    def _read_codes(self, texts: Iterable[str]) -> None:
        rows = Code.objects.filter(code__in=list(texts)).values_list(
            "code",
            "pk",
            "is_active",
            "membership_id",
            "membership__state",
            "membership__ended_at",
            "membership__program__currency",
        )
        for text, pk, is_active, membership_id, state, ended_at, currency in rows:
            self.codes[text] = CodeUsed(pk, earner(membership_id, state, ended_at), is_active)
            self.currencies[membership_id] = currency

    def _read_clicks(self, events: Sequence[Event]) -> None:
        ids = {event.click_id for event in events}
        self.visitors = dict(Click.objects.filter(click_id__in=ids).values_list("click_id", "visitor"))
        named = {visitor for visitor in self.visitors.values() if visitor}
        latest = max(event.occurred_at for event in events)
        earliest = min(event.occurred_at for event in events) - LONGEST_WINDOW
        rows = (
            Click.objects.filter(visitor__in=named, clicked_at__gt=earliest, clicked_at__lte=latest)
            .order_by("-clicked_at", "-pk")
            .values_list(
                "visitor",
                "pk",
                "clicked_at",
                "link__membership_id",
                "link__membership__state",
                "link__membership__ended_at",
                "link__membership__program__cookie_days",
                "link__membership__program__currency",
            )[:MOST_CLICKS]
        )
        for visitor, pk, clicked_at, membership_id, state, ended_at, days, currency in rows:
            touch = Touch(pk, earner(membership_id, state, ended_at), clicked_at, timedelta(days=days))
            self.touches.setdefault(visitor, []).append(touch)
            self.currencies[membership_id] = currency


def earner(membership_id: int, state: str, ended_at: datetime | None) -> Earner:
    """Return the membership as the rule sees it: one that left or was terminated keeps what it brought before."""
    if state == MembershipState.ACTIVE:
        return Earner(membership_id, ended_at)
    if state in (MembershipState.ENDED, MembershipState.TERMINATED) and ended_at is not None:
        return Earner(membership_id, ended_at)
    return Earner(membership_id, NEVER)
